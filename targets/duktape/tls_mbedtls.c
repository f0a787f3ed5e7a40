#include "tls.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/** Nothing is taken from the app while more than this waits for the socket. */
enum { ENOUGH = 4096 };

struct tls_roots {
  mbedtls_x509_crt certificates;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_ssl_config config;
};

struct tls {
  mbedtls_ssl_context ssl;
  int socket;
  bool failed;
  /** Of the socket, where that was it. */
  int error;
  /** Records on their way to the socket: mbed TLS itself never has to wait. */
  unsigned char *out;
  size_t out_start;
  size_t out_end;
  size_t out_capacity;
};

struct tls_roots *tls_roots_read(const char *file, const char **why) {
  struct tls_roots *roots = calloc(1, sizeof *roots);
  *why = "no memory";
  if (!roots) return NULL;
  mbedtls_x509_crt_init(&roots->certificates);
  mbedtls_entropy_init(&roots->entropy);
  mbedtls_ctr_drbg_init(&roots->random);
  mbedtls_ssl_config_init(&roots->config);
  mbedtls_ssl_config *config = &roots->config;
  if (mbedtls_x509_crt_parse_file(&roots->certificates, file) != 0) {
    *why = "it cannot be read, or holds a certificate that cannot";
  } else if (mbedtls_ctr_drbg_seed(&roots->random, mbedtls_entropy_func, &roots->entropy, NULL, 0) != 0) {
    *why = "this machine gives no randomness";
  } else if (mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                         MBEDTLS_SSL_PRESET_DEFAULT) == 0) {
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(config, &roots->certificates, NULL);
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &roots->random);
    return roots;
  }
  tls_roots_free(roots);
  return NULL;
}

void tls_roots_free(struct tls_roots *roots) {
  if (!roots) return;
  mbedtls_ssl_config_free(&roots->config);
  mbedtls_ctr_drbg_free(&roots->random);
  mbedtls_entropy_free(&roots->entropy);
  mbedtls_x509_crt_free(&roots->certificates);
  free(roots);
}

/** Makes room for `more` bytes behind those that wait. */
static bool make_room(struct tls *tls, size_t more) {
  if (tls->out_start > 0) {
    memmove(tls->out, tls->out + tls->out_start, tls->out_end - tls->out_start);
    tls->out_end -= tls->out_start;
    tls->out_start = 0;
  }
  if (more > SIZE_MAX - tls->out_end) return false;
  if (tls->out_end + more <= tls->out_capacity) return true;
  unsigned char *larger = realloc(tls->out, tls->out_end + more);
  if (!larger) return false;
  tls->out = larger;
  tls->out_capacity = tls->out_end + more;
  return true;
}

static int put(void *context, const unsigned char *bytes, size_t length) {
  struct tls *tls = context;
  if (length > INT32_MAX || !make_room(tls, length)) return MBEDTLS_ERR_SSL_ALLOC_FAILED;
  memcpy(tls->out + tls->out_end, bytes, length);
  tls->out_end += length;
  return (int)length;
}

static int get(void *context, unsigned char *bytes, size_t capacity) {
  struct tls *tls = context;
  ssize_t got;
  do {
    got = recv(tls->socket, bytes, capacity, 0);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) return (int)got;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return MBEDTLS_ERR_SSL_WANT_READ;
  tls->error = errno;
  return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

struct tls *tls_new(const struct tls_roots *roots, const char *server_name, int socket) {
  struct tls *tls = calloc(1, sizeof *tls);
  if (!tls) return NULL;
  tls->socket = socket;
  mbedtls_ssl_init(&tls->ssl);
  if (mbedtls_ssl_setup(&tls->ssl, &roots->config) != 0 || mbedtls_ssl_set_hostname(&tls->ssl, server_name) != 0) {
    tls_free(tls);
    return NULL;
  }
  mbedtls_ssl_set_bio(&tls->ssl, tls, put, get, NULL);
  return tls;
}

void tls_free(struct tls *tls) {
  if (!tls) return;
  mbedtls_ssl_free(&tls->ssl);
  free(tls->out);
  free(tls);
}

bool tls_flush(struct tls *tls) {
  while (tls->out_start < tls->out_end) {
    const ssize_t sent = send(tls->socket, tls->out + tls->out_start, tls->out_end - tls->out_start, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (sent < 0) {
      tls->error = errno;
      return false;
    }
    tls->out_start += (size_t)sent;
  }
  free(tls->out); // Idle connections hold nothing.
  tls->out = NULL;
  tls->out_start = tls->out_end = tls->out_capacity = 0;
  return true;
}

bool tls_is_waiting(const struct tls *tls) {
  return tls->out_start < tls->out_end;
}

bool tls_has_unread(const struct tls *tls) {
  return mbedtls_ssl_get_bytes_avail(&tls->ssl) > 0;
}

int tls_handshake(struct tls *tls) {
  const int result = mbedtls_ssl_handshake(&tls->ssl);
  const bool flushed = tls_flush(tls);
  if (result == 0) return flushed ? 1 : TLS_FAILED;
  return flushed && result == MBEDTLS_ERR_SSL_WANT_READ ? TLS_WAITS : TLS_FAILED;
}

long tls_read(struct tls *tls, void *bytes, size_t capacity) {
  const int got = mbedtls_ssl_read(&tls->ssl, bytes, capacity);
  if (!tls_flush(tls)) return TLS_FAILED; // An alert, or the answer to a renegotiation.
  if (got > 0) return got;
  if (got == MBEDTLS_ERR_SSL_WANT_READ) return TLS_WAITS;
  const bool ended = got == 0 || got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || got == MBEDTLS_ERR_SSL_CONN_EOF;
  return ended ? TLS_ENDED : TLS_FAILED;
}

long tls_write(struct tls *tls, const void *bytes, size_t length) {
  if (tls->failed) return TLS_FAILED;
  size_t taken = 0;
  while (taken < length && tls->out_end - tls->out_start < ENOUGH) {
    const int written = mbedtls_ssl_write(&tls->ssl, (const unsigned char *)bytes + taken, length - taken);
    tls->failed = written <= 0;
    if (tls->failed || !tls_flush(tls)) return TLS_FAILED;
    taken += (size_t)written;
  }
  return (long)taken;
}

void tls_close_notify(struct tls *tls) {
  mbedtls_ssl_close_notify(&tls->ssl);
  tls_flush(tls);
}

const char *tls_reason(const struct tls *tls) {
  const uint32_t flags = mbedtls_ssl_get_verify_result(&tls->ssl);
  if (flags == 0 || flags == UINT32_MAX) return "handshake"; // Nothing has been verified, or nothing was wrong with it.
  if (flags & MBEDTLS_X509_BADCERT_EXPIRED) return "expired";
  if (flags & MBEDTLS_X509_BADCERT_FUTURE) return "not-yet-valid";
  if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) return "untrusted";
  if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) return "host-name";
  return "handshake";
}

int tls_error(const struct tls *tls) {
  return tls->error;
}
