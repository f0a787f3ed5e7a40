// Connections for a host of raw sockets: TCP, and TLS where it is compiled in. One thread, one poll(); only a name that has
// to be looked up gets a thread of its own. Numbers and meanings are those of src/adapters/raw-socket-host.ts.

#ifndef MOTE_NETWORK_H
#define MOTE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOTE_ABORT = 0, MOTE_END = 1, MOTE_PAUSE = 2, MOTE_RESUME = 3 };
enum { MOTE_WAKE = 0, MOTE_OPENED = 1, MOTE_DATA = 2, MOTE_WRITABLE = 3, MOTE_CLOSED = 4 };

/** Gets each event. `detail` is bytes, or for MOTE_CLOSED a text; NULL where there is none. It may call anything below. */
typedef void (*mote_event)(void *context, int kind, int32_t handle, const void *detail, size_t length);

struct network;
struct tls_roots;

/** `roots` may be NULL: plain TCP. Not owned. Returns NULL when there is no memory. */
struct network *network_new(const struct tls_roots *roots, mote_event event, void *context);
/** Drops all connections. */
void network_free(struct network *network);

/** Returns a handle, or -1 where it cannot begin. */
int32_t network_open(struct network *network, const char *host, uint16_t port);
/** Returns how many bytes were taken, or -1 where the connection has failed. */
int32_t network_send(struct network *network, int32_t handle, const void *bytes, size_t length);
void network_control(struct network *network, int32_t handle, int command);

/** Waits for events, at most so many milliseconds (-1: for ever), and tells them. False where poll() failed. */
bool network_wait(struct network *network, int millis);
/** Whether no connection is left that could tell anything. */
bool network_is_idle(const struct network *network);

#endif
