/**
 * Splits what was read into frames, looking at headers only. A frame that lies entirely in the buffer costs a few instructions; one
 * that is split over reads leaves its remaining length (and a partial header) in the socket. Payloads are kept only when somebody
 * needs them: control frames, handshakes, and groups whose payloads are looked at in this run.
 */
#include "loadgen.h"

#include <stdlib.h>
#include <string.h>

/** A whole frame; of its payload the first n bytes are at p. */
static void frame(struct ws *w, const uint8_t *p, size_t n) {
  switch (w->b0 & 15) {
    case 1:
      if (w->state != WS_CLOSING) proto_text(w, w->b0 & 0x40, p, n);
      break;
    case 8:
      if (n >= 2 && w->state != WS_CLOSING) w->g->close_code = (uint32_t)(p[0] << 8 | p[1]);
      if (w->state != WS_CLOSING) ws_send_frame(w, 8, p, n < 2 ? 0 : 2);
      ws_abort(w, "closed by the server, code and reason: ", (const char *)p + (n < 2 ? n : 2), n < 2 ? 0 : n - 2);
      break;
    case 9:
      if (w->state != WS_CLOSING) ws_send_frame(w, 10, p, n);
      io_ack_at_read(&w->io);
      break;
    default: /* pong; binary frames and continuations are no events */
      break;
  }
}

static bool wants_payload(const struct ws *w, uint8_t b0) {
  return (b0 & 8) || ((b0 & 15) == 1 && (w->state != WS_LIVE || w->g->look));
}

/** Reads a header from p, or adds one byte to the collected one. Returns the bytes it took; *ready when b0 and len are known. */
static size_t header(struct ws *w, const uint8_t *p, size_t n, bool *ready) {
  const uint8_t *h = p;
  size_t have = n, took = 0;
  if (w->hlen || n < 10) {
    w->hdr[w->hlen++] = *p;
    h = w->hdr;
    have = w->hlen;
    took = 1;
  }
  *ready = false;
  if (have < 2) return took;
  uint8_t short_len = h[1] & 127;
  size_t need = short_len < 126 ? 2 : short_len == 126 ? 4 : 10;
  if (have < need) return took;
  w->b0 = h[0];
  w->len = short_len;
  if (need > 2) {
    w->len = 0;
    for (size_t i = 2; i < need; i++) w->len = w->len << 8 | h[i];
  }
  *ready = true;
  if (took) w->hlen = 0;
  return took ? took : need;
}

void frames_data(struct ws *w, const uint8_t *p, size_t n) {
  const uint8_t *end = p + n;
  uint32_t events = 0, gen = w->io.gen;
  const uint32_t min_len = run.min_len;
  while (p < end) {
    size_t have = (size_t)(end - p);
    if (w->skip) { /* the rest of a split frame */
      size_t take = have < w->skip ? have : (size_t)w->skip;
      if (w->capturing && w->caplen < CAPTURE) {
        size_t keep = take < CAPTURE - w->caplen ? take : CAPTURE - w->caplen;
        memcpy(w->cap + w->caplen, p, keep);
        w->caplen += (uint32_t)keep;
      }
      p += take;
      w->skip -= take;
      if (w->skip) break;
      if (w->capturing) {
        w->capturing = false;
        frame(w, w->cap, w->caplen);
        if (w->io.gen != gen) return;
        if (w->state == WS_LIVE && !w->g->look) {
          free(w->cap);
          w->cap = NULL;
        }
      } else if ((w->b0 & 15) == 1) {
        events += w->len >= min_len || (w->b0 & 0x40);
      }
      continue;
    }
    /* The common case, spelt out because it decides the ceiling: a whole text frame of which nobody wants the payload. */
    if (!w->hlen && have >= 4 && (p[0] & 15) == 1 && w->state == WS_LIVE && !w->g->look && p[1] < 127) {
      size_t h = p[1] < 126 ? 2 : 4, len = p[1] < 126 ? p[1] : (size_t)(p[2] << 8 | p[3]);
      if (have >= h + len) {
        events += len >= min_len || (p[0] & 0x40);
        p += h + len;
        continue;
      }
    }
    bool ready;
    p += header(w, p, have, &ready);
    if (!ready) continue;
    have = (size_t)(end - p);
    w->capturing = wants_payload(w, w->b0);
    if (have < w->len) {
      w->skip = w->len;
      w->caplen = 0;
      if (w->capturing) w->cap = must(realloc(w->cap, CAPTURE));
    } else if (w->capturing) {
      size_t len = (size_t)w->len;
      w->capturing = false;
      frame(w, p, len);
      if (w->io.gen != gen) return;
      p += len;
    } else {
      if ((w->b0 & 15) == 1) events += w->len >= min_len || (w->b0 & 0x40);
      p += w->len;
    }
  }
  if (events) count_frames(w, events);
}
