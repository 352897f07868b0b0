/**
 * What the kernel says about the server (CPU time, memory) and about this process. CPU time comes from schedstat because it counts in
 * nanoseconds; /proc/PID/stat counts in hundredths of a second.
 */
#include "loadgen.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int64_t pid_ns(int pid) {
  char path[300];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *d = opendir(path);
  if (!d) return 0;
  int64_t sum = 0;
  for (struct dirent *e; (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", pid, e->d_name);
    FILE *f = fopen(path, "r");
    int64_t ns;
    if (!f) continue;
    if (fscanf(f, "%" SCNd64, &ns) == 1) sum += ns;
    fclose(f);
  }
  closedir(d);
  return sum;
}

int64_t server_ns(const struct target *t) {
  int64_t sum = 0;
  for (int i = 0; t && i < t->npids; i++) sum += pid_ns(t->pids[i]);
  return sum;
}

int64_t self_ns(void) {
  struct rusage u;
  if (getrusage(RUSAGE_SELF, &u)) return 0;
  return ((int64_t)u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SECOND + ((int64_t)u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

/** Retransmissions after a time-out, of the whole machine: pairs of lines, names and values. */
static uint64_t tcp_timeouts(void) {
  static char names[8192], values[8192];
  FILE *f = fopen("/proc/net/netstat", "r");
  uint64_t found = 0;
  while (f && fgets(names, sizeof names, f) && fgets(values, sizeof values, f)) {
    char *at = NULL, *from = NULL, *v = strtok_r(values, " ", &from);
    for (char *n = strtok_r(names, " ", &at); n && v; n = strtok_r(NULL, " ", &at), v = strtok_r(NULL, " ", &from))
      if (!strcmp(n, "TCPTimeouts")) found = strtoull(v, NULL, 10);
  }
  if (f) fclose(f);
  return found;
}

/** Packets that a full queue of the loopback dropped: second column, hexadecimal, one line per core. */
static uint64_t queue_drops(void) {
  FILE *f = fopen("/proc/net/softnet_stat", "r");
  char line[512];
  uint64_t sum = 0;
  unsigned drops;
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "%*x %x", &drops) == 1) sum += drops;
  if (f) fclose(f);
  return sum;
}

void stats_sample(struct sample *s) {
  s->at = clock_now();
  s->self = self_ns();
  s->server = server_ns(target_current());
  s->bytes = io_bytes;
  s->reads = io_reads;
  s->timeouts = tcp_timeouts();
  s->drops = queue_drops();
}

bool rss_read(const struct target *t, int64_t *rss, int64_t *pss) {
  *rss = *pss = 0;
  for (int i = 0; i < t->npids; i++) {
    char path[64], line[200];
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", t->pids[i]);
    FILE *f = fopen(path, "r");
    if (!f) return false;
    while (fgets(line, sizeof line, f)) {
      if (!strncmp(line, "Rss:", 4)) *rss += atoll(line + 4) * 1024;
      if (!strncmp(line, "Pss:", 4)) *pss += atoll(line + 4) * 1024;
    }
    fclose(f);
  }
  return *rss > 0;
}
