/** What the files of the load generator share. One thread, one epoll set: global state needs no locks. */
#ifndef LOADGEN_H
#define LOADGEN_H

#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define SECOND 1000000000LL
#define NEVER INT64_MAX

/* ---- histogram.c: log buckets, 64 per octave, so a value is off by < 0.8 % ---- */
#define HIST_BUCKETS (37 * 64 + 64)
struct hist {
  uint64_t count, n[HIST_BUCKETS];
  int64_t max;
};
void hist_add(struct hist *h, int64_t ns);
void hist_merge(struct hist *into, const struct hist *from);
void hist_json(FILE *f, const struct hist *h);

/* ---- args.c ---- */
#define MAX_ARGS 24
struct args {
  int n;
  char *key[MAX_ARGS], *value[MAX_ARGS];
  bool used[MAX_ARGS];
  char error[240];
};
void args_parse(struct args *a, char *rest);
const char *arg_str(struct args *a, const char *key, const char *fallback); /* NULL fallback: required */
const char *arg_name(struct args *a, const char *key);
double arg_num(struct args *a, const char *key, double fallback, double min, double max); /* NAN fallback: required */
bool args_ok(struct args *a);
void fail(struct args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- sign.c ---- */
struct signer { SHA256_CTX inner, outer; };
void signer_init(struct signer *s, const char *secret);
void signer_hex(const struct signer *s, const void *data, size_t len, char hex[65]);
void md5_hex(const void *data, size_t len, char hex[33]);

/* ---- the server under load ---- */
#define MAX_PIDS 16
struct target {
  char host[48], app[128], key[128];
  int port, npids, pids[MAX_PIDS];
  bool tls, deflate;
  struct sockaddr_storage addr;
  socklen_t addrlen;
  struct signer signer;
};

/* ---- io.c, tls.c: one non-blocking socket, with or without TLS ---- */
struct io;
struct io_ops {
  void (*data)(struct io *io, const uint8_t *p, size_t n);
  void (*closed)(struct io *io, const char *why); /* the peer closed, or an error; the owner calls io_close */
};
struct io {
  const struct io_ops *ops;
  int fd;           /* -1: closed */
  uint32_t events;  /* what epoll watches now */
  uint32_t gen;     /* counts io_open/io_close: tells a reader that its socket was replaced under it */
  bool connecting, blocked, paused;
  SSL *ssl;
  uint8_t *out;     /* what the kernel did not take yet */
  uint32_t outlen, outcap;
};
extern uint64_t io_reads, io_bytes;
const char *io_open(struct io *io, const struct target *t, int rcvbuf); /* NULL or an error */
void io_close(struct io *io);
void io_send(struct io *io, const void *data, size_t len);
void io_pause(struct io *io, bool paused);
void io_ack_at_read(struct io *io);
void io_event(struct io *io, uint32_t events);
void io_watch(struct io *io);
const char *tls_open(struct io *io);
const char *tls_read(struct io *io, const uint8_t *p, size_t n); /* decrypts p and hands it to ops->data */
void tls_flush(struct io *io);

/* ---- loop.c ---- */
extern int loop_fd;
extern int64_t now_ns; /* read after each read(2) */
extern const struct io_ops stdin_ops;
int64_t clock_now(void);
void loop_init(void);
void loop_once(int64_t timeout_ns);

/* ---- channel.c: the published events of each channel ---- */
#define EV_MEASURED 1
#define EV_REJECTED 2
#define EV_TIME(e) ((e) >> 2)
struct channel {
  char *name;
  int64_t *log; /* per event: intended time since the start of the run << 2 | flags */
  uint32_t count, cap, rejected, warm; /* warm: events before the measured part that were not rejected */
};
#define MAX_CHANNELS 999999
#define NO_CHANNEL UINT32_MAX
extern struct channel *channels;
uint32_t channel_id(const char *name);
const char *channel_expand(char out[256], const char *pattern, unsigned i);
uint32_t channel_publish(struct channel *c, int64_t when, bool measured);
void channel_reject(struct channel *c, uint32_t index);
void channels_reset(void);

/* ---- groups of sockets: ws.c, frames.c, proto.c, count.c ---- */
enum sub_state { SUB_OUT, SUB_PENDING, SUB_IN };
struct sub {
  uint32_t channel;
  uint32_t cur;  /* events of the channel up to which the socket has been served */
  uint32_t from; /* events before this one were published before the subscription: not expected */
  uint32_t got;  /* measured events since `from` (only when payloads are looked at) */
  uint32_t state;
};
enum ws_state { WS_DEAD, WS_UPGRADE, WS_HELLO, WS_SUBSCRIBING, WS_LIVE, WS_CLOSING };
struct group;
struct ws {
  struct io io; /* first: an io * of a socket is its ws * */
  struct group *g;
  struct sub *subs;
  uint64_t skip, len; /* of the frame being read: payload bytes still to come, all of them */
  uint8_t *cap;       /* the first bytes of that payload, when somebody wants to read them */
  uint32_t caplen, index, frames;
  uint8_t state, b0, hlen, hdr[14];
  bool opening, capturing, in_run;
  char socket_id[40];
  uint32_t extra_expected, extra_got; /* of subscriptions that ended during the run */
  int64_t hole;                       /* when an event was last skipped */
  int64_t client_sent;                /* clients mode */
  uint32_t client_seq, client_left;
  bool client_measured;
};
struct group {
  struct group *next;
  char name[64], error[200];
  const struct target *target;
  uint32_t count, k, opening, connected, failed, deflated, closing;
  char **patterns; /* the k channel names, with %d */
  struct ws *ws;
  struct sub *subs;
  int rcvbuf;
  bool ignored, look, clients; /* look: payloads are read in this run */
  uint32_t closed, close_code;
  uint64_t frames, client_expected, client_delivered;
  struct hist hist;
};
extern struct group *groups;
extern const struct io_ops ws_ops;
void ws_start(struct ws *w);
void ws_abort(struct ws *w, const char *why, const char *detail, size_t n);
void ws_text(struct ws *w, const char *text, size_t len);
void ws_send_frame(struct ws *w, uint8_t opcode, const void *data, size_t len);
void ws_leave(struct ws *w, bool wait);
void ws_live(struct ws *w);
void ws_lost(struct ws *w, const char *why);
void frames_data(struct ws *w, const uint8_t *p, size_t n);
#define CAPTURE 1024
void proto_text(struct ws *w, bool compressed, const uint8_t *p, size_t n);
void proto_subscribe(struct ws *w, uint32_t k);
void proto_unsubscribe(struct ws *w, uint32_t k);
#define MARKER 16 /* bytes of the marker a `data` starts with: 8 digits index, '.', 6 digits channel, '@' (or '#': client event) */
void count_frames(struct ws *w, uint32_t n);
void count_event(struct ws *w, uint32_t index, uint32_t channel);
void count_subscribed(struct ws *w, struct sub *s);
void count_unsubscribed(struct ws *w, struct sub *s);
bool count_pending(const struct ws *w);
void count_finish(const struct ws *w, uint64_t *expected, uint64_t *delivered);

/* ---- publishers: http.c, request.c, publisher.c, actors.c ---- */
struct publisher;
struct request {
  char *text;
  uint32_t len, cap, events;
  struct { uint32_t channel, index; } ev[100];
  int64_t t0; /* intended (open) or actual (closed) time since the start of the run */
  bool measured;
};
struct hc { /* one HTTP connection */
  struct io io;
  struct publisher *p;
  struct request req;
  char *res;
  uint32_t reslen, tries;
  bool busy, reused, answering;
};
enum mode { MODE_OPEN, MODE_CLOSED, MODE_CLIENTS, MODE_CHURN, MODE_RECONNECT };
struct publisher {
  struct publisher *next;
  char name[64];
  enum mode mode;
  const struct target *target;
  struct group *group;
  double rate;
  uint32_t bytes, batch, conns, nchannels, fails, sub;
  bool keepalive;
  uint32_t *channels;
  uint64_t k, due; /* started, and to be started in all (open, churn, reconnect) */
  uint64_t next_channel;
  char *filler;
  struct hc *hc, **idle;
  uint32_t nidle;
};
extern struct publisher *publishers;
extern const struct io_ops hc_ops;
void hc_send(struct hc *h);
void request_build(struct publisher *p, struct request *r);
void publisher_make(struct args *a);
void publisher_begin(struct publisher *p);
int64_t publisher_tick(struct publisher *p, int64_t t); /* when it wants to be called again */
void publisher_answer(struct hc *h, int status);        /* status 0: no answer */
void publisher_add(struct publisher *p);
void publisher_free(struct publisher *p);
void actor_make(struct args *a, enum mode mode);
void actor_begin(struct publisher *p);
int64_t actor_tick(struct publisher *p, int64_t t);
void actor_settle(struct publisher *p);
void client_received(struct ws *w, uint32_t seq, uint32_t sender);
void client_refused(struct ws *w);

/* ---- run.c, report.c, stats.c, commands.c, main.c ---- */
struct run {
  bool active, stopping;
  int64_t start, warm, end; /* start: clock; the others: since the start */
  uint32_t min_len;         /* a text frame with less payload is no event */
  int64_t last;             /* of the last measured delivery or answer */
  uint64_t published, answered, rejected, unsent, busy;
  uint64_t statuses[600];
  struct hist answer;
};
extern struct run run;
struct sample { int64_t at, server, self; uint64_t bytes, reads, timeouts, drops; };
int64_t run_now(void);
void run_command(struct args *a);
void report_run(const struct sample *from, const struct sample *to);
const struct target *target_current(void);
struct group *group_find(struct args *a, const char *key);
void commands_execute(char *line);
void stats_sample(struct sample *s);
int64_t server_ns(const struct target *t);
int64_t self_ns(void);
bool rss_read(const struct target *t, int64_t *rss, int64_t *pss);
void *must(void *allocated);
void print_error(const char *text);
#endif
