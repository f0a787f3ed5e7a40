#include "lookup.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024 };

struct lookup {
  int descriptor;
  int error;
  struct addrinfo *answer;
  char *host;
  char port[6];
  /** The loop and the thread; the last to leave cleans up. */
  atomic_int users;
};

void lookup_free(struct lookup *lookup) {
  if (atomic_fetch_sub(&lookup->users, 1) > 1) return;
  if (lookup->answer) freeaddrinfo(lookup->answer);
  close(lookup->descriptor);
  free(lookup->host);
  free(lookup);
}

static void resolve(struct lookup *lookup, int flags) {
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  lookup->error = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->answer);
  if (lookup->error != 0) lookup->answer = NULL;
}

static void tell(struct lookup *lookup) {
  const uint64_t one = 1;
  // An eventfd at 0 takes a 1 at once.
  if (write(lookup->descriptor, &one, sizeof one) != (ssize_t)sizeof one) lookup->error = EAI_SYSTEM;
}

static void *run(void *argument) {
  struct lookup *lookup = argument;
  resolve(lookup, AI_ADDRCONFIG);
  tell(lookup);
  lookup_free(lookup);
  return NULL;
}

static int start_thread(struct lookup *lookup) {
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0) return -1;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  atomic_fetch_add(&lookup->users, 1);
  const int failed = pthread_create(&thread, &attributes, run, lookup);
  pthread_attr_destroy(&attributes);
  if (!failed) return 0;
  atomic_fetch_sub(&lookup->users, 1);
  return -1;
}

struct lookup *lookup_start(const char *host, uint16_t port) {
  struct lookup *lookup = calloc(1, sizeof *lookup);
  if (!lookup) return NULL;
  atomic_init(&lookup->users, 1);
  snprintf(lookup->port, sizeof lookup->port, "%u", (unsigned)port);
  lookup->host = strdup(host);
  lookup->descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!lookup->host || lookup->descriptor < 0) {
    if (lookup->descriptor >= 0) close(lookup->descriptor);
    free(lookup->host);
    free(lookup);
    return NULL;
  }
  resolve(lookup, AI_NUMERICHOST);
  if (lookup->answer) {
    tell(lookup);
    return lookup;
  }
  if (start_thread(lookup) == 0) return lookup;
  lookup_free(lookup);
  return NULL;
}

int lookup_descriptor(const struct lookup *lookup) {
  return lookup->descriptor;
}

struct addrinfo *lookup_take(struct lookup *lookup, int *error) {
  struct addrinfo *answer = lookup->answer;
  *error = lookup->error;
  lookup->answer = NULL;
  return answer;
}
