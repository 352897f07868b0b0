/**
 * One HTTP/1.1 connection of a publisher: sends a request, recognizes the end of its answer (Content-Length, chunked, or the end of
 * the connection), and survives a server that closes between two requests.
 */
#include "loadgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MAX (64 * 1024)

struct answer { int status; bool close; };

/** Value of a header, or NULL. `head` ends at `end` with an empty line. */
static const char *field(const char *head, const char *end, const char *name) {
  size_t n = strlen(name);
  for (const char *l = head; l && l + 2 < end; l = memmem(l, (size_t)(end - l), "\r\n", 2)) {
    if (*l == '\r') l += 2;
    if (l + n < end && !strncasecmp(l, name, n) && l[n] == ':') {
      for (l += n + 1; *l == ' '; l++) continue;
      return l;
    }
  }
  return NULL;
}

/** 1: all chunks are there, 0: not yet, -1: malformed. */
static int chunks_done(const char *p, const char *end) {
  for (;;) {
    const char *nl = memmem(p, (size_t)(end - p), "\r\n", 2);
    if (!nl) return end - p > 32 ? -1 : 0;
    if (!isxdigit((uint8_t)*p)) return -1;
    unsigned long size = strtoul(p, NULL, 16);
    p = nl + 2;
    if (!size) return memmem(nl, (size_t)(end - nl), "\r\n\r\n", 4) ? 1 : 0; /* with or without trailers */
    if (size > ANSWER_MAX) return -1;
    if ((size_t)(end - p) < size + 2) return 0;
    p += size + 2;
  }
}

/** 1: complete, 0: not yet, -1: malformed. p is followed by a 0 byte. */
static int parse(const char *p, size_t n, bool eof, struct answer *a) {
  const char *end = p + n, *body;
  for (;;) {
    const char *empty = memmem(p, (size_t)(end - p), "\r\n\r\n", 4);
    if (!empty) return 0;
    body = empty + 4;
    if (body - p < 16 || memcmp(p, "HTTP/1.", 7)) return -1;
    a->status = atoi(p + 9);
    if (a->status < 100 || a->status > 599) return -1;
    if (a->status >= 200) break;
    p = body; /* 1xx: the real answer follows */
  }
  const char *connection = field(p, body, "connection");
  a->close = p[7] == '0' || (connection && !strncasecmp(connection, "close", 5));
  const char *length = field(p, body, "content-length"), *encoding = field(p, body, "transfer-encoding");
  if (encoding && !strncasecmp(encoding, "chunked", 7)) return chunks_done(body, end);
  if (a->status == 204 || a->status == 304) return 1;
  if (length) return (size_t)(end - body) >= strtoul(length, NULL, 10);
  a->close = true;
  return eof;
}

static void finish(struct hc *h, int status, bool close) {
  h->reslen = 0;
  h->busy = h->answering = false;
  h->reused = true;
  if (close || !h->p->keepalive) io_close(&h->io);
  publisher_answer(h, status);
}

/** Sends h->req, on a new connection if there is none. */
void hc_send(struct hc *h) {
  h->busy = true;
  h->answering = false;
  h->reslen = 0;
  if (h->io.fd < 0) {
    h->reused = false;
    if (io_open(&h->io, h->p->target, 0)) {
      h->busy = false;
      publisher_answer(h, 0);
      return;
    }
  }
  io_send(&h->io, h->req.text, h->req.len);
}

static void hc_closed(struct io *io, const char *why) {
  struct hc *h = (struct hc *)io;
  struct answer a;
  (void)why;
  if (h->busy && h->answering && parse(h->res, h->reslen, true, &a) == 1) {
    finish(h, a.status, true);
    return;
  }
  io_close(io);
  if (!h->busy) return; /* an idle keep-alive connection: the next request opens a new one */
  if (h->reused && !h->answering && h->tries++ < 5) {
    hc_send(h); /* the server closed it before it read the request */
    return;
  }
  h->busy = false;
  publisher_answer(h, 0);
}

static void hc_data(struct io *io, const uint8_t *p, size_t n) {
  struct hc *h = (struct hc *)io;
  struct answer a;
  if (!h->busy) { /* nobody asked */
    io_close(io);
    return;
  }
  if (!h->res) h->res = must(malloc(ANSWER_MAX + 1));
  size_t take = n < ANSWER_MAX - h->reslen ? n : ANSWER_MAX - h->reslen;
  memcpy(h->res + h->reslen, p, take);
  h->reslen += (uint32_t)take;
  h->res[h->reslen] = 0;
  h->answering = true;
  int done = parse(h->res, h->reslen, false, &a);
  if (done == 1) {
    finish(h, a.status, a.close);
  } else if (done < 0 || h->reslen == ANSWER_MAX) {
    finish(h, 0, true);
  }
}

const struct io_ops hc_ops = {hc_data, hc_closed};
