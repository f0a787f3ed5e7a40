/*
 * Runs what a Moddable SDK builds with `-p lin`, without the window of its simulator: loads the shared object, gives it a
 * screen of one pixel, hands it one text, and goes round its main loop. What the device traces goes to standard output.
 *
 *   moddable-host mc.so TEXT
 */

#define mxLinux 1

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"

static GMainLoop *loop;
static int code = 0;

static void stop(int status) {
  code = status;
  g_main_loop_quit(loop);
}

/* The machine has ended, by an exception that nothing has caught. */
static void aborted(txScreen *screen, int status) {
  (void)screen;
  fprintf(stderr, "the machine has ended: %d\n", status);
  stop(2);
}

/* screen.postMessage('0') ends the program with that code. */
static void post(txScreen *screen, char *text, int size) {
  (void)screen;
  (void)size;
  stop(atoi(text));
}

static void ignore(txScreen *screen) { (void)screen; }

static void start(txScreen *screen, double interval) {
  (void)screen;
  (void)interval;
}

int main(int argc, char **argv) {
  void *library;
  txScreenLaunchProc launch;
  txScreen *screen = calloc(1, sizeof(txScreen) + screenBytesPerPixel);

  if (argc != 3 || !screen) {
    fprintf(stderr, "usage: moddable-host mc.so TEXT\n");
    return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  library = dlopen(argv[1], RTLD_NOW);
  launch = library ? (txScreenLaunchProc)dlsym(library, "fxScreenLaunch") : NULL;
  if (!launch) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  loop = g_main_loop_new(NULL, FALSE);
  mxCreateMutex(&screen->workersMutex);
  screen->width = screen->height = 1;
  screen->abort = aborted;
  screen->bufferChanged = screen->formatChanged = screen->stop = ignore;
  screen->post = post;
  screen->start = start;
  launch(screen);
  if (!screen->machine) return 1;
  screen->invoke(screen, argv[2], 0);
  g_main_loop_run(loop);
  return code;
}
