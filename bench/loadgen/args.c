/**
 * `key=value` arguments of a command. Every getter notes that its key was used, so that a misspelt key is an error and not a default;
 * the first error wins and is answered.
 */
#include "loadgen.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void fail(struct args *a, const char *format, ...) {
  if (a->error[0]) return;
  va_list v;
  va_start(v, format);
  vsnprintf(a->error, sizeof a->error, format, v);
  va_end(v);
}

void args_parse(struct args *a, char *rest) {
  memset(a, 0, sizeof *a);
  char *save = NULL;
  for (char *word = strtok_r(rest, " \t\r", &save); word; word = strtok_r(NULL, " \t\r", &save)) {
    char *eq = strchr(word, '=');
    if (!eq || eq == word) {
      fail(a, "not key=value: %.60s", word);
      return;
    }
    if (a->n == MAX_ARGS) {
      fail(a, "too many arguments");
      return;
    }
    *eq = 0;
    for (int i = 0; i < a->n; i++)
      if (!strcmp(a->key[i], word)) fail(a, "%.60s is given twice", word);
    a->key[a->n] = word;
    a->value[a->n++] = eq + 1;
  }
}

const char *arg_str(struct args *a, const char *key, const char *fallback) {
  for (int i = 0; i < a->n; i++) {
    if (strcmp(a->key[i], key)) continue;
    a->used[i] = true;
    if (!*a->value[i]) fail(a, "%s is empty", key);
    return a->value[i];
  }
  if (!fallback) fail(a, "%s is missing", key);
  return fallback ? fallback : "";
}

/** Names of groups and publishers go into JSON as they are. */
const char *arg_name(struct args *a, const char *key) {
  const char *s = arg_str(a, key, NULL);
  if (strlen(s) > 63) fail(a, "%s is too long", key);
  for (const char *c = s; *c; c++)
    if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", *c)) fail(a, "%s may hold A-Z a-z 0-9 _ . - only", key);
  return s;
}

double arg_num(struct args *a, const char *key, double fallback, double min, double max) {
  bool given = false;
  for (int i = 0; i < a->n; i++) given |= !strcmp(a->key[i], key);
  if (!given && !isnan(fallback)) return fallback;
  const char *s = arg_str(a, key, NULL);
  char *end;
  double v = strtod(s, &end);
  if (*s && (*end || !isfinite(v))) fail(a, "%s is not a number: %.40s", key, s);
  else if (*s && (v < min || v > max)) fail(a, "%s must be between %g and %g", key, min, max);
  return isfinite(v) && v >= min && v <= max ? v : min;
}

bool args_ok(struct args *a) {
  for (int i = 0; i < a->n; i++)
    if (!a->used[i]) fail(a, "unknown argument %.60s", a->key[i]);
  return !a->error[0];
}
