// The other end of every connection: a server that answers what it must and does no more, so that no broker is in a figure. What
// it sends is encoded before, and leaves in one piece for each piece that came. In C, so that what is measured is the clients.
// Listens on loopback, prints its port, and ends when its standard input does.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// As in cases.ts.
#define SENT "device/telemetry/sensor-7"
#define HEARD "device/commands/sensor-7"
#define ECHO "echo"
#define DROP "drop"
#define AGAIN "again"
#define GO "go/"
#define WINDOW 100

enum { MAX_CONNECTIONS = 64, IN_BYTES = 1 << 18, BATCH_BYTES = 1 << 16, MAX_HEADER = 5 };
enum { CONNECT = 1, PUBLISH = 3, PUBACK = 4, PUBREC = 5, PUBREL = 6, PUBCOMP = 7, SUBSCRIBE = 8, PINGREQ = 12 };

typedef unsigned char byte;

typedef struct {
  byte *bytes;
  size_t length, room;
} Buffer;

typedef struct {
  int fd;
  byte in[IN_BYTES];
  size_t held;
  // Bytes of a payload that nobody looks at.
  size_t skip;
  Buffer out;
  // Messages that were asked for and not sent, and those under way.
  long left, under_way;
  unsigned last_id, qos;
  Buffer message;
  size_t id_at;
} Connection;

static Connection *connections[MAX_CONNECTIONS];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static byte *extend(Buffer *buffer, size_t length) {
  if (buffer->length + length > buffer->room) {
    buffer->room = 2 * (buffer->length + length);
    buffer->bytes = realloc(buffer->bytes, buffer->room);
    if (!buffer->bytes) fail("realloc");
  }
  byte *at = buffer->bytes + buffer->length;
  buffer->length += length;
  return at;
}

static void answer(Connection *it, byte type, unsigned id) {
  memcpy(extend(&it->out, 4), (byte[]){type, 2, id >> 8, id & 0xff}, 4);
}

// Appends a PUBLISH. Returns where its packet identifier is, if it has one.
static size_t put_publish(Buffer *to, unsigned qos, const char *topic, const byte *payload, size_t size) {
  size_t start = to->length, topic_length = strlen(topic), left = 2 + topic_length + (qos ? 2 : 0) + size;
  *extend(to, 1) = 0x30 | qos << 1;
  for (size_t more = left; more > 0; more >>= 7) *extend(to, 1) = (more & 0x7f) | (more > 0x7f ? 0x80 : 0);
  memcpy(extend(to, 2), (byte[]){topic_length >> 8, topic_length & 0xff}, 2);
  memcpy(extend(to, topic_length), topic, topic_length);
  size_t id_at = to->length - start;
  if (qos) memset(extend(to, 2), 0, 2);
  if (payload) memcpy(extend(to, size), payload, size);
  else memset(extend(to, size), 'x', size);
  return id_at;
}

static void hang_up(Connection *it) {
  close(it->fd);
  it->fd = -1;
}

// Writes what is to be written, as much as the socket takes.
static void flush(Connection *it) {
  size_t done = 0;
  while (it->fd >= 0 && done < it->out.length) {
    ssize_t taken = send(it->fd, it->out.bytes + done, it->out.length - done, MSG_NOSIGNAL);
    if (taken > 0) done += (size_t)taken;
    else if (taken < 0 && errno == EAGAIN) break;
    else hang_up(it);
  }
  if (done > 0) memmove(it->out.bytes, it->out.bytes + done, it->out.length -= done);
}

// As many messages as the socket and the window take.
static void send_messages(Connection *it) {
  while (it->fd >= 0 && it->left > 0 && it->out.length == 0) {
    long batch = BATCH_BYTES / (long)it->message.length, some = batch > 0 ? batch : 1;
    if (some > it->left) some = it->left;
    if (it->qos && some > WINDOW - it->under_way) some = WINDOW - it->under_way;
    if (some <= 0) return;
    for (long i = 0; i < some; i++) {
      byte *at = extend(&it->out, it->message.length);
      memcpy(at, it->message.bytes, it->message.length);
      if (!it->qos) continue;
      it->last_id = it->last_id == 65535 ? 1 : it->last_id + 1;
      at[it->id_at] = it->last_id >> 8;
      at[it->id_at + 1] = it->last_id & 0xff;
    }
    it->left -= some;
    if (it->qos) it->under_way += some;
    flush(it);
  }
}

static int is(const byte *topic, size_t length, const char *name) {
  return length == strlen(name) && memcmp(topic, name, length) == 0;
}

// `go/<QoS>/<size>/<count>`: messages are asked for.
static void begin(Connection *it, const byte *topic, size_t length) {
  char text[64] = "";
  memcpy(text, topic, length < sizeof text ? length : sizeof text - 1);
  unsigned long size;
  if (sscanf(text, GO "%u/%lu/%ld", &it->qos, &size, &it->left) != 3) return hang_up(it);
  it->under_way = 0;
  it->message.length = 0;
  it->id_at = put_publish(&it->message, it->qos, HEARD, NULL, size);
}

// A PUBLISH of which at least the topic and the identifier are here; false where more is needed.
static int publish(Connection *it, const byte *packet, const byte *body, const byte *end, const byte *here) {
  unsigned qos = (packet[0] >> 1) & 3;
  size_t length = (size_t)(body[0] << 8 | body[1]);
  const byte *topic = body + 2, *payload = topic + length + (qos ? 2 : 0);
  if (payload > here) return 0;
  int wanted = !is(topic, length, SENT);
  if (wanted && end > here) return 0;
  if (qos) answer(it, qos == 1 ? 0x40 : 0x50, (unsigned)(payload[-2] << 8 | payload[-1]));
  if (!wanted) return 1;
  if (is(topic, length, DROP)) hang_up(it);
  else if (is(topic, length, ECHO)) put_publish(&it->out, 0, HEARD, payload, (size_t)(end - payload));
  else if (length > strlen(GO) && is(topic, strlen(GO), GO)) begin(it, topic, length);
  return 1;
}

static void subscribed(Connection *it, const byte *body, const byte *end) {
  memcpy(extend(&it->out, 5), (byte[]){0x90, 3, body[0], body[1], end[-1]}, 5);
  if (is(body + 4, (size_t)(end - body) - 5, AGAIN)) put_publish(&it->out, 0, AGAIN, (const byte *)"x", 1);
}

// Takes one packet. Returns its size, perhaps more than is here, or 0 when too little is here.
static size_t take(Connection *it, const byte *packet, size_t available) {
  size_t remaining = 0, at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at > 4) return hang_up(it), 0;
    if (at >= available) return 0;
    remaining |= (size_t)(packet[at] & 0x7f) << shift;
    if (packet[at++] < 0x80) break;
  }
  const byte *body = packet + at, *end = body + remaining, *here = packet + available;
  unsigned type = packet[0] >> 4, id = end <= here && remaining >= 2 ? (unsigned)(body[0] << 8 | body[1]) : 0;
  if (type == PUBLISH) return here >= body + 2 && publish(it, packet, body, end, here) ? at + remaining : 0;
  if (end > here) return 0;
  if (type == PUBREC) answer(it, 0x62, id);
  else if (type == PUBREL) answer(it, 0x70, id);
  else if (type == PUBACK || type == PUBCOMP) it->under_way--;
  else if (type == CONNECT) memcpy(extend(&it->out, 4), (byte[]){0x20, 2, 0, 0}, 4);
  else if (type == SUBSCRIBE) subscribed(it, body, end);
  else if (type == PINGREQ) memcpy(extend(&it->out, 2), (byte[]){0xd0, 0}, 2);
  return at + remaining;
}

static void received(Connection *it) {
  ssize_t count = read(it->fd, it->in + it->held, IN_BYTES - it->held);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return hang_up(it);
  it->held += (size_t)count;
  size_t at = 0;
  while (it->fd >= 0 && at < it->held) {
    size_t step = it->skip ? it->skip : take(it, it->in + at, it->held - at), here = it->held - at;
    if (step == 0) break;
    it->skip = step > here ? step - here : 0;
    at += step > here ? here : step;
  }
  if (at == 0 && it->held == IN_BYTES) return hang_up(it); // A packet that will never fit.
  memmove(it->in, it->in + at, it->held -= at);
  flush(it);
}

static void accept_one(int server) {
  int fd = accept(server, NULL, NULL), on = 1, index = 0;
  if (fd < 0) return;
  while (index < MAX_CONNECTIONS && connections[index]) index++;
  if (index == MAX_CONNECTIONS) {
    close(fd);
    return;
  }
  fcntl(fd, F_SETFL, O_NONBLOCK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connections[index] = calloc(1, sizeof(Connection));
  if (!connections[index]) fail("calloc");
  connections[index]->fd = fd;
}

static void release(int index) {
  Connection *it = connections[index];
  if (it->fd >= 0) return;
  free(it->out.bytes);
  free(it->message.bytes);
  free(it);
  connections[index] = NULL;
}

int main(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  if (server < 0 || bind(server, (struct sockaddr *)&address, length) || listen(server, MAX_CONNECTIONS)) fail("listen");
  if (getsockname(server, (struct sockaddr *)&address, &length)) fail("getsockname");
  printf("%u\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct pollfd polled[MAX_CONNECTIONS + 2] = {{STDIN_FILENO, POLLIN, 0}, {server, POLLIN, 0}};
    int owners[MAX_CONNECTIONS + 2], count = 2;
    for (int index = 0; index < MAX_CONNECTIONS; index++) {
      Connection *it = connections[index];
      if (!it) continue;
      owners[count] = index;
      polled[count++] = (struct pollfd){it->fd, it->out.length > 0 ? POLLIN | POLLOUT : POLLIN, 0};
    }
    if (poll(polled, (nfds_t)count, -1) < 0 && errno != EINTR) fail("poll");
    if (polled[0].revents) return 0;
    for (int index = 2; index < count; index++) {
      Connection *it = connections[owners[index]];
      if (polled[index].revents & POLLOUT) flush(it);
      if (it->fd >= 0 && polled[index].revents & ~POLLOUT) received(it);
      send_messages(it);
      release(owners[index]);
    }
    if (polled[1].revents) accept_one(server);
  }
}
