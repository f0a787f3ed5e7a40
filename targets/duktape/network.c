#include "network.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lookup.h"
#include "tls.h"

/** A device has one or two; more than this is a mistake. */
enum { MAX_CONNECTIONS = 16, READ_BYTES = 4096, READS_IN_A_ROW = 8 };

enum state { FREE, LOOKING_UP, CONNECTING, SHAKING_HANDS, OPEN };

struct connection {
  enum state state;
  int32_t handle;
  int socket;
  struct lookup *lookup;
  struct addrinfo *addresses;
  struct addrinfo *next_address;
  struct tls *tls;
  char *host;
  /** Why the last address failed. */
  int error;
  bool paused;
  /** Less was taken than was given: the app is told once there is room. */
  bool full;
  /** Nothing more will be written, once what waits has gone. */
  bool ending;
};

struct network {
  const struct tls_roots *roots;
  mote_event event;
  void *context;
  int32_t last_handle;
  struct connection connections[MAX_CONNECTIONS];
};

struct network *network_new(const struct tls_roots *roots, mote_event event, void *context) {
  struct network *network = calloc(1, sizeof *network);
  if (!network) return NULL;
  network->roots = roots;
  network->event = event;
  network->context = context;
  network->last_handle = -1;
  return network;
}

static void drop(struct connection *it) {
  if (it->state == FREE) return;
  if (it->lookup) lookup_free(it->lookup);
  if (it->addresses) freeaddrinfo(it->addresses);
  tls_free(it->tls);
  if (it->socket >= 0) close(it->socket);
  free(it->host);
  memset(it, 0, sizeof *it);
  it->state = FREE;
}

void network_free(struct network *network) {
  if (!network) return;
  for (int i = 0; i < MAX_CONNECTIONS; i++) drop(&network->connections[i]);
  free(network);
}

static struct connection *find(struct network *network, int32_t handle) {
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *it = &network->connections[i];
    if (it->state != FREE && it->handle == handle) return it;
  }
  return NULL;
}

/** Tells an event, which may change everything. False when the connection is not the same any more. */
static bool say(struct network *network, struct connection *it, int kind, const void *detail, size_t length) {
  const int32_t handle = it->handle;
  network->event(network->context, kind, handle, detail, length);
  return it->state != FREE && it->handle == handle;
}

/** The last event. `detail` is NULL for an end in order. */
static void end(struct network *network, struct connection *it, const char *detail) {
  const int32_t handle = it->handle;
  drop(it); // First: the app may open another one at once.
  network->event(network->context, MOTE_CLOSED, handle, detail, detail ? strlen(detail) : 0);
}

static void fail(struct network *network, struct connection *it, const char *code, const char *reason) {
  char detail[64];
  snprintf(detail, sizeof detail, "%s:%s", code, reason);
  end(network, it, detail);
}

static const char *name_of(int error) {
  switch (error) {
    case ECONNREFUSED: return "econnrefused";
    case ECONNRESET: return "econnreset";
    case EHOSTUNREACH: return "ehostunreach";
    case ENETUNREACH: return "enetunreach";
    case ENETDOWN: return "enetdown";
    case EPIPE: return "epipe";
    case ETIMEDOUT: return "etimedout";
    default: return "failed";
  }
}

static void fail_tcp(struct network *network, struct connection *it, int error) {
  fail(network, it, "tcp", name_of(error));
}

// Opening.

int32_t network_open(struct network *network, const char *host, uint16_t port) {
  struct connection *it = NULL;
  for (int i = 0; i < MAX_CONNECTIONS && !it; i++) {
    if (network->connections[i].state == FREE) it = &network->connections[i];
  }
  if (!it) return -1;
  char *copy = strdup(host);
  struct lookup *lookup = copy ? lookup_start(host, port) : NULL;
  if (!lookup) {
    free(copy);
    return -1;
  }
  do {
    network->last_handle = network->last_handle == INT32_MAX ? 0 : network->last_handle + 1;
  } while (find(network, network->last_handle));
  it->state = LOOKING_UP;
  it->handle = network->last_handle;
  it->socket = -1;
  it->host = copy;
  it->lookup = lookup;
  return it->handle;
}

/** Begins with the next address that can be begun with. */
static void try_next(struct network *network, struct connection *it) {
  while (it->next_address) {
    const struct addrinfo *address = it->next_address;
    it->next_address = address->ai_next;
    if (it->socket >= 0) close(it->socket);
    it->socket = socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    it->state = CONNECTING;
    if (it->socket < 0) {
      it->error = errno;
      continue;
    }
    const int yes = 1;
    setsockopt(it->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(it->socket, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) return;
    it->error = errno;
  }
  fail_tcp(network, it, it->error);
}

static void looked_up(struct network *network, struct connection *it) {
  int error = 0;
  it->addresses = lookup_take(it->lookup, &error);
  lookup_free(it->lookup);
  it->lookup = NULL;
  it->next_address = it->addresses;
  if (it->addresses) try_next(network, it);
  else fail(network, it, "dns", error == EAI_AGAIN ? "eai_again" : error == EAI_NONAME ? "enotfound" : "failed");
}

static void opened(struct network *network, struct connection *it) {
  it->state = OPEN;
  say(network, it, MOTE_OPENED, NULL, 0);
}

static void shake_hands(struct network *network, struct connection *it) {
  const int result = tls_handshake(it->tls);
  if (result == TLS_FAILED) fail(network, it, "tls", tls_reason(it->tls));
  else if (result != TLS_WAITS) opened(network, it);
}

static void connected(struct network *network, struct connection *it) {
  socklen_t length = sizeof it->error;
  if (getsockopt(it->socket, SOL_SOCKET, SO_ERROR, &it->error, &length) != 0) it->error = errno;
  if (it->error != 0) {
    try_next(network, it);
    return;
  }
  freeaddrinfo(it->addresses);
  it->addresses = it->next_address = NULL;
  if (!network->roots) {
    opened(network, it);
    return;
  }
  it->state = SHAKING_HANDS;
  it->tls = tls_new(network->roots, it->host, it->socket);
  if (it->tls) shake_hands(network, it);
  else fail(network, it, "tls", "memory");
}

// Reading and writing.

int32_t network_send(struct network *network, int32_t handle, const void *bytes, size_t length) {
  struct connection *it = find(network, handle);
  if (!it || it->state != OPEN || it->ending) return -1;
  if (length > INT32_MAX) length = INT32_MAX;
  long taken;
  if (it->tls) {
    taken = tls_write(it->tls, bytes, length);
  } else {
    do {
      taken = send(it->socket, bytes, length, MSG_NOSIGNAL);
    } while (taken < 0 && errno == EINTR);
    if (taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) taken = 0;
  }
  if (taken < 0) return -1;
  it->full = (size_t)taken < length;
  return (int32_t)taken;
}

/** Closes the writing side, where that was asked for and nothing waits any more. */
static void finish(struct connection *it) {
  if (it->ending && !(it->tls && tls_is_waiting(it->tls))) shutdown(it->socket, SHUT_WR);
}

void network_control(struct network *network, int32_t handle, int command) {
  struct connection *it = find(network, handle);
  if (!it) return;
  switch (command) {
    case MOTE_PAUSE: it->paused = true; break;
    case MOTE_RESUME: it->paused = false; break;
    case MOTE_END:
      if (it->state != OPEN) {
        drop(it);
      } else if (!it->ending) {
        it->ending = true;
        if (it->tls) tls_close_notify(it->tls);
        finish(it);
      }
      break;
    default: drop(it);
  }
}

static void write_more(struct network *network, struct connection *it) {
  if (it->tls && !tls_flush(it->tls)) {
    fail_tcp(network, it, tls_error(it->tls));
    return;
  }
  finish(it);
  if (!it->full || (it->tls && tls_is_waiting(it->tls))) return;
  it->full = false;
  say(network, it, MOTE_WRITABLE, NULL, 0);
}

static long read_some(struct connection *it, void *bytes, size_t capacity) {
  if (it->tls) return tls_read(it->tls, bytes, capacity);
  const ssize_t got = recv(it->socket, bytes, capacity, 0);
  if (got >= 0) return got; // 0 is TLS_ENDED, too.
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? TLS_WAITS : TLS_FAILED;
}

static void read_more(struct network *network, struct connection *it) {
  unsigned char bytes[READ_BYTES];
  for (int i = 0; i < READS_IN_A_ROW && !it->paused; i++) {
    const long got = read_some(it, bytes, sizeof bytes);
    const int error = it->tls ? tls_error(it->tls) : errno;
    if (got > 0) {
      if (!say(network, it, MOTE_DATA, bytes, (size_t)got)) return;
      continue;
    }
    if (got == TLS_ENDED) end(network, it, NULL);
    else if (got == TLS_FAILED && error != 0) fail_tcp(network, it, error);
    else if (got == TLS_FAILED) fail(network, it, "tls", "record");
    return;
  }
}

// The loop.

static bool has_unread(const struct connection *it) {
  return it->state == OPEN && !it->paused && it->tls && tls_has_unread(it->tls);
}

static struct pollfd interest_of(const struct connection *it) {
  struct pollfd interest = {.fd = it->socket, .events = 0};
  switch (it->state) {
    case FREE: interest.fd = -1; break;
    case LOOKING_UP:
      interest.fd = lookup_descriptor(it->lookup);
      interest.events = POLLIN;
      break;
    case CONNECTING: interest.events = POLLOUT; break;
    case SHAKING_HANDS:
      interest.events = (short)(POLLIN | (tls_is_waiting(it->tls) ? POLLOUT : 0));
      break;
    case OPEN: {
      const bool writes = it->full || (it->tls && tls_is_waiting(it->tls));
      interest.events = (short)((it->paused ? 0 : POLLIN) | (writes ? POLLOUT : 0));
      if (interest.events == 0) interest.fd = -1; // Or an error that nobody reads would wake us for ever.
    }
  }
  return interest;
}

static void serve(struct network *network, struct connection *it, short events) {
  const int32_t handle = it->handle;
  switch (it->state) {
    case FREE: break;
    case LOOKING_UP: looked_up(network, it); break;
    case CONNECTING: connected(network, it); break;
    case SHAKING_HANDS:
      if (tls_flush(it->tls)) shake_hands(network, it);
      else fail(network, it, "tls", "handshake");
      break;
    case OPEN:
      if (events & (POLLOUT | POLLERR)) write_more(network, it);
      if (it->state == OPEN && it->handle == handle && !it->paused) read_more(network, it);
  }
}

bool network_wait(struct network *network, int millis) {
  struct pollfd interests[MAX_CONNECTIONS];
  int32_t handles[MAX_CONNECTIONS];
  bool unread = false;
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    const struct connection *it = &network->connections[i];
    interests[i] = interest_of(it);
    handles[i] = it->handle;
    unread = unread || has_unread(it);
  }
  const int ready = poll(interests, MAX_CONNECTIONS, unread ? 0 : millis);
  if (ready < 0) return errno == EINTR;
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *it = &network->connections[i];
    if (it->state == FREE || it->handle != handles[i]) continue; // Opened by what has just been told.
    if (interests[i].revents != 0 || has_unread(it)) serve(network, it, interests[i].revents);
  }
  return true;
}

bool network_is_idle(const struct network *network) {
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    if (network->connections[i].state != FREE) return false;
  }
  return true;
}
