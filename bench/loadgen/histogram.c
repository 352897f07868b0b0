/**
 * Latency histogram with logarithmic buckets: values below 64 ns are exact, above that each octave has 64 buckets, and a bucket is
 * reported by its middle, so the relative error stays below 0.8 %.
 */
#include "loadgen.h"

void hist_add(struct hist *h, int64_t ns) {
  uint64_t v = ns < 0 ? 0 : (uint64_t)ns;
  uint32_t i = (uint32_t)v;
  if (v >= 64) {
    int shift = 63 - __builtin_clzll(v) - 6;
    i = (uint32_t)shift * 64 + (uint32_t)(v >> shift);
    if (i >= HIST_BUCKETS || shift > 36) i = HIST_BUCKETS - 1;
  }
  h->n[i]++;
  h->count++;
  if ((int64_t)v > h->max) h->max = (int64_t)v;
}

void hist_merge(struct hist *into, const struct hist *from) {
  if (!from->count) return;
  for (int i = 0; i < HIST_BUCKETS; i++) into->n[i] += from->n[i];
  into->count += from->count;
  if (from->max > into->max) into->max = from->max;
}

static double middle(uint32_t i) {
  if (i < 128) return i;
  uint32_t shift = i / 64 - 1;
  return ((double)(i - shift * 64) + 0.5) * (double)(1ULL << shift);
}

static double percentile(const struct hist *h, double share) {
  uint64_t rank = (uint64_t)(share * (double)h->count), seen = 0;
  if (rank >= h->count) rank = h->count - 1;
  for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
    seen += h->n[i];
    if (seen > rank) return middle(i) < (double)h->max ? middle(i) : (double)h->max;
  }
  return (double)h->max;
}

/** `null`s when nothing was recorded: a zero would look like a wonderful server. */
void hist_json(FILE *f, const struct hist *h) {
  if (!h->count) {
    fputs("{\"p50\":null,\"p99\":null,\"p999\":null,\"max\":null}", f);
    return;
  }
  fprintf(f, "{\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f}", percentile(h, 0.5) / 1e6, percentile(h, 0.99) / 1e6,
          percentile(h, 0.999) / 1e6, (double)h->max / 1e6);
}
