/** The epoll loop and the clock. */
#include "loadgen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

int loop_fd = -1;
int64_t now_ns;

int64_t clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return now_ns = t.tv_sec * SECOND + t.tv_nsec;
}

void loop_init(void) {
  loop_fd = epoll_create1(EPOLL_CLOEXEC);
  if (loop_fd < 0) {
    print_error(strerror(errno));
    exit(1);
  }
  prctl(PR_SET_TIMERSLACK, 1); /* the default of 50 µs would delay every event of an open publisher */
}

/** Waits at most timeout_ns (negative: for ever) and handles one batch. A socket appears once in a batch, so handlers may close and
 *  reopen their own one; others are reopened between batches only. */
void loop_once(int64_t timeout_ns) {
  static struct epoll_event ev[1024];
  struct timespec ts = {.tv_sec = timeout_ns / SECOND, .tv_nsec = timeout_ns % SECOND};
  int n = epoll_pwait2(loop_fd, ev, 1024, timeout_ns < 0 ? NULL : &ts, NULL);
  if (n < 0 && errno == ENOSYS) n = epoll_wait(loop_fd, ev, 1024, timeout_ns < 0 ? -1 : (int)(timeout_ns / 1000000));
  if (n < 0 && errno != EINTR) {
    print_error(strerror(errno));
    exit(1);
  }
  for (int i = 0; i < n; i++) io_event(ev[i].data.ptr, ev[i].events);
  clock_now();
}
