/**
 * Publishers over HTTP. `open`: event k is intended for start + k/rate and is timed from then, however late a connection is free for
 * it, so a slow server cannot hide by slowing the generator down. `closed`: every connection sends its next request when the last one
 * was answered.
 */
#include "loadgen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_UP 1000 /* failed requests in a row: the server is gone, and trying on would only burn CPU */

/** Fills p->channels with the cycle of channels the publisher goes through. */
static void cycle(struct args *a, struct publisher *p, const char *list, unsigned of) {
  char *copy = must(strdup(list)), *save = NULL, name[256];
  uint32_t names = 0;
  for (char *c = copy; *c; c++) names += *c == ',';
  p->channels = must(calloc((size_t)(names + 1) * of, sizeof *p->channels));
  char **pattern = must(calloc(names + 1, sizeof *pattern));
  names = 0;
  for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) pattern[names++] = s;
  for (unsigned i = 0; i < of && !a->error[0]; i++) {
    for (uint32_t k = 0; k < names && !a->error[0]; k++) {
      const char *error = channel_expand(name, pattern[k], i);
      uint32_t id = error ? NO_CHANNEL : channel_id(name);
      if (id == NO_CHANNEL) fail(a, "%s", error ? error : "too many channels");
      p->channels[p->nchannels++] = id;
    }
  }
  if (!p->nchannels) fail(a, "no channel");
  free(pattern);
  free(copy);
}

void publisher_make(struct args *a) {
  struct publisher *p = must(calloc(1, sizeof *p));
  const char *mode = arg_str(a, "mode", NULL), *list;
  snprintf(p->name, sizeof p->name, "%s", arg_name(a, "name"));
  p->target = target_current();
  if (!p->target) fail(a, "no target");
  p->mode = strcmp(mode, "closed") ? MODE_OPEN : MODE_CLOSED;
  if (p->mode == MODE_OPEN && strcmp(mode, "open")) fail(a, "mode is open or closed");
  if (p->mode == MODE_OPEN) p->rate = arg_num(a, "rate", NAN, 0.001, 1e6);
  p->conns = (uint32_t)(p->mode == MODE_OPEN ? arg_num(a, "connections", 4, 1, 1024) : arg_num(a, "inflight", NAN, 1, 1024));
  list = arg_str(a, "channel", NULL);
  p->bytes = (uint32_t)arg_num(a, "bytes", 200, MARKER, 1 << 20);
  p->keepalive = arg_num(a, "keepalive", 1, 0, 1) != 0;
  p->batch = (uint32_t)arg_num(a, "batch", 1, 1, 100);
  double of = arg_num(a, "of", strstr(list, "%d") ? NAN : 1, 1, MAX_CHANNELS);
  if (args_ok(a)) cycle(a, p, list, (unsigned)of);
  if (a->error[0]) {
    publisher_free(p);
    return;
  }
  /* Letters and digits in no order: neither free to compress nor in need of escaping. */
  p->filler = must(malloc(p->bytes));
  uint32_t x = 12345;
  for (uint32_t i = 0; i < p->bytes; i++) {
    x = x * 1664525 + 1013904223;
    p->filler[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"[x >> 26];
  }
  p->hc = must(calloc(p->conns, sizeof *p->hc));
  p->idle = must(calloc(p->conns, sizeof *p->idle));
  for (uint32_t i = 0; i < p->conns; i++) p->hc[i] = (struct hc){.io = {.ops = &hc_ops, .fd = -1}, .p = p};
  publisher_add(p);
}

void publisher_begin(struct publisher *p) {
  p->k = p->next_channel = 0;
  p->due = p->mode == MODE_OPEN ? (uint64_t)ceil((double)run.end / 1e9 * p->rate) : 0;
  for (uint32_t i = p->conns; i-- > 0;) p->idle[p->nidle++] = &p->hc[i];
}

static int64_t intended(const struct publisher *p) { return (int64_t)((double)p->k / p->rate * 1e9); }

/** When the next request may start: now or earlier means it should have. */
static int64_t next_start(const struct publisher *p, int64_t t) {
  if (p->fails >= GIVE_UP) return NEVER;
  if (p->mode == MODE_OPEN) return p->k < p->due ? intended(p) : NEVER;
  return t < run.end && !run.stopping ? t : NEVER;
}

static void start(struct publisher *p, struct hc *h, int64_t t) {
  h->req.t0 = p->mode == MODE_OPEN ? intended(p) : t;
  h->req.measured = h->req.t0 >= run.warm;
  h->tries = 0;
  p->k++;
  request_build(p, &h->req);
  if (h->req.measured) run.published += h->req.events;
  run.busy++;
  hc_send(h);
}

int64_t publisher_tick(struct publisher *p, int64_t t) {
  int64_t next;
  while ((next = next_start(p, t)) <= t && p->nidle) start(p, p->idle[--p->nidle], t);
  return p->nidle ? next : NEVER;
}

void publisher_answer(struct hc *h, int status) {
  struct publisher *p = h->p;
  struct request *r = &h->req;
  int64_t t = run_now();
  bool accepted = status >= 200 && status < 300;
  run.busy--;
  p->fails = status ? 0 : p->fails + 1;
  if (!accepted)
    for (uint32_t i = 0; i < r->events; i++) channel_reject(&channels[r->ev[i].channel], r->ev[i].index);
  if (r->measured) {
    run.statuses[status]++;
    *(accepted ? &run.answered : &run.rejected) += r->events;
    if (status) hist_add(&run.answer, t - r->t0);
    run.last = t;
  }
  /* After a failure the next request waits for the tick, which ends the recursion when the server is down. */
  if (status && next_start(p, t) <= t) start(p, h, t);
  else p->idle[p->nidle++] = h;
}

void publisher_add(struct publisher *p) {
  struct publisher **last = &publishers;
  while (*last) last = &(*last)->next;
  *last = p;
}

void publisher_free(struct publisher *p) {
  for (uint32_t i = 0; p->hc && i < p->conns; i++) {
    io_close(&p->hc[i].io);
    free(p->hc[i].req.text);
    free(p->hc[i].res);
  }
  free(p->hc);
  free(p->idle);
  free(p->channels);
  free(p->filler);
  free(p);
}
