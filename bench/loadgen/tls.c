/**
 * TLS over a socket that io.c reads: OpenSSL gets its input from the buffer of the one read(2) through a BIO of our own, so that a
 * record costs no two system calls, and writes straight to the socket. Certificates are not verified: the target is loopback.
 */
#include "loadgen.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static SSL_CTX *context;
static BIO_METHOD *method;
static struct { struct io *io; const uint8_t *p; size_t n; } input; /* the bytes being decrypted now */

static int bio_read(BIO *b, char *out, int len) {
  struct io *io = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  if (input.io != io || !input.n) { /* also when a write of another socket's handler wants input */
    BIO_set_retry_read(b);
    return -1;
  }
  size_t n = (size_t)len < input.n ? (size_t)len : input.n;
  memcpy(out, input.p, n);
  input.p += n;
  input.n -= n;
  return (int)n;
}

static int bio_write(BIO *b, const char *data, int len) {
  struct io *io = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  ssize_t n = send(io->fd, data, (size_t)len, MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    io->blocked = true;
    BIO_set_retry_write(b);
  }
  return (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long larg, void *parg) {
  (void)b, (void)larg, (void)parg;
  return cmd == BIO_CTRL_FLUSH;
}

static bool prepare(void) {
  context = SSL_CTX_new(TLS_client_method());
  method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "io");
  if (!context || !method) return false;
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_ctrl(method, bio_ctrl);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return true;
}

const char *tls_open(struct io *io) {
  if (!context && !prepare()) return "cannot set up OpenSSL";
  BIO *b = BIO_new(method);
  if (!b || !(io->ssl = SSL_new(context))) {
    BIO_free(b);
    return "cannot make a TLS connection";
  }
  BIO_set_data(b, io);
  BIO_set_init(b, 1);
  SSL_set_bio(io->ssl, b, b);
  SSL_set_connect_state(io->ssl);
  return NULL;
}

/** Sends what is pending, and drives the handshake: SSL_write does both. */
void tls_flush(struct io *io) {
  io->blocked = false;
  ERR_clear_error();
  if (!io->outlen) {
    if (!SSL_is_init_finished(io->ssl)) SSL_do_handshake(io->ssl);
    return;
  }
  uint32_t done = 0;
  while (done < io->outlen) {
    int n = SSL_write(io->ssl, io->out + done, (int)(io->outlen - done));
    if (n <= 0) break; /* wants input, or is blocked, or broken: reading tells */
    done += (uint32_t)n;
  }
  memmove(io->out, io->out + done, io->outlen - done);
  io->outlen -= done;
}

static const char *read_all(struct io *io) {
  static uint8_t plain[16384 + 1024];
  uint32_t gen = io->gen;
  for (;;) {
    int got = SSL_read(io->ssl, plain, sizeof plain);
    if (got <= 0) {
      int why = SSL_get_error(io->ssl, got);
      if (why == SSL_ERROR_ZERO_RETURN) return "connection closed by the server";
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        const char *reason = ERR_reason_error_string(ERR_get_error());
        return reason ? reason : "TLS error";
      }
      if (io->outlen) tls_flush(io);
      io_watch(io);
      return NULL;
    }
    io->ops->data(io, plain, (size_t)got);
    if (io->gen != gen) return NULL;
  }
}

const char *tls_read(struct io *io, const uint8_t *p, size_t n) {
  input.io = io;
  input.p = p;
  input.n = n;
  ERR_clear_error();
  const char *error = read_all(io);
  input.io = NULL; /* what is left belongs to a connection that is gone: its successor in the same place must not read it */
  return error;
}
