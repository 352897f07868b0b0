/**
 * Life of one WebSocket: connect, upgrade, wait for pusher:connection_established, subscribe, live, closed. The same steps serve
 * `connect` and the `reconnect` publisher during a run.
 */
#include "loadgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A fixed key is enough: nobody caches between the two ends of a loopback. */
#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define UPGRADE_MAX 4096

/** The socket is gone: no longer counted as open, memory of its handshake freed. */
static void ws_dead(struct ws *w) {
  io_close(&w->io);
  free(w->cap);
  w->cap = NULL;
  w->state = WS_DEAD;
  w->hlen = 0;
  w->skip = 0;
}

void ws_start(struct ws *w) {
  static char request[1024];
  const struct target *t = w->g->target;
  for (uint32_t i = 0; i < w->g->k; i++) w->subs[i].state = SUB_OUT;
  w->state = WS_UPGRADE;
  w->opening = true;
  w->g->opening++;
  w->hlen = 0;
  w->skip = w->caplen = 0;
  w->cap = must(realloc(w->cap, UPGRADE_MAX));
  const char *error = io_open(&w->io, t, w->g->rcvbuf);
  if (error) {
    ws_lost(w, error);
    return;
  }
  int n = snprintf(request, sizeof request,
                   "GET /app/%s?protocol=7&client=bench&version=1 HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " WS_KEY "\r\n%s\r\n",
                   t->key, t->host, t->port,
                   t->deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n" : "");
  io_send(&w->io, request, (size_t)n);
}

/** Collects the answer to the upgrade; what follows it is frames. */
static void upgrade_data(struct ws *w, const uint8_t *p, size_t n) {
  size_t take = n < UPGRADE_MAX - w->caplen ? n : UPGRADE_MAX - w->caplen, before = w->caplen;
  memcpy(w->cap + before, p, take);
  w->caplen += (uint32_t)take;
  uint8_t *end = memmem(w->cap, w->caplen, "\r\n\r\n", 4);
  if (!end) {
    if (w->caplen == UPGRADE_MAX) ws_abort(w, "upgrade answer too long", NULL, 0);
    return;
  }
  size_t head = (size_t)(end - w->cap) + 4;
  if (head < 12 || memcmp(w->cap, "HTTP/1.1 101", 12) || !memmem(w->cap, head, WS_ACCEPT, strlen(WS_ACCEPT))) {
    uint8_t *line = memchr(w->cap, '\r', head);
    ws_abort(w, "upgrade refused: ", (char *)w->cap, (size_t)(line - w->cap));
    return;
  }
  if (memmem(w->cap, head, "permessage-deflate", 18)) w->g->deflated++;
  w->state = WS_HELLO;
  w->caplen = 0;
  if (head - before < n) frames_data(w, p + (head - before), n - (head - before));
}

static void ws_data(struct io *io, const uint8_t *p, size_t n) {
  struct ws *w = (struct ws *)io;
  if (w->state == WS_UPGRADE) upgrade_data(w, p, n);
  else frames_data(w, p, n);
}

/** The server, or the network, ended the connection. */
void ws_lost(struct ws *w, const char *why) {
  struct group *g = w->g;
  if (!g->error[0] && w->state != WS_CLOSING) snprintf(g->error, sizeof g->error, "%s", why);
  if (w->opening) {
    w->opening = false;
    g->opening--;
    g->failed++;
  }
  if (w->state == WS_CLOSING) g->closing--;
  else if (run.active) g->closed++;
  ws_dead(w);
}

static void ws_closed(struct io *io, const char *why) { ws_lost((struct ws *)io, why); }

const struct io_ops ws_ops = {ws_data, ws_closed};

/** Gives up on a socket whose server said something unexpected; `detail` is kept in a form that can go into JSON. */
void ws_abort(struct ws *w, const char *why, const char *detail, size_t n) {
  char text[200];
  size_t len = (size_t)snprintf(text, sizeof text, "%s", why);
  for (size_t i = 0; i < n && len < sizeof text - 1; i++) text[len++] = isprint((uint8_t)detail[i]) ? detail[i] : '?';
  text[len] = 0;
  ws_lost(w, text);
}

/** Every subscription was acknowledged. */
void ws_live(struct ws *w) {
  w->state = WS_LIVE;
  io_ack_at_read(&w->io);
  free(w->cap);
  w->cap = NULL;
  if (w->opening) {
    w->opening = false;
    w->g->opening--;
    w->g->connected++;
  }
}

void ws_send_frame(struct ws *w, uint8_t opcode, const void *data, size_t len) {
  static uint8_t frame[16384 + 8];
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  if (len > 16384) len = 16384;
  size_t h = 2;
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (uint8_t)(len < 126 ? len : 126);
  if (len >= 126) {
    frame[2] = (uint8_t)(len >> 8);
    frame[3] = (uint8_t)len;
    h = 4;
  }
  memcpy(frame + h, mask, 4);
  h += 4;
  for (size_t i = 0; i < len; i++) frame[h + i] = ((const uint8_t *)data)[i] ^ mask[i & 3];
  io_send(&w->io, frame, h + len);
}

void ws_text(struct ws *w, const char *text, size_t len) { ws_send_frame(w, 1, text, len); }

/** Says goodbye. `wait`: the socket stays until the server has closed it (ws_lost), else it is closed at once. */
void ws_leave(struct ws *w, bool wait) {
  if (w->state == WS_DEAD) return;
  if (w->opening) {
    w->opening = false;
    w->g->opening--;
  }
  if (w->state >= WS_HELLO) ws_send_frame(w, 8, "\x03\xe8", 2);
  if (!wait || w->state < WS_HELLO) {
    ws_dead(w);
    return;
  }
  w->state = WS_CLOSING;
  w->g->closing++;
  if (w->io.paused) io_pause(&w->io, false); /* else its close would never be seen */
}
