/**
 * What the sockets of a group do during a run besides receiving: client events, leaving and joining a channel (churn), being replaced
 * (reconnect).
 */
#include "loadgen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint32_t client_bytes = 200;
static char *client_filler;

void actor_make(struct args *a, enum mode mode) {
  struct publisher *p = must(calloc(1, sizeof *p));
  const char *channel = NULL;
  p->mode = mode;
  snprintf(p->name, sizeof p->name, "%s", arg_name(a, "name"));
  p->group = group_find(a, "group");
  if (mode != MODE_RECONNECT) channel = arg_str(a, "channel", NULL);
  if (mode == MODE_CLIENTS) p->bytes = (uint32_t)arg_num(a, "bytes", 200, MARKER, 10000);
  else p->rate = arg_num(a, "rate", NAN, 0.001, 1e5);
  args_ok(a);
  if (p->group && channel) {
    while (p->sub < p->group->k && strcmp(p->group->patterns[p->sub], channel)) p->sub++;
    if (p->sub == p->group->k) fail(a, "the group was not connected with channel %.80s", channel);
  }
  if (p->group && p->group->deflated) fail(a, "the payloads of this mode are read, and compressed ones are not inflated");
  if (p->group && mode == MODE_CLIENTS && p->group->count < 2) fail(a, "client events need two sockets");
  for (struct publisher *q = publishers; q && p->group; q = q->next)
    if (q->group == p->group && q->mode == MODE_CLIENTS && mode == MODE_CLIENTS) fail(a, "the group already sends client events");
  if (a->error[0]) free(p);
  else publisher_add(p);
}

static void client_send(struct ws *w, uint32_t sub) {
  static char text[11000];
  struct group *g = w->g;
  w->client_seq = (w->client_seq + 1) % 100000000;
  int n = snprintf(text, sizeof text, "{\"event\":\"client-e\",\"channel\":\"%s\",\"data\":\"%08u.%06u#%.*s\"}",
                   channels[w->subs[sub].channel].name, w->client_seq, w->index, (int)(client_bytes - MARKER), client_filler);
  w->client_sent = run_now();
  w->client_measured = w->client_sent >= run.warm && !g->ignored;
  w->client_left = 0;
  for (uint32_t i = 0; i < g->count; i++) w->client_left += g->ws[i].state == WS_LIVE && i != w->index;
  if (w->client_measured) {
    run.published++;
    g->client_expected += w->client_left;
  }
  ws_text(w, text, (size_t)n);
}

void client_received(struct ws *w, uint32_t seq, uint32_t sender) {
  struct group *g = w->g;
  g->frames++;
  if (!run.active || !g->clients || sender >= g->count) return;
  struct ws *s = &g->ws[sender];
  if (seq != s->client_seq || !s->client_left) return;
  if (s->client_measured) {
    int64_t t = run_now();
    g->client_delivered++;
    hist_add(&g->hist, t - s->client_sent);
    run.last = t;
  }
  if (--s->client_left || run.stopping || s->state != WS_LIVE) return;
  for (struct publisher *p = publishers; p; p = p->next)
    if (p->group == g && p->mode == MODE_CLIENTS) client_send(s, p->sub);
}

/** The server answered pusher:error: nobody gets this event, and the socket sends no more. */
void client_refused(struct ws *w) {
  if (!run.active || !w->client_left) return;
  if (w->client_measured) {
    w->g->client_expected -= w->client_left;
    run.rejected++;
  }
  w->client_left = 0;
}

void actor_begin(struct publisher *p) {
  struct group *g = p->group;
  p->k = 0;
  p->due = p->mode == MODE_CLIENTS ? 0 : (uint64_t)ceil((double)run.end / 1e9 * p->rate);
  if (p->mode != MODE_CLIENTS) return;
  g->clients = true;
  client_bytes = p->bytes;
  free(client_filler);
  client_filler = must(malloc(10001));
  memset(client_filler, 'x', 10000);
  client_filler[10000] = 0;
  for (uint32_t i = 0; i < g->count; i++)
    if (g->ws[i].state == WS_LIVE) client_send(&g->ws[i], p->sub);
}

static void churn(struct publisher *p) {
  struct ws *w = &p->group->ws[p->k / 2 % p->group->count];
  if (w->state != WS_LIVE) return;
  struct sub *s = &w->subs[p->sub];
  if (p->k % 2 == 0 && s->state == SUB_IN) {
    count_unsubscribed(w, s);
    proto_unsubscribe(w, p->sub);
  } else if (p->k % 2 && s->state == SUB_OUT) {
    proto_subscribe(w, p->sub);
  }
}

static void reconnect(struct publisher *p) {
  struct ws *w = &p->group->ws[p->k % p->group->count];
  if (w->state != WS_LIVE) return;
  for (uint32_t k = 0; k < p->group->k; k++) count_unsubscribed(w, &w->subs[k]);
  ws_leave(w, false);
  ws_start(w);
}

int64_t actor_tick(struct publisher *p, int64_t t) {
  while (p->k < p->due && !run.stopping) {
    int64_t next = (int64_t)((double)p->k / p->rate * 1e9);
    if (next > t) return next;
    if (p->mode == MODE_CHURN) churn(p);
    else reconnect(p);
    p->k++;
  }
  return NEVER;
}

/** Brings the sockets that churn left outside back in, so that the next run finds every subscription it expects. */
void actor_settle(struct publisher *p) {
  if (p->mode != MODE_CHURN) return;
  for (uint32_t i = 0; i < p->group->count; i++) {
    struct ws *w = &p->group->ws[i];
    if (w->state == WS_LIVE && w->subs[p->sub].state == SUB_OUT) proto_subscribe(w, p->sub);
  }
}
