/**
 * A fake Pusher server that does as little as possible, to find out how much the load generator can receive. It accepts WebSockets,
 * acknowledges every subscription, and for each POST with n events writes n prepared frames in one send to every WebSocket, whatever the
 * channel. Signatures are not checked. Single thread; prints its port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME 200
#define MOST 100
#define INPUT 65536

struct peer {
  int fd;
  uint32_t at; /* its place in `sockets`, when it is a WebSocket */
  int websocket;
  size_t n;
  char *in;
};

static struct peer **sockets;
static uint32_t nsockets, cap;
static uint8_t frames[MOST * FRAME];

/** Blocking, so that a generator that lags slows the blaster down instead of making it buffer. */
static void say(struct peer *p, const void *data, size_t n) {
  for (size_t done = 0; done < n;) {
    ssize_t w = send(p->fd, (const char *)data + done, n - done, MSG_NOSIGNAL);
    if (w < 0 && errno != EINTR) return; /* its end is seen when it is read */
    if (w > 0) done += (size_t)w;
  }
}

static void text(struct peer *p, const char *s) {
  uint8_t frame[200];
  size_t n = strlen(s);
  frame[0] = 0x81;
  frame[1] = (uint8_t)n; /* all are shorter than 126 */
  memcpy(frame + 2, s, n);
  say(p, frame, n + 2);
}

static void forget(struct peer *p) {
  if (p->websocket) {
    sockets[p->at] = sockets[--nsockets];
    sockets[p->at]->at = p->at;
  }
  close(p->fd);
  free(p->in);
  free(p);
}

static void upgrade(struct peer *p) {
  static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"; /* of the generator's fixed key */
  if (nsockets == cap) {
    cap = cap ? cap * 2 : 1024;
    sockets = realloc(sockets, cap * sizeof *sockets);
    if (!sockets) exit(1);
  }
  say(p, answer, sizeof answer - 1);
  text(p, "{\"event\":\"pusher:connection_established\",\"data\":\"{\\\"socket_id\\\":\\\"1.2\\\",\\\"activity_timeout\\\":120}\"}");
  p->websocket = 1;
  p->at = nsockets;
  sockets[nsockets++] = p;
}

static void publish(struct peer *p, const char *body, size_t n) {
  static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  uint32_t events = 0;
  for (const char *at = body; (at = memmem(at, (size_t)(body + n - at), "\"name\":", 7)); at += 7) events++;
  if (events > MOST) events = MOST;
  for (uint32_t i = 0; i < nsockets; i++) say(sockets[i], frames, events * FRAME);
  say(p, ok, sizeof ok - 1);
}

/** Takes one message from the input. Returns the bytes it used, 0 when it is not complete, -1 when the peer is to be closed. */
static ssize_t one(struct peer *p) {
  if (p->websocket) {
    const uint8_t *f = (uint8_t *)p->in;
    if (p->n < 6) return 0;
    size_t h = (f[1] & 127) < 126 ? 6 : 8, len = (f[1] & 127) < 126 ? f[1] & 127 : (size_t)(f[2] << 8 | f[3]);
    if (p->n < h + len) return 0;
    if ((f[0] & 15) == 8) return -1;
    if ((f[0] & 15) == 1) text(p, "{\"event\":\"pusher_internal:subscription_succeeded\",\"channel\":\"c\",\"data\":\"{}\"}");
    return (ssize_t)(h + len);
  }
  char *end = memmem(p->in, p->n, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t head = (size_t)(end - p->in) + 4;
  if (!memcmp(p->in, "GET ", 4)) {
    upgrade(p);
    return (ssize_t)head;
  }
  char *length = memmem(p->in, head, "Content-Length: ", 16);
  size_t len = length ? strtoul(length + 16, NULL, 10) : 0;
  if (p->n < head + len) return 0;
  publish(p, p->in + head, len);
  return (ssize_t)(head + len);
}

static void serve(struct peer *p) {
  ssize_t n = recv(p->fd, p->in + p->n, INPUT - p->n, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    forget(p);
    return;
  }
  p->n += (size_t)n;
  while ((n = one(p)) > 0) memmove(p->in, p->in + n, p->n -= (size_t)n);
  if (n < 0 || p->n == INPUT) forget(p);
}

int main(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  struct rlimit files;
  signal(SIGPIPE, SIG_IGN);
  if (!getrlimit(RLIMIT_NOFILE, &files)) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  for (int i = 0; i < MOST; i++) {
    uint8_t *f = frames + i * FRAME;
    memset(f, 'x', FRAME);
    f[0] = 0x81;
    f[1] = 126;
    f[2] = (FRAME - 4) >> 8;
    f[3] = (FRAME - 4) & 255;
  }
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ep = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, ev[1024];
  if (listener < 0 || ep < 0 || bind(listener, (struct sockaddr *)&a, len) || listen(listener, 4096) ||
      getsockname(listener, (struct sockaddr *)&a, &len) || epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e)) {
    perror("ceiling");
    return 1;
  }
  printf("%d\n", ntohs(a.sin_port));
  fflush(stdout);
  for (;;) {
    int n = epoll_wait(ep, ev, 1024, -1);
    for (int i = 0; i < n; i++) {
      if (ev[i].data.ptr) {
        serve(ev[i].data.ptr);
        continue;
      }
      int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
      struct peer *p = fd < 0 ? NULL : calloc(1, sizeof *p);
      if (!p) continue;
      p->fd = fd;
      p->in = malloc(INPUT);
      if (!p->in) exit(1);
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
      e.data.ptr = p;
      if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e)) forget(p);
    }
  }
}
