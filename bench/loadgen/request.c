/** Builds signed requests of the HTTP API and enters their events into the logs of their channels. */
#include "loadgen.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *put(char *to, const char *text, size_t n) {
  memcpy(to, text, n);
  return to + n;
}

static char *digits(char *to, uint32_t v, int width) {
  for (int i = width - 1; i >= 0; i--, v /= 10) to[i] = (char)('0' + v % 10);
  return to + width;
}

#define PUT(to, text) put(to, text, sizeof(text) - 1)

/** r->t0 and r->measured are set by the caller. */
void request_build(struct publisher *p, struct request *r) {
  static char *body;
  static size_t body_cap;
  const struct target *t = p->target;
  size_t need = p->batch * (size_t)(p->bytes + 400) + 100;
  if (need > body_cap) body = must(realloc(body, body_cap = need));
  if (need + 2048 > r->cap) r->text = must(realloc(r->text, r->cap = (uint32_t)need + 2048));

  char *b = body;
  if (p->batch > 1) b = PUT(b, "{\"batch\":[");
  r->events = p->batch;
  for (uint32_t i = 0; i < p->batch; i++) {
    uint32_t id = p->channels[p->next_channel++ % p->nchannels];
    struct channel *c = &channels[id];
    r->ev[i].channel = id;
    r->ev[i].index = channel_publish(c, r->t0, r->measured);
    if (i) *b++ = ',';
    /* A batch item has one `channel`; the single request uses `channels`, as the official libraries do. */
    b = p->batch > 1 ? PUT(b, "{\"name\":\"bench\",\"channel\":\"") : PUT(b, "{\"name\":\"bench\",\"channels\":[\"");
    b = put(b, c->name, strlen(c->name));
    b = p->batch > 1 ? PUT(b, "\",\"data\":\"") : PUT(b, "\"],\"data\":\"");
    b = digits(b, r->ev[i].index, 8);
    *b++ = '.';
    b = digits(b, id, 6);
    *b++ = '@';
    b = put(b, p->filler, p->bytes - MARKER);
    b = PUT(b, "\"}");
  }
  if (p->batch > 1) b = PUT(b, "]}");
  size_t len = (size_t)(b - body);

  char sign[600], md5[33], signature[65];
  md5_hex(body, len, md5);
  const char *route = p->batch > 1 ? "batch_events" : "events";
  int n = snprintf(sign, sizeof sign, "POST\n/apps/%s/%s\nauth_key=%s&auth_timestamp=%lld&auth_version=1.0&body_md5=%s", t->app, route,
                   t->key, (long long)time(NULL), md5);
  signer_hex(&t->signer, sign, (size_t)n, signature);
  const char *query = strchr(sign + 5, '\n') + 1;
  int head = snprintf(r->text, 2048,
                      "POST /apps/%s/%s?%s&auth_signature=%s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\n%s\r\n",
                      t->app, route, query, signature, t->host, t->port, len, p->keepalive ? "" : "Connection: close\r\n");
  memcpy(r->text + head, body, len);
  r->len = (uint32_t)head + (uint32_t)len;
}
