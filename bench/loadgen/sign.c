/**
 * Digests of the HTTP API and of private channels. The low-level OpenSSL functions are used on purpose, although they are deprecated:
 * the state after the padded secret is computed once per target and copied per signature, which EVP_MAC does several times slower.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "loadgen.h"

#include <openssl/md5.h>
#include <string.h>

static void hex(const uint8_t *d, size_t n, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    *out++ = digits[d[i] >> 4];
    *out++ = digits[d[i] & 15];
  }
  *out = 0;
}

void signer_init(struct signer *s, const char *secret) {
  uint8_t key[64] = {0}, pad[64];
  size_t n = strlen(secret);
  if (n > 64) SHA256((const uint8_t *)secret, n, key);
  else memcpy(key, secret, n);
  for (int i = 0; i < 64; i++) pad[i] = key[i] ^ 0x36;
  SHA256_Init(&s->inner);
  SHA256_Update(&s->inner, pad, 64);
  for (int i = 0; i < 64; i++) pad[i] = key[i] ^ 0x5c;
  SHA256_Init(&s->outer);
  SHA256_Update(&s->outer, pad, 64);
}

void signer_hex(const struct signer *s, const void *data, size_t len, char out[65]) {
  uint8_t d[32];
  SHA256_CTX c = s->inner;
  SHA256_Update(&c, data, len);
  SHA256_Final(d, &c);
  c = s->outer;
  SHA256_Update(&c, d, 32);
  SHA256_Final(d, &c);
  hex(d, 32, out);
}

void md5_hex(const void *data, size_t len, char out[33]) {
  uint8_t d[16];
  MD5(data, len, d);
  hex(d, 16, out);
}
