// A build without TLS: roots cannot be read, so that no session ever begins.

#include "tls.h"

struct tls_roots *tls_roots_read(const char *file, const char **why) {
  (void)file;
  *why = "this program was built without TLS";
  return NULL;
}

void tls_roots_free(struct tls_roots *roots) {
  (void)roots;
}

struct tls *tls_new(const struct tls_roots *roots, const char *server_name, int socket) {
  (void)roots, (void)server_name, (void)socket;
  return NULL;
}

void tls_free(struct tls *tls) {
  (void)tls;
}

int tls_handshake(struct tls *tls) {
  (void)tls;
  return TLS_FAILED;
}

long tls_read(struct tls *tls, void *bytes, size_t capacity) {
  (void)tls, (void)bytes, (void)capacity;
  return TLS_FAILED;
}

long tls_write(struct tls *tls, const void *bytes, size_t length) {
  (void)tls, (void)bytes, (void)length;
  return TLS_FAILED;
}

void tls_close_notify(struct tls *tls) {
  (void)tls;
}

bool tls_flush(struct tls *tls) {
  (void)tls;
  return false;
}

bool tls_is_waiting(const struct tls *tls) {
  (void)tls;
  return false;
}

bool tls_has_unread(const struct tls *tls) {
  (void)tls;
  return false;
}

const char *tls_reason(const struct tls *tls) {
  (void)tls;
  return "handshake";
}

int tls_error(const struct tls *tls) {
  (void)tls;
  return 0;
}
