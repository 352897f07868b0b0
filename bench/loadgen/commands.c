/** The commands of PROTOCOL.md except `run` and the publishers. */
#include "loadgen.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CONNECT_TIMEOUT (30 * SECOND)

struct group *groups;
static const struct target *target;

const struct target *target_current(void) { return target; }

struct group *group_find(struct args *a, const char *key) {
  const char *name = arg_str(a, key, NULL);
  for (struct group *g = groups; g; g = g->next)
    if (!strcmp(g->name, name)) return g;
  fail(a, "no group %.60s", name);
  return NULL;
}

static void pids(struct args *a, struct target *t) {
  char list[200], *save = NULL;
  snprintf(list, sizeof list, "%s", arg_str(a, "pid", "0"));
  for (char *s = strtok_r(list, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
    if (t->npids == MAX_PIDS || strspn(s, "0123456789") != strlen(s)) fail(a, "bad pid");
    else if (atoi(s) > 0) t->pids[t->npids++] = atoi(s);
  }
}

static void text(struct args *a, const char *key, char *to, size_t size) {
  const char *s = arg_str(a, key, NULL);
  if (strlen(s) >= size) fail(a, "%s is too long", key);
  snprintf(to, size, "%s", s);
}

/** Targets are never freed: groups and publishers keep the one they were made with. */
static void target_command(struct args *a) {
  struct target *t = must(calloc(1, sizeof *t));
  text(a, "host", t->host, sizeof t->host);
  text(a, "app", t->app, sizeof t->app);
  text(a, "key", t->key, sizeof t->key);
  t->port = (int)arg_num(a, "port", NAN, 1, 65535);
  signer_init(&t->signer, arg_str(a, "secret", NULL));
  t->tls = arg_num(a, "tls", 0, 0, 1) != 0;
  t->deflate = arg_num(a, "deflate", 0, 0, 1) != 0;
  pids(a, t);
  if (!strcmp(t->host, "::1")) {
    struct sockaddr_in6 s = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)t->port), .sin6_addr = in6addr_loopback};
    memcpy(&t->addr, &s, t->addrlen = sizeof s);
    snprintf(t->host, sizeof t->host, "[::1]");
  } else if (!strcmp(t->host, "127.0.0.1") || !strcmp(t->host, "localhost")) {
    struct sockaddr_in s = {.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(&t->addr, &s, t->addrlen = sizeof s);
  } else {
    fail(a, "load goes to loopback only: host is 127.0.0.1, ::1 or localhost");
  }
  if (!args_ok(a)) {
    free(t);
    return;
  }
  target = t;
  printf("{\"ok\":true}\n");
}

static void group_free(struct group *g) {
  for (uint32_t i = 0; g->ws && i < g->count; i++) {
    ws_leave(&g->ws[i], false);
    free(g->ws[i].cap);
  }
  for (uint32_t k = 0; g->patterns && k < g->k; k++) free(g->patterns[k]);
  free(g->patterns);
  free(g->ws);
  free(g->subs);
  free(g);
}

/** Takes the channel names apart and gives every socket its subscriptions. */
static void subscriptions(struct args *a, struct group *g, const char *list) {
  char *copy = must(strdup(list)), *save = NULL, name[256];
  size_t most = 1;
  for (char *c = copy; *c; c++) most += *c == ',';
  g->patterns = must(calloc(most, sizeof *g->patterns));
  for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) g->patterns[g->k++] = must(strdup(s));
  free(copy);
  g->ws = must(calloc(g->count, sizeof *g->ws));
  g->subs = must(calloc((size_t)g->count * (g->k + 1), sizeof *g->subs));
  for (uint32_t i = 0; i < g->count; i++) {
    struct ws *w = &g->ws[i];
    w->io = (struct io){.ops = &ws_ops, .fd = -1};
    w->g = g;
    w->index = i;
    w->subs = g->subs + (size_t)i * g->k;
    for (uint32_t k = 0; k < g->k && !a->error[0]; k++) {
      const char *error = channel_expand(name, g->patterns[k], i);
      w->subs[k].channel = error ? NO_CHANNEL : channel_id(name);
      if (w->subs[k].channel == NO_CHANNEL) fail(a, "%s", error ? error : "too many channels");
    }
  }
}

/** Says beforehand that the sockets will not fit; some files are kept for HTTP connections and /proc. */
static void check_files(struct args *a, const struct group *g) {
  struct rlimit files;
  rlim_t open = (rlim_t)g->count + 128;
  for (struct group *other = groups; other; other = other->next) open += other->count;
  if (!getrlimit(RLIMIT_NOFILE, &files) && open > files.rlim_cur)
    fail(a, "too many open files: %lu are needed, ulimit -n is %lu", (unsigned long)open, (unsigned long)files.rlim_cur);
}

static void connect_command(struct args *a) {
  struct group *g = must(calloc(1, sizeof *g));
  snprintf(g->name, sizeof g->name, "%s", arg_name(a, "group"));
  g->count = (uint32_t)arg_num(a, "count", NAN, 1, MAX_CHANNELS);
  uint32_t inflight = (uint32_t)arg_num(a, "inflight", 64, 1, 10000), next = 0, done = 0;
  g->rcvbuf = (int)arg_num(a, "rcvbuf", 0, 0, 1 << 30);
  const char *list = arg_str(a, "channel", ",");
  g->target = target;
  if (!target) fail(a, "no target");
  for (struct group *other = groups; other; other = other->next)
    if (!strcmp(other->name, g->name)) fail(a, "group %s exists", g->name);
  check_files(a, g);
  if (args_ok(a)) subscriptions(a, g, list);
  if (a->error[0]) {
    group_free(g);
    return;
  }
  struct group **last = &groups;
  while (*last) last = &(*last)->next;
  *last = g;
  struct sample from, to;
  stats_sample(&from);
  int64_t progress = now_ns;
  while (next < g->count || g->opening) {
    while (next < g->count && g->opening < inflight) ws_start(&g->ws[next++]);
    if (!g->opening) continue; /* all failed at once */
    loop_once(SECOND / 10);
    if (done != g->connected + g->failed) progress = now_ns;
    done = g->connected + g->failed;
    if (now_ns - progress < CONNECT_TIMEOUT) continue;
    for (uint32_t i = 0; i < next; i++)
      if (g->ws[i].opening) ws_abort(&g->ws[i], "no answer for 30 s", NULL, 0);
    progress = now_ns;
  }
  stats_sample(&to);
  double wall = (double)(to.at - from.at);
  printf("{\"ok\":true,\"connected\":%u,\"failed\":%u,\"seconds\":%.6f,\"serverCpuSeconds\":%.6f,\"loadgenCpuShare\":%.4f,\"deflated\":%u",
         g->connected, g->failed, wall / 1e9, (double)(to.server - from.server) / 1e9, (double)(to.self - from.self) / (wall + 1), g->deflated);
  if (g->failed) {
    printf(",\"firstError\":");
    fputc('"', stdout);
    for (const char *c = g->error; *c; c++) printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    fputc('"', stdout);
  }
  printf("}\n");
}

static void pause_command(struct args *a, bool paused) {
  struct group *g = group_find(a, "group");
  if (!args_ok(a)) return;
  for (uint32_t i = 0; i < g->count; i++)
    if (g->ws[i].state != WS_DEAD) io_pause(&g->ws[i].io, paused);
  printf("{\"ok\":true}\n");
}
static void stall_command(struct args *a) { pause_command(a, true); }
static void resume_command(struct args *a) { pause_command(a, false); }

static void drop_command(struct args *a) {
  struct group *g = group_find(a, "group");
  for (struct publisher *p = publishers; p; p = p->next)
    if (g && p->group == g) fail(a, "publisher %s still uses the group", p->name);
  if (!args_ok(a)) return;
  int64_t before = server_ns(target), start = clock_now();
  uint32_t open = 0;
  for (uint32_t i = 0; i < g->count; i++) {
    open += g->ws[i].state != WS_DEAD;
    ws_leave(&g->ws[i], true);
  }
  while (g->closing && clock_now() - start < 2 * SECOND) loop_once(SECOND / 50);
  uint32_t unanswered = g->closing;
  struct group **at = &groups;
  while (*at != g) at = &(*at)->next;
  *at = g->next;
  group_free(g);
  printf("{\"ok\":true,\"dropped\":%u,\"unanswered\":%u,\"seconds\":%.6f,\"serverCpuSeconds\":%.6f}\n", open, unanswered,
         (double)(clock_now() - start) / 1e9, (double)(server_ns(target) - before) / 1e9);
}

static void rss_command(struct args *a) {
  int64_t rss, pss;
  if (!args_ok(a)) return;
  if (!target || !rss_read(target, &rss, &pss)) fail(a, "cannot read the memory of pid");
  else printf("{\"ok\":true,\"rssBytes\":%lld,\"pssBytes\":%lld}\n", (long long)rss, (long long)pss);
}

static void cpu_command(struct args *a) {
  if (!args_ok(a)) return;
  int64_t ns = server_ns(target);
  if (!ns) fail(a, "cannot read the CPU time of pid");
  else printf("{\"ok\":true,\"serverCpuSeconds\":%.6f}\n", (double)ns / 1e9);
}

/** All kinds of publishers: checks that the name is new, makes it, answers. */
static void publisher_command(struct args *a, int mode) {
  const char *name = arg_name(a, "name");
  for (struct publisher *p = publishers; p; p = p->next)
    if (!strcmp(p->name, name)) fail(a, "publisher %s exists", name);
  if (a->error[0]) return;
  if (mode < 0) publisher_make(a);
  else actor_make(a, (enum mode)mode);
  if (!a->error[0]) printf("{\"ok\":true}\n");
}
static void http_command(struct args *a) { publisher_command(a, -1); }
static void clients_command(struct args *a) { publisher_command(a, MODE_CLIENTS); }
static void churn_command(struct args *a) { publisher_command(a, MODE_CHURN); }
static void reconnect_command(struct args *a) { publisher_command(a, MODE_RECONNECT); }

void commands_execute(char *line) {
  static const struct { const char *verb; void (*run)(struct args *); } table[] = {
      {"target", target_command}, {"connect", connect_command}, {"publisher", http_command},     {"clients", clients_command},
      {"churn", churn_command},   {"stall", stall_command},     {"resume", resume_command},      {"reconnect", reconnect_command},
      {"run", run_command},       {"rss", rss_command},         {"cpu", cpu_command},            {"drop", drop_command},
  };
  struct args a;
  line += strspn(line, " \t\r");
  if (!*line) return;
  char *rest = line + strcspn(line, " \t\r");
  if (*rest) *rest++ = 0;
  args_parse(&a, rest);
  size_t i = 0, n = sizeof table / sizeof *table;
  while (i < n && strcmp(table[i].verb, line)) i++;
  if (i == n) fail(&a, "unknown command %.60s", line);
  if (!a.error[0]) table[i].run(&a);
  if (a.error[0]) print_error(a.error);
  fflush(stdout);
}
