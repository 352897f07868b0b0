/**
 * Which event a delivery is, how late it is, and how many deliveries there should have been.
 *
 * By position (the usual way): the n-th text frame of a socket is the n-th event of its channels together, taken in the order of their
 * times; each subscription keeps a cursor in its channel's log. By payload (runs with churn, reconnect or clients, where a socket does
 * not get everything): the marker in `data` names channel and index. There, events published after a subscription was acknowledged
 * are expected, up to the last one received before the subscription ended; those that arrive in addition are expected and delivered.
 */
#include "loadgen.h"

static void timed(struct ws *w, int64_t event, int64_t t) {
  if (!(event & EV_MEASURED)) return;
  hist_add(&w->g->hist, t - EV_TIME(event));
  run.last = t;
}

void count_frames(struct ws *w, uint32_t n) {
  struct group *g = w->g;
  g->frames += n;
  if (!run.active || g->ignored || !w->in_run || !g->k) return;
  int64_t t = run_now();
  w->frames += n;
  while (n--) {
    struct sub *next = NULL;
    int64_t event = 0;
    for (uint32_t k = 0; k < g->k; k++) {
      struct sub *s = &w->subs[k];
      const struct channel *c = &channels[s->channel];
      while (s->cur < c->count && (c->log[s->cur] & EV_REJECTED)) s->cur++;
      if (s->cur < c->count && (!next || EV_TIME(c->log[s->cur]) < EV_TIME(event))) {
        next = s;
        event = c->log[s->cur];
      }
    }
    if (!next) return; /* more frames than events: they show as `extra` */
    next->cur++;
    timed(w, event, t);
  }
}

void count_event(struct ws *w, uint32_t index, uint32_t id) {
  struct group *g = w->g;
  g->frames++;
  if (!run.active || g->ignored || !w->in_run) return;
  for (uint32_t k = 0; k < g->k; k++) {
    struct sub *s = &w->subs[k];
    const struct channel *c = &channels[s->channel];
    if (s->channel != id || index >= c->count) continue;
    int64_t event = c->log[index];
    bool measured = event & EV_MEASURED;
    if (s->state == SUB_IN && index >= s->from) {
      if (index > s->cur) w->hole = now_ns;
      if (index >= s->cur) s->cur = index + 1;
      s->got += measured;
    } else if (measured) {
      w->extra_expected++;
      w->extra_got++;
    }
    timed(w, event, run_now());
    return;
  }
}

/** Measured events of [from, to) that the server accepted. */
static uint32_t measured_between(const struct channel *c, uint32_t from, uint32_t to) {
  uint32_t n = 0;
  for (uint32_t i = from; i < to; i++) n += (c->log[i] & (EV_MEASURED | EV_REJECTED)) == EV_MEASURED;
  return n;
}

void count_subscribed(struct ws *w, struct sub *s) {
  (void)w;
  s->state = SUB_IN;
  s->from = s->cur = run.active ? channels[s->channel].count : 0;
  s->got = 0;
}

void count_unsubscribed(struct ws *w, struct sub *s) {
  if (!run.active || s->state != SUB_IN) return;
  uint32_t expected = measured_between(&channels[s->channel], s->from, s->cur);
  /* Requests on several connections overtake each other: a gap that is just opening is no loss, its event was on the way. */
  if (s->got < expected && clock_now() - w->hole < SECOND / 10) expected = s->got;
  w->extra_expected += expected;
  w->extra_got += s->got < expected ? s->got : expected;
  s->from = s->cur = s->got = 0;
}

/** Of a socket in a run: expected and delivered (never more than expected) of the measured part. */
void count_finish(const struct ws *w, uint64_t *expected, uint64_t *delivered) {
  uint64_t e = 0, d = w->frames;
  *expected = *delivered = 0;
  if (!w->in_run || w->g->ignored) return;
  if (w->g->look) {
    e = w->extra_expected;
    d = w->extra_got;
    for (uint32_t k = 0; k < w->g->k; k++) {
      const struct sub *s = &w->subs[k];
      const struct channel *c = &channels[s->channel];
      if (s->state != SUB_IN) continue;
      uint32_t n = s->from ? measured_between(c, s->from, c->count) : c->count - c->rejected - c->warm;
      e += n;
      d += s->got < n ? s->got : n;
    }
  } else {
    uint64_t warm = 0;
    for (uint32_t k = 0; k < w->g->k; k++) {
      const struct channel *c = &channels[w->subs[k].channel];
      e += c->count - c->rejected - c->warm;
      warm += c->warm;
    }
    d = d > warm ? d - warm : 0;
  }
  *expected = e;
  *delivered = d < e ? d : e;
}

/** Is anything still to come? A closed socket gets nothing any more. */
bool count_pending(const struct ws *w) {
  if (w->opening) return true;
  if (w->state != WS_LIVE || !w->in_run || w->g->ignored) return false;
  for (uint32_t k = 0; k < w->g->k; k++)
    if (w->subs[k].state == SUB_PENDING) return true;
  uint64_t expected, delivered;
  count_finish(w, &expected, &delivered);
  return delivered < expected;
}
