/**
 * The load generator of the benchmark: commands on stdin, answers on stdout (PROTOCOL.md). Between commands the sockets are served
 * all the same, so that pings are answered.
 */
#include "loadgen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define LINE_MAX_BYTES (64 * 1024)

static bool input_ready;

static void stdin_ready(struct io *io, const uint8_t *p, size_t n) {
  (void)io, (void)p, (void)n;
  input_ready = true;
}

const struct io_ops stdin_ops = {stdin_ready, NULL};

/** An allocation that failed ends the program: figures of a generator without memory are worth nothing. */
void *must(void *allocated) {
  if (!allocated) {
    print_error("out of memory");
    exit(1);
  }
  return allocated;
}

void print_error(const char *text) {
  fputs("{\"ok\":false,\"error\":\"", stdout);
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') putchar('\\');
    putchar((uint8_t)*c < 32 || (uint8_t)*c > 126 ? '?' : *c);
  }
  fputs("\"}\n", stdout);
  fflush(stdout);
}

/** Executes the complete lines of the buffer and returns how many bytes are left. */
static size_t execute(char *buffer, size_t n) {
  char *line = buffer, *end = buffer + n, *nl;
  while ((nl = memchr(line, '\n', (size_t)(end - line)))) {
    *nl = 0;
    commands_execute(line);
    line = nl + 1;
  }
  memmove(buffer, line, (size_t)(end - line));
  return (size_t)(end - line);
}

int main(void) {
  static char buffer[LINE_MAX_BYTES + 1];
  static struct io input = {.ops = &stdin_ops};
  struct epoll_event watch = {.events = EPOLLIN, .data.ptr = &input};
  struct rlimit files;
  size_t n = 0;
  signal(SIGPIPE, SIG_IGN);
  if (!getrlimit(RLIMIT_NOFILE, &files)) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  loop_init();
  for (;;) {
    /* Only watched between commands: it would be ready all the time while one is executed. A file cannot be watched, it is ready. */
    bool watched = !epoll_ctl(loop_fd, EPOLL_CTL_ADD, 0, &watch);
    if (!watched && errno != EPERM) {
      print_error(strerror(errno));
      return 1;
    }
    input_ready = !watched;
    while (!input_ready) loop_once(-1);
    if (watched) epoll_ctl(loop_fd, EPOLL_CTL_DEL, 0, &watch);
    ssize_t got = read(0, buffer + n, LINE_MAX_BYTES - n);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    n = execute(buffer, n + (size_t)got);
    if (n == LINE_MAX_BYTES) {
      print_error("line too long");
      n = 0;
    }
  }
  return 0;
}
