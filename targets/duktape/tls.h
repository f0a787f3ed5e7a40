// TLS 1.2 with the server verified: its chain against the given roots, its name against the host's. Either by mbed TLS
// (tls_mbedtls.c), or not at all (tls_none.c): then roots cannot be read, and the program says so.

#ifndef MOTE_TLS_H
#define MOTE_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct tls_roots;
struct tls;

/** What an operation that is neither done nor failed waits for. */
enum { TLS_WAITS = -1, TLS_FAILED = -2, TLS_ENDED = 0 };

/** Reads a file of PEM certificates. On failure returns NULL and says why in a text that lasts. */
struct tls_roots *tls_roots_read(const char *file, const char **why);
void tls_roots_free(struct tls_roots *roots);

/** A session over a connected, non-blocking socket. NULL where there is no memory. */
struct tls *tls_new(const struct tls_roots *roots, const char *server_name, int socket);
void tls_free(struct tls *tls);

/** 1 once the handshake is done and the server verified; TLS_WAITS or TLS_FAILED. */
int tls_handshake(struct tls *tls);
/** Bytes read, TLS_WAITS, TLS_FAILED, or TLS_ENDED: the peer has closed. */
long tls_read(struct tls *tls, void *bytes, size_t capacity);
/** Bytes taken, possibly 0 while earlier ones wait for the socket, or TLS_FAILED. */
long tls_write(struct tls *tls, const void *bytes, size_t length);
/** Says that nothing more will be written. */
void tls_close_notify(struct tls *tls);
/** Gives the socket what waits for it. False where the socket has failed. */
bool tls_flush(struct tls *tls);
/** Whether something waits for the socket. */
bool tls_is_waiting(const struct tls *tls);
/** Whether bytes can be read without the socket becoming readable. */
bool tls_has_unread(const struct tls *tls);
/** Why it failed, as one word of the adapter's: `untrusted`, `host-name`, `expired`, `not-yet-valid`, `handshake`. */
const char *tls_reason(const struct tls *tls);
/** The errno of the socket where that has failed, else 0. */
int tls_error(const struct tls *tls);

#endif
