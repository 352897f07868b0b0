/**
 * One measurement: warm-up, measured part, drain. The measured part ends for the CPU figures when nothing has arrived for 20 ms, so
 * waiting for a lost event does not dilute them.
 */
#include "loadgen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct run run;
struct publisher *publishers;

int64_t run_now(void) { return now_ns - run.start; }

static uint64_t frames_received(void) {
  uint64_t n = 0;
  for (struct group *g = groups; g; g = g->next) n += g->frames;
  return n;
}

/** Lets what is still on its way from before arrive: it must not be taken for an event of this run. Not bytes but text frames are
 *  looked at, because the pings to many sockets never pause. */
static void quiesce(void) {
  int64_t begin = clock_now(), quiet = begin;
  uint64_t frames = frames_received();
  while (now_ns - quiet < 30 * 1000000LL && now_ns - begin < 5 * SECOND) {
    loop_once(10 * 1000000LL);
    if (frames != frames_received()) quiet = now_ns;
    frames = frames_received();
  }
}

static void prepare(struct args *a, double seconds, double warmup, const char *ignore) {
  bool look = false;
  char list[1024];
  memset(&run, 0, sizeof run);
  run.warm = (int64_t)(warmup * 1e9);
  run.end = run.warm + (int64_t)(seconds * 1e9);
  run.min_len = UINT32_MAX;
  for (struct publisher *p = publishers; p; p = p->next) {
    if (p->group) look = true;
    else if (p->bytes < run.min_len) run.min_len = p->bytes;
  }
  if (run.min_len == UINT32_MAX) run.min_len = 0;
  for (struct group *g = groups; g; g = g->next) g->ignored = false;
  snprintf(list, sizeof list, "%s", ignore);
  char *save = NULL;
  for (char *s = strtok_r(list, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
    struct group *g = groups;
    while (g && strcmp(g->name, s)) g = g->next;
    if (g) g->ignored = true;
    else if (strcmp(s, "-")) fail(a, "no group %.60s", s);
  }
  for (struct group *g = groups; g; g = g->next) {
    g->look = look;
    if (look && g->deflated && !g->ignored) fail(a, "group %s is compressed: payloads cannot be read in a run with churn, reconnect or clients", g->name);
  }
}

static void reset(void) {
  channels_reset();
  for (struct group *g = groups; g; g = g->next) {
    g->clients = false;
    g->closed = g->close_code = 0;
    g->frames = g->client_expected = g->client_delivered = 0;
    g->error[0] = 0;
    memset(&g->hist, 0, sizeof g->hist);
    for (uint32_t i = 0; i < g->count; i++) {
      struct ws *w = &g->ws[i];
      w->in_run = w->state == WS_LIVE;
      w->frames = w->extra_expected = w->extra_got = w->client_left = 0;
      w->hole = 0;
      for (uint32_t k = 0; k < g->k; k++) w->subs[k].cur = w->subs[k].from = w->subs[k].got = 0;
    }
  }
}

static int64_t tick(int64_t t) {
  int64_t next = NEVER;
  for (struct publisher *p = publishers; p; p = p->next) {
    int64_t n = p->group ? actor_tick(p, t) : publisher_tick(p, t);
    if (n < next) next = n;
  }
  return next;
}

static bool pending(void) {
  if (run.busy) return true;
  for (struct publisher *p = publishers; p; p = p->next)
    if (p->mode == MODE_OPEN && p->k < p->due && p->fails == 0) return true;
  for (struct group *g = groups; g; g = g->next)
    for (uint32_t i = 0; i < g->count; i++)
      if (count_pending(&g->ws[i]) || (g->clients && g->ws[i].client_left && g->ws[i].state == WS_LIVE)) return true;
  return false;
}

static void drain(double seconds, struct sample *to) {
  int64_t deadline = run_now() + (int64_t)(seconds * 1e9), progress = run_now(), checked = 0, last = run.last;
  bool sampled = false;
  run.stopping = true;
  for (struct publisher *p = publishers; p; p = p->next)
    if (p->group) actor_settle(p);
  while (run_now() < deadline) {
    int64_t next = tick(run_now()), wait = 5 * 1000000LL;
    /* Looking at all sockets costs more than a delivery: not after every batch. */
    if (!checked || run_now() - checked >= 2 * 1000000LL) {
      if (!pending()) break;
      checked = run_now();
    }
    if (next != NEVER && next - run_now() < wait) wait = next > run_now() ? next - run_now() : 0;
    loop_once(wait);
    if (last != run.last) {
      last = run.last;
      progress = run_now();
      sampled = false;
    } else if (!sampled && run_now() - progress > 20 * 1000000LL) {
      stats_sample(to);
      sampled = true;
    }
  }
  if (!sampled) stats_sample(to);
}

static void forget_publishers(void) {
  while (publishers) {
    struct publisher *next = publishers->next;
    publisher_free(publishers);
    publishers = next;
  }
}

static void run_all(struct args *a) {
  struct sample from = {0}, to = {0};
  double seconds = arg_num(a, "seconds", NAN, 0.01, 3600), warmup = arg_num(a, "warmup", 0, 0, 3600);
  double drain_seconds = arg_num(a, "drain", 10, 0, 3600);
  const char *ignore = arg_str(a, "ignore", "-");
  if (!args_ok(a)) return;
  prepare(a, seconds, warmup, ignore);
  if (a->error[0]) return;
  quiesce();
  reset();
  run.start = clock_now();
  run.active = true;
  for (struct publisher *p = publishers; p; p = p->next) {
    if (p->group) actor_begin(p);
    else publisher_begin(p);
  }
  bool warm = false;
  while (run_now() < run.end) {
    if (!warm && run_now() >= run.warm) {
      stats_sample(&from);
      warm = true;
    }
    int64_t next = tick(run_now()), limit = warm ? run.end : run.warm;
    if (limit < next) next = limit;
    int64_t t = run_now();
    loop_once(next > t ? next - t : 0);
  }
  if (!warm) stats_sample(&from);
  drain(drain_seconds, &to);
  for (struct publisher *p = publishers; p; p = p->next)
    if (p->mode == MODE_OPEN) run.unsent += (p->due - p->k) * p->batch;
  run.active = false;
  report_run(&from, &to);
}

/** The publishers are forgotten whether the run took place or was refused. */
void run_command(struct args *a) {
  run_all(a);
  forget_publishers();
  run.min_len = 0;
  for (struct group *g = groups; g; g = g->next) g->look = g->clients = false;
}
