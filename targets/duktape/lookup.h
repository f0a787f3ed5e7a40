// Looks a host name up without holding the loop: getaddrinfo() in a thread of its own, which says by a descriptor that it is
// done. An address needs no thread.

#ifndef MOTE_LOOKUP_H
#define MOTE_LOOKUP_H

#include <netdb.h>
#include <stdint.h>

struct lookup;

/** Returns NULL where it cannot begin. */
struct lookup *lookup_start(const char *host, uint16_t port);
/** Becomes readable once the answer is there. */
int lookup_descriptor(const struct lookup *lookup);
/** The answer, to be freed by the caller, or NULL with the error of getaddrinfo(). Only once it is there. */
struct addrinfo *lookup_take(struct lookup *lookup, int *error);
/** Gives it up at any time; a thread that is still at work cleans up behind itself. */
void lookup_free(struct lookup *lookup);

#endif
