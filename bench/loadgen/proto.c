/**
 * What is read of Pusher messages: the socket id, acknowledgements and refusals of subscriptions, and the marker at the start of
 * `data` that tells which event a message carries. Outside the handshake only groups whose payloads are looked at come here.
 */
#include "loadgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool has(const uint8_t *p, size_t n, const char *text) { return memmem(p, n, text, strlen(text)) != NULL; }

static const struct signer *signer(struct ws *w) { return &w->g->target->signer; }

/** Adds the pusher:subscribe of the k-th channel, with a signature if it needs one. */
void proto_subscribe(struct ws *w, uint32_t k) {
  char text[1024], plain[512], sig[65], data[64] = "";
  const char *name = channels[w->subs[k].channel].name;
  int n = snprintf(text, sizeof text, "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":\"%s\"", name);
  bool presence = !strncmp(name, "presence-", 9);
  if (presence || !strncmp(name, "private-", 8)) {
    if (presence) snprintf(data, sizeof data, "{\"user_id\":\"%u\"}", w->index);
    int len = snprintf(plain, sizeof plain, "%s:%s%s%s", w->socket_id, name, presence ? ":" : "", data);
    signer_hex(signer(w), plain, (size_t)len, sig);
    n += snprintf(text + n, sizeof text - (size_t)n, ",\"auth\":\"%s:%s\"", w->g->target->key, sig);
    if (presence) n += snprintf(text + n, sizeof text - (size_t)n, ",\"channel_data\":\"{\\\"user_id\\\":\\\"%u\\\"}\"", w->index);
  }
  n += snprintf(text + n, sizeof text - (size_t)n, "}}");
  w->subs[k].state = SUB_PENDING;
  ws_text(w, text, (size_t)n);
}

void proto_unsubscribe(struct ws *w, uint32_t k) {
  char text[400];
  int n = snprintf(text, sizeof text, "{\"event\":\"pusher:unsubscribe\",\"data\":{\"channel\":\"%s\"}}", channels[w->subs[k].channel].name);
  w->subs[k].state = SUB_OUT;
  ws_text(w, text, (size_t)n);
}

static void hello(struct ws *w, bool compressed, const uint8_t *p, size_t n) {
  if (!compressed && !has(p, n, "pusher:connection_established")) {
    if (has(p, n, "pusher:error")) ws_abort(w, "", (const char *)p, n);
    return;
  }
  w->socket_id[0] = 0;
  const uint8_t *id = compressed ? NULL : memmem(p, n, "socket_id", 9);
  if (id) {
    size_t len = 0;
    for (id += 9; id < p + n && !isdigit(*id); id++) continue;
    for (; id < p + n && (isdigit(*id) || *id == '.') && len < sizeof w->socket_id - 1; id++) w->socket_id[len++] = (char)*id;
    w->socket_id[len] = 0;
  }
  w->state = WS_SUBSCRIBING;
  for (uint32_t k = 0; k < w->g->k; k++) {
    const char *name = channels[w->subs[k].channel].name;
    if (!w->socket_id[0] && (!strncmp(name, "private-", 8) || !strncmp(name, "presence-", 9))) {
      ws_abort(w, "the socket id came in a compressed message, which is not inflated", NULL, 0);
      return;
    }
    proto_subscribe(w, k);
  }
  if (!w->g->k) ws_live(w);
}

/** Acknowledgements come in the order of the subscriptions. */
static void acknowledged(struct ws *w) {
  uint32_t left = 0;
  bool first = true;
  for (uint32_t k = 0; k < w->g->k; k++) {
    if (w->subs[k].state != SUB_PENDING) continue;
    if (first) count_subscribed(w, &w->subs[k]);
    else left++;
    first = false;
  }
  if (!left && w->state == WS_SUBSCRIBING) ws_live(w);
}

/** Eight digits, a dot, six digits and the kind at the start of `data`. */
static bool marker(const uint8_t *p, size_t n, uint32_t *index, uint32_t *id, char *kind) {
  static const char key[] = "\"data\":\"";
  const uint8_t *d = memmem(p, n, key, sizeof key - 1);
  if (!d || (size_t)(p + n - d) < sizeof key - 1 + MARKER) return false;
  d += sizeof key - 1;
  if (d[8] != '.' || (d[15] != '@' && d[15] != '#')) return false;
  *index = *id = 0;
  for (int i = 0; i < 8; i++) *index = *index * 10 + (uint32_t)(d[i] - '0');
  for (int i = 9; i < 15; i++) *id = *id * 10 + (uint32_t)(d[i] - '0');
  *kind = (char)d[15];
  return true;
}

void proto_text(struct ws *w, bool compressed, const uint8_t *p, size_t n) {
  uint32_t index, id;
  char kind;
  if (w->state == WS_HELLO) {
    hello(w, compressed, p, n);
  } else if (compressed) {
    if (w->state == WS_SUBSCRIBING) acknowledged(w); /* the only message expected now */
    else count_frames(w, 1);
  } else if (marker(p, n, &index, &id, &kind)) {
    if (kind == '@') count_event(w, index, id);
    else client_received(w, index, id);
  } else if (has(p, n, "subscription_succeeded")) {
    acknowledged(w);
  } else if (has(p, n, "pusher:subscription_error") || has(p, n, "pusher:error")) {
    if (w->state == WS_SUBSCRIBING) ws_abort(w, "", (const char *)p, n);
    else client_refused(w);
  }
}
