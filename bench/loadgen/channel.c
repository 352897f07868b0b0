/**
 * The channels and, for each, the log of the events published to it in this run: the intended send time of the n-th event and two
 * flags. A delivery finds its latency there by its position, so no payload has to be read. 8 bytes per event.
 */
#include "loadgen.h"

#include <stdlib.h>
#include <string.h>

struct channel *channels;
static uint32_t nchannels, table_size, *table; /* open addressing; an entry is id + 1 */

static uint32_t hash(const char *s) {
  uint32_t h = 2166136261u;
  for (; *s; s++) h = (h ^ (uint8_t)*s) * 16777619u;
  return h;
}

static uint32_t *slot(const char *name) {
  uint32_t i = hash(name) & (table_size - 1);
  while (table[i] && strcmp(channels[table[i] - 1].name, name)) i = (i + 1) & (table_size - 1);
  return &table[i];
}

uint32_t channel_id(const char *name) {
  if (nchannels * 2 >= table_size) {
    free(table);
    table_size = table_size ? table_size * 2 : 1024;
    table = must(calloc(table_size, sizeof *table));
    channels = must(realloc(channels, table_size * sizeof *channels));
    for (uint32_t i = 0; i < nchannels; i++) *slot(channels[i].name) = i + 1;
  }
  uint32_t *s = slot(name);
  if (!*s) {
    if (nchannels == MAX_CHANNELS) return NO_CHANNEL;
    channels[nchannels] = (struct channel){.name = must(strdup(name))};
    *s = ++nchannels;
  }
  return *s - 1;
}

/** Replaces %d. Returns an error or NULL. Names are checked because they go into JSON as they are. */
const char *channel_expand(char out[256], const char *pattern, unsigned i) {
  size_t n = 0;
  for (const char *c = pattern; *c; c++) {
    if (n > 230) return "channel name too long";
    if (c[0] == '%' && c[1] == 'd') {
      n += (size_t)sprintf(out + n, "%u", i);
      c++;
    } else if (strchr("%\"\\,", *c) || *c <= ' ' || *c > '~') {
      return "bad character in a channel name";
    } else {
      out[n++] = *c;
    }
  }
  out[n] = 0;
  return n ? NULL : "empty channel name";
}

uint32_t channel_publish(struct channel *c, int64_t when, bool measured) {
  if (c->count == c->cap) {
    c->cap = c->cap ? c->cap * 2 : 64;
    c->log = must(realloc(c->log, c->cap * sizeof *c->log));
  }
  c->log[c->count] = (when << 2) | (measured ? EV_MEASURED : 0);
  if (!measured) c->warm++;
  return c->count++;
}

/** The server refused the event: nobody gets it, and it takes no place in the order of deliveries. */
void channel_reject(struct channel *c, uint32_t index) {
  if (c->log[index] & EV_REJECTED) return;
  c->log[index] |= EV_REJECTED;
  c->rejected++;
  if (!(c->log[index] & EV_MEASURED)) c->warm--;
}

void channels_reset(void) {
  for (uint32_t i = 0; i < nchannels; i++) {
    struct channel *c = &channels[i];
    if (c->cap > 4096) { /* a long run must not leave its memory to the next ones */
      free(c->log);
      c->log = NULL;
      c->cap = 0;
    }
    c->count = c->rejected = c->warm = 0;
  }
}
