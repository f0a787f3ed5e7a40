// A device without Node: Duktape, the sockets of network.h, one timer. Runs one program, made by the bundler, that finds its
// host in the global variable `host` (targets/bare/host.ts). Settings come from the environment, as with the three programs.

#include <duktape.h>
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "network.h"
#include "tls.h"

enum { EXIT_USAGE = 64, EXIT_SOFTWARE = 70, EXIT_TEMPORARY = 75 };
enum { MAX_PROGRAM_BYTES = 4 * 1024 * 1024 };
static const size_t DEFAULT_HEAP_BYTES = 2 * 1024 * 1024;

struct host {
  duk_context *js;
  struct network *network;
  /** When to wake, in milliseconds of now(); negative: never. */
  double wake_at;
  bool exiting;
  int exit_code;
  size_t heap_bytes;
  size_t heap_limit;
};

// Memory: what the engine allocates is counted, and ends at a limit. Past it the program gets an error that it can catch.

static bool has_room(const struct host *host, size_t size) {
  return size <= host->heap_limit && host->heap_bytes <= host->heap_limit - size;
}

static void *allocate(void *context, duk_size_t size) {
  struct host *host = context;
  if (size == 0 || !has_room(host, size)) return NULL;
  void *bytes = malloc(size);
  if (bytes) host->heap_bytes += malloc_usable_size(bytes);
  return bytes;
}

static void release(void *context, void *bytes) {
  struct host *host = context;
  if (!bytes) return;
  host->heap_bytes -= malloc_usable_size(bytes);
  free(bytes);
}

static void *reallocate(void *context, void *bytes, duk_size_t size) {
  struct host *host = context;
  if (!bytes) return allocate(context, size);
  if (size == 0) {
    release(context, bytes);
    return NULL;
  }
  const size_t before = malloc_usable_size(bytes);
  if (size > before && !has_room(host, size - before)) return NULL;
  void *moved = realloc(bytes, size);
  if (moved) host->heap_bytes = host->heap_bytes - before + malloc_usable_size(moved);
  return moved;
}

static void fatal(void *context, const char *message) {
  (void)context;
  fprintf(stderr, "error: %s\n", message ? message : "the engine cannot go on");
  _Exit(EXIT_SOFTWARE); // Duktape may not go on after this.
}

/** Milliseconds that go on while the device sleeps, and are never set back. */
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

// What the program calls.

static struct host *host_of(duk_context *js) {
  duk_memory_functions functions;
  duk_get_memory_functions(js, &functions);
  return functions.udata;
}

static duk_ret_t js_open(duk_context *js) {
  const duk_int_t port = duk_require_int(js, 1);
  const char *name = duk_require_string(js, 0);
  if (port < 1 || port > 65535) return duk_range_error(js, "port");
  duk_push_int(js, network_open(host_of(js)->network, name, (uint16_t)port));
  return 1;
}

static duk_ret_t js_send(duk_context *js) {
  duk_size_t length = 0;
  const void *bytes = duk_require_buffer_data(js, 1, &length);
  duk_push_int(js, network_send(host_of(js)->network, duk_require_int(js, 0), bytes, length));
  return 1;
}

static duk_ret_t js_control(duk_context *js) {
  network_control(host_of(js)->network, duk_require_int(js, 0), duk_require_int(js, 1));
  return 0;
}

static duk_ret_t js_now(duk_context *js) {
  duk_push_number(js, now());
  return 1;
}

static duk_ret_t js_wake(duk_context *js) {
  const double millis = duk_require_number(js, 0);
  host_of(js)->wake_at = millis >= 0 ? now() + millis : -1;
  return 0;
}

static duk_ret_t js_random(duk_context *js) {
  uint32_t bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) return duk_error(js, DUK_ERR_ERROR, "no randomness");
  duk_push_number(js, bits / 4294967296.0);
  return 1;
}

static duk_ret_t js_print(duk_context *js) {
  duk_size_t length = 0;
  const char *line = duk_to_lstring(js, 0, &length);
  fwrite(line, 1, length, stdout);
  putchar('\n');
  fflush(stdout);
  return 0;
}

static duk_ret_t js_exit(duk_context *js) {
  struct host *host = host_of(js);
  host->exit_code = duk_require_int(js, 0);
  host->exiting = true;
  return 0;
}

static const duk_function_list_entry FUNCTIONS[] = {
    {"open", js_open, 2}, {"send", js_send, 2},     {"control", js_control, 2}, {"now", js_now, 0},
    {"wake", js_wake, 1}, {"random", js_random, 0}, {"print", js_print, 1},     {"exit", js_exit, 1},
    {NULL, NULL, 0},
};

// What calls the program.

/** Reports what the program threw, from the top of the stack. */
static void report(struct host *host) {
  fprintf(stderr, "error: %s\n", duk_safe_to_stacktrace(host->js, -1));
  duk_pop(host->js);
  host->exit_code = EXIT_SOFTWARE;
  host->exiting = true;
}

struct told {
  int kind;
  int32_t handle;
  const void *detail;
  size_t length;
};

static duk_ret_t call_event(duk_context *js, void *argument) {
  const struct told *told = argument;
  duk_get_global_string(js, "host");
  duk_get_prop_string(js, -1, "event");
  duk_push_int(js, told->kind);
  duk_push_int(js, told->handle);
  if (told->kind == MOTE_DATA) {
    memcpy(duk_push_fixed_buffer(js, told->length), told->detail, told->length);
    duk_push_buffer_object(js, -1, 0, told->length, DUK_BUFOBJ_UINT8ARRAY);
    duk_remove(js, -2);
  } else if (told->detail) {
    duk_push_lstring(js, told->detail, told->length);
  } else {
    duk_push_undefined(js);
  }
  duk_call(js, 3);
  return 0;
}

static void tell(void *context, int kind, int32_t handle, const void *detail, size_t length) {
  struct host *host = context;
  if (host->exiting) return;
  struct told told = {.kind = kind, .handle = handle, .detail = detail, .length = length};
  const bool failed = duk_safe_call(host->js, call_event, &told, 0, 1) != DUK_EXEC_SUCCESS;
  if (failed) report(host);
  else duk_pop(host->js);
}

/** Milliseconds until the timer, for poll(): rounded up, or it would turn in circles in the last one. */
static int patience(const struct host *host) {
  if (host->wake_at < 0) return -1;
  const double left = ceil(host->wake_at - now());
  return left <= 0 ? 0 : left > 1e9 ? 1000000000 : (int)left;
}

static void loop(struct host *host) {
  while (!host->exiting) {
    if (host->wake_at < 0 && network_is_idle(host->network)) return; // Nothing can happen any more.
    if (!network_wait(host->network, patience(host))) {
      fprintf(stderr, "error: poll: %s\n", strerror(errno));
      host->exit_code = EXIT_SOFTWARE;
      return;
    }
    if (host->wake_at >= 0 && now() >= host->wake_at) {
      host->wake_at = -1;
      tell(host, MOTE_WAKE, 0, NULL, 0);
    }
  }
}

// Starting.

static int complain(const char *what, const char *why) {
  fprintf(stderr, "error: %s: %s\n", what, why);
  return EXIT_USAGE;
}

/** The whole file, or NULL with errno set. */
static char *read_file(const char *name, size_t *length) {
  FILE *file = fopen(name, "rb");
  if (!file) return NULL;
  char *text = malloc(MAX_PROGRAM_BYTES);
  *length = text ? fread(text, 1, MAX_PROGRAM_BYTES, file) : 0;
  const bool whole = text && feof(file) && !ferror(file);
  fclose(file);
  if (whole) return text;
  free(text);
  errno = EFBIG;
  return NULL;
}

struct settings {
  char *endpoint;
  const char *host;
  int port;
  const char *product_key;
  const char *device_name;
  const char *device_secret;
  bool tls;
};

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

/** Reads the environment. Returns the name of what is missing or wrong, or NULL. The caller frees `endpoint`. */
static const char *read_settings(struct settings *settings) {
  memset(settings, 0, sizeof *settings);
  settings->product_key = variable("MQTT_MOTE_PRODUCT_KEY");
  settings->device_name = variable("MQTT_MOTE_DEVICE_NAME");
  settings->device_secret = variable("MQTT_MOTE_DEVICE_SECRET");
  settings->tls = variable("MQTT_MOTE_CA") != NULL;
  const char *endpoint = variable("MQTT_MOTE_ENDPOINT");
  if (!settings->product_key) return "MQTT_MOTE_PRODUCT_KEY";
  if (!settings->device_name) return "MQTT_MOTE_DEVICE_NAME";
  if (!settings->device_secret) return "MQTT_MOTE_DEVICE_SECRET";
  settings->endpoint = endpoint ? strdup(endpoint) : NULL;
  char *colon = settings->endpoint ? strrchr(settings->endpoint, ':') : NULL;
  if (!colon || colon == settings->endpoint) return "MQTT_MOTE_ENDPOINT (host:port)";
  *colon = '\0';
  char *end = NULL;
  const long port = strtol(colon + 1, &end, 10);
  if (*end != '\0' || end == colon + 1 || port < 1 || port > 65535) return "MQTT_MOTE_ENDPOINT (host:port)";
  settings->host = settings->endpoint;
  settings->port = (int)port;
  const size_t length = strlen(settings->endpoint);
  if (settings->endpoint[0] == '[' && settings->endpoint[length - 1] == ']') { // An IPv6 address.
    settings->endpoint[length - 1] = '\0';
    settings->host++;
  }
  return NULL;
}

static duk_ret_t give_host(duk_context *js, void *argument) {
  const struct settings *settings = argument;
  duk_push_global_object(js);
  duk_push_object(js);
  duk_put_function_list(js, -1, FUNCTIONS);
  duk_push_boolean(js, settings->tls);
  duk_put_prop_string(js, -2, "tls");
  duk_push_object(js);
  duk_push_string(js, settings->host);
  duk_put_prop_string(js, -2, "host");
  duk_push_int(js, settings->port);
  duk_put_prop_string(js, -2, "port");
  duk_push_string(js, settings->product_key);
  duk_put_prop_string(js, -2, "productKey");
  duk_push_string(js, settings->device_name);
  duk_put_prop_string(js, -2, "deviceName");
  duk_push_string(js, settings->device_secret);
  duk_put_prop_string(js, -2, "deviceSecret");
  duk_put_prop_string(js, -2, "settings");
  duk_put_prop_string(js, -2, "host");
  return 0;
}

/** Makes the engine, runs the program up to its first wait, and the loop after it. */
static int run(struct host *host, struct settings *settings, char *program, size_t length) {
  host->js = duk_create_heap(allocate, reallocate, release, host, fatal);
  if (!host->js) return complain("memory", "too little for the engine");
  bool failed = duk_safe_call(host->js, give_host, settings, 0, 1) != DUK_EXEC_SUCCESS;
  if (!failed) {
    duk_pop(host->js);
    failed = duk_pcompile_lstring(host->js, 0, program, length) != 0;
  }
  free(program);
  malloc_trim(0); // The text is not needed any more.
  failed = failed || duk_pcall(host->js, 0) != DUK_EXEC_SUCCESS;
  if (failed) {
    report(host);
  } else {
    duk_pop(host->js);
    duk_gc(host->js, 0);
    loop(host);
  }
  network_free(host->network); // While the engine is there, since it tells nothing.
  duk_destroy_heap(host->js);
  return host->exit_code;
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s program.js\n", arguments[0]);
    return EXIT_USAGE;
  }
  mallopt(M_ARENA_MAX, 1); // The thread that looks names up needs no heap of its own.
  struct settings settings;
  struct host host = {.wake_at = -1, .heap_limit = DEFAULT_HEAP_BYTES};
  struct tls_roots *roots = NULL;
  const char *why = NULL;
  int code = EXIT_USAGE;
  size_t length = 0;
  char *program = NULL;
  const char *wrong = read_settings(&settings);
  if (wrong) {
    complain(wrong, "is missing or wrong");
  } else if (settings.tls && !(roots = tls_roots_read(getenv("MQTT_MOTE_CA"), &why))) {
    complain(getenv("MQTT_MOTE_CA"), why);
  } else if (!(program = read_file(arguments[1], &length))) {
    complain(arguments[1], strerror(errno));
  } else if (!(host.network = network_new(roots, tell, &host))) {
    free(program);
    code = complain("memory", "too little");
  } else {
    code = run(&host, &settings, program, length);
  }
  tls_roots_free(roots);
  free(settings.endpoint);
  return code;
}
