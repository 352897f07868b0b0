/** The answer to `run`. */
#include "loadgen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct sum { uint64_t expected, delivered, extra; };

static struct sum group_sum(const struct group *g) {
  struct sum s = {g->client_expected, g->client_delivered, 0};
  for (uint32_t i = 0; i < g->count; i++) {
    uint64_t e, d, all = 0;
    const struct ws *w = &g->ws[i];
    count_finish(w, &e, &d);
    s.expected += e;
    s.delivered += d;
    for (uint32_t k = 0; k < g->k; k++) all += channels[w->subs[k].channel].count - channels[w->subs[k].channel].rejected;
    if (w->in_run && !g->look && !g->ignored && w->frames > all) s.extra += w->frames - all;
  }
  return s;
}

static void group_json(const struct group *g, const struct sum *s) {
  uint32_t live = 0;
  for (uint32_t i = 0; i < g->count; i++) live += g->ws[i].state == WS_LIVE;
  printf("\"%s\":{\"expected\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"closed\":%u,\"open\":%u,\"frames\":%" PRIu64
         ",\"ignored\":%s,",
         g->name, s->expected, s->delivered, s->expected - s->delivered, g->closed, live, g->frames, g->ignored ? "true" : "false");
  if (g->closed) printf("\"closeCode\":%u,", g->close_code);
  printf("\"latencyMs\":");
  hist_json(stdout, &g->hist);
  putchar('}');
}

void report_run(const struct sample *from, const struct sample *to) {
  struct hist *all = must(calloc(1, sizeof *all));
  struct sum total = {0, 0, 0};
  uint64_t closed = 0;
  int64_t last = run.last > run.end ? run.last : run.end;
  for (struct group *g = groups; g; g = g->next) {
    if (g->ignored) continue;
    struct sum s = group_sum(g);
    total.expected += s.expected;
    total.delivered += s.delivered;
    total.extra += s.extra;
    closed += g->closed;
    hist_merge(all, &g->hist);
  }
  double wall = (double)(to->at - from->at);
  printf("{\"ok\":true,\"seconds\":%.6f,\"serverCpuSeconds\":%.6f,\"loadgenCpuShare\":%.4f,", (double)(last - run.warm) / 1e9,
         (double)(to->server - from->server) / 1e9, wall > 0 ? (double)(to->self - from->self) / wall : 0);
  printf("\"published\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"unsent\":%" PRIu64 ",\"statuses\":{", run.published,
         run.answered, run.rejected, run.unsent);
  const char *comma = "";
  for (int i = 0; i < 600; i++) {
    if (!run.statuses[i]) continue;
    printf("%s\"%d\":%" PRIu64, comma, i, run.statuses[i]);
    comma = ",";
  }
  printf("},\"answerMs\":");
  hist_json(stdout, &run.answer);
  printf(",\"expected\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"extra\":%" PRIu64 ",\"latencyMs\":", total.expected,
         total.delivered, total.expected - total.delivered, total.extra);
  hist_json(stdout, all);
  printf(",\"tcpTimeouts\":%" PRIu64 ",\"queueDrops\":%" PRIu64, to->timeouts - from->timeouts, to->drops - from->drops);
  printf(",\"bytesIn\":%" PRIu64 ",\"reads\":%" PRIu64 ",\"closed\":%" PRIu64 ",\"groups\":{", to->bytes - from->bytes, to->reads - from->reads,
         closed);
  comma = "";
  for (struct group *g = groups; g; g = g->next) {
    struct sum s = g->ignored ? (struct sum){0, 0, 0} : group_sum(g);
    printf("%s", comma);
    group_json(g, &s);
    comma = ",";
  }
  printf("}}\n");
  free(all);
}
