/**
 * One non-blocking TCP socket in the epoll set. Reading is one read(2) of up to 256 KiB per readiness into one buffer that all
 * sockets share; level triggering brings the rest. What the kernel does not take is kept in a buffer per socket.
 */
#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_BUFFER (256 * 1024)
#define MAX_PENDING (4 * 1024 * 1024)

uint64_t io_reads, io_bytes;

void io_watch(struct io *io) {
  uint32_t want = io->paused ? 0 : (io->connecting || io->blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (io->fd < 0 || want == io->events) return;
  struct epoll_event e = {.events = want, .data.ptr = io};
  /* Removed, not masked, while paused: epoll reports a hang-up even to an empty mask, and that would spin. */
  int op = !want ? EPOLL_CTL_DEL : io->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(loop_fd, op, io->fd, &e)) {
    print_error(strerror(errno));
    exit(1);
  }
  io->events = want;
}

void io_pause(struct io *io, bool paused) {
  io->paused = paused;
  io_watch(io);
}

/** Returns a connecting socket, or -1 and errno. */
static int try_connect(const struct target *t, int rcvbuf, uint32_t source) {
  int fd = socket(t->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  if (rcvbuf) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf); /* before connect: it sets the window scale */
  if (source) {
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + source)};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&from, sizeof from)) goto failed;
  }
  if (!connect(fd, (const struct sockaddr *)&t->addr, t->addrlen) || errno == EINPROGRESS) return fd;
failed:;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

const char *io_open(struct io *io, const struct target *t, int rcvbuf) {
  /* One address has 28,000 ports; when they are used up the next connections come from 127.0.0.2, and so on. */
  static uint32_t source;
  int fd = -1;
  for (int tries = 0; tries < 40; tries++) {
    fd = try_connect(t, rcvbuf, t->addr.ss_family == AF_INET ? source : 0);
    if (fd >= 0 || errno != EADDRNOTAVAIL) break;
    source = (source + 1) % 40;
  }
  if (fd < 0) return errno == EMFILE ? "too many open files (ulimit -n)" : strerror(errno);
  io->fd = fd;
  io->gen++;
  io->events = 0;
  io->connecting = true;
  io->blocked = io->paused = false;
  io->outlen = 0;
  const char *error = t->tls ? tls_open(io) : NULL;
  if (error) {
    io_close(io);
    return error;
  }
  io_watch(io);
  return NULL;
}

/**
 * Makes the kernel acknowledge at each read again. After it has sent something a socket delays its next acknowledgement by 40 ms; when
 * thousands of sockets get the same event, those timers fire together, and the loopback's queue holds 1000 packets
 * (netdev_max_backlog). What it drops is repeated after 200 ms, which would look like a latency of the server.
 */
void io_ack_at_read(struct io *io) {
  if (io->fd >= 0) setsockopt(io->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

void io_close(struct io *io) {
  if (io->fd < 0) return;
  if (io->ssl) SSL_free(io->ssl);
  close(io->fd); /* leaves the epoll set too */
  free(io->out);
  io->ssl = NULL;
  io->out = NULL;
  io->fd = -1;
  io->outlen = io->outcap = io->events = 0;
  io->gen++;
}

/** Sends what is pending. An error is not reported here: epoll reports it, when nobody is in the middle of something. */
static void flush_plain(struct io *io) {
  uint32_t done = 0;
  io->blocked = false;
  while (done < io->outlen) {
    ssize_t n = send(io->fd, io->out + done, io->outlen - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      io->blocked = errno == EAGAIN;
      if (!io->blocked) done = io->outlen;
      break;
    }
    done += (uint32_t)n;
  }
  memmove(io->out, io->out + done, io->outlen - done);
  io->outlen -= done;
}

static void flush(struct io *io) {
  if (io->ssl) tls_flush(io);
  else if (io->outlen) flush_plain(io);
  else io->blocked = false;
  io_watch(io);
}

void io_send(struct io *io, const void *data, size_t len) {
  if (io->fd < 0 || io->outlen + len > MAX_PENDING) return;
  if (!io->ssl && !io->connecting && !io->outlen) { /* nearly always: no copy */
    ssize_t n = send(io->fd, data, len, MSG_NOSIGNAL);
    if (n == (ssize_t)len || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (n > 0) {
      data = (const uint8_t *)data + n;
      len -= (size_t)n;
    }
  }
  if (io->outlen + len > io->outcap) {
    io->outcap = io->outlen + (uint32_t)len + 512;
    io->out = must(realloc(io->out, io->outcap));
  }
  memcpy(io->out + io->outlen, data, len);
  io->outlen += (uint32_t)len;
  if (!io->connecting) flush(io);
}

static void connected(struct io *io) {
  int error = 0;
  socklen_t len = sizeof error;
  if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len)) error = errno;
  if (error) {
    io->ops->closed(io, strerror(error));
    return;
  }
  io->connecting = false;
  flush(io);
}

void io_event(struct io *io, uint32_t events) {
  static uint8_t buffer[READ_BUFFER];
  if (io->ops == &stdin_ops) {
    io->ops->data(io, NULL, 0);
    return;
  }
  if (io->fd < 0) return; /* closed by a handler of this batch */
  if (io->connecting) {
    connected(io);
    return; /* level-triggered: what can be read is reported again */
  }
  if (events & EPOLLOUT) flush(io);
  if (!(events & ~(uint32_t)EPOLLOUT)) return;
  ssize_t n = read(io->fd, buffer, sizeof buffer);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) io->ops->closed(io, strerror(errno));
    return;
  }
  if (n == 0) {
    io->ops->closed(io, "connection closed by the server");
    return;
  }
  clock_now();
  io_reads++;
  io_bytes += (uint64_t)n;
  if (!io->ssl) {
    io->ops->data(io, buffer, (size_t)n);
    return;
  }
  uint32_t gen = io->gen;
  const char *error = tls_read(io, buffer, (size_t)n);
  if (error && gen == io->gen) io->ops->closed(io, error);
}
