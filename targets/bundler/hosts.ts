// What each host can run: the language level its bundle is compiled to, the form of the file, what is put in place of
// functions that it lacks, and which modules it brings itself.

import { TYPED_ARRAYS } from './typed-arrays.ts';

/**
 * `es2022`: as written. `functions`: the same without classes, and without variables of a block.
 * `classes`: ES5 with classes, arrow functions and `??`, every function before its use, nothing added in place.
 * `es5`: ECMAScript 5.1 and typed arrays.
 */
export type Level = 'es2022' | 'functions' | 'classes' | 'es5';

/** `esm`: a module. `iife`: a script, whose exports are one global variable, if it is to have one. */
export type Format = 'esm' | 'iife';

export interface Host {
  readonly level: Level;
  readonly format: Format;
  /** Functions that it lacks, of those that {@link POLYFILLS} can put in their place. */
  readonly lacks: readonly string[];
  /** Globals of the language that it lacks, and that nothing is put in place of: a bundle that uses one is told so. */
  readonly without: readonly string[];
  /** Globals of the host's own with such short names that the bundle could take them; default none. */
  readonly taken?: readonly string[];
  /** Whether it runs the bodies of modules on the build machine, and keeps what is constant in flash. */
  readonly preloads?: boolean;
  /** Whether a bundle may be a few bytes longer where that makes it faster. */
  readonly prefersSpeed?: boolean;
  /** Whether the text of a module takes memory as long as the module is there: what is only for readers is left out. */
  readonly keepsText?: boolean;
  /** What stands at the front of every bundle, as text in ES5; default nothing. */
  readonly prelude?: string;
  /** Modules that the host brings itself: a name, or all names that begin with what stands before `*`. */
  readonly modules: readonly string[];
}

export type Target = 'node' | 'moddable' | 'quickjs' | 'espruino' | 'duktape' | 'mujs' | 'hermes' | 'es2022' | 'es5';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** What ECMAScript 2015 and later added to ES5 and typed arrays, of what the package or an app is likely to use. */
const SINCE_ES5 = words(`
  Object.assign Object.entries Object.hasOwn Object.values Number.isFinite Number.isInteger Number.isNaN
  Number.isSafeInteger Number.parseInt Math.imul Math.sign Math.trunc Array.from Array.of
  Uint8Array.from Uint8Array.of Uint32Array.from
  Array.prototype.fill Array.prototype.find Array.prototype.findIndex Array.prototype.includes
  Uint8Array.prototype.fill Uint8Array.prototype.slice Uint32Array.prototype.fill
  String.prototype.endsWith String.prototype.includes String.prototype.padStart String.prototype.repeat
  String.prototype.startsWith`);

/** Espruino's pins, the object of its own functions, and a word that only it reserves. */
const ESPRUINO_NAMES = ['E', 'of', ...[...'ABCDEFGH'].flatMap((port) => [...'0123456789'].map((pin) => port + pin))];

const WITHOUT_ES5 = words('BigInt Map Promise Proxy Reflect Set Symbol WeakMap WeakRef WeakSet');

const NODE_MODULES = words(`node:* assert buffer child_process crypto dgram dns events fs http https net os path
  process stream timers tls tty url util v8 vm worker_threads zlib`);

/** Measured on: Node 20, Moddable SDK 8.2.3, quickjs-emscripten 0.32, Espruino 2v29, Duktape 2.7, mujs 1.3.2, Hermes 0.12. */
export const HOSTS: Readonly<Record<Target, Host>> = {
  node: {
    level: 'es2022',
    format: 'esm',
    lacks: [],
    without: [],
    prefersSpeed: true,
    keepsText: true,
    modules: NODE_MODULES,
  },
  moddable: {
    level: 'es2022',
    format: 'esm',
    lacks: [],
    without: [],
    preloads: true,
    modules: words(`embedded:* mc/* text/* pins/* Resource crypt instrumentation net preference resource sntp time timer
      wifi`),
  },
  quickjs: { level: 'es2022', format: 'esm', lacks: [], without: [], modules: words('std os qjs:*') },
  espruino: {
    level: 'classes',
    format: 'iife',
    lacks:
      words(`Object.assign Object.freeze Object.hasOwn Object.entries Object.values Number.isFinite Number.isInteger
      Number.isNaN Number.isSafeInteger Number.parseInt Array.from Array.of Math.imul Math.trunc Math.sign
      String.fromCharCode Uint8Array.from Uint8Array.of Uint32Array.from`),
    without: words('BigInt Map Proxy Reflect Set Symbol WeakMap WeakRef WeakSet'),
    taken: ESPRUINO_NAMES,
    modules: words('net tls http dgram crypto Storage Wifi ESP8266 fs heatshrink Flash neopixel'),
  },
  duktape: {
    level: 'es5',
    format: 'iife',
    lacks: words(`Object.hasOwn Object.entries Object.values Array.from Array.of Uint8Array.from Uint8Array.of
      Uint32Array.from Array.prototype.fill Array.prototype.find Array.prototype.findIndex Array.prototype.includes
      Uint8Array.prototype.fill Uint8Array.prototype.slice Uint32Array.prototype.fill String.prototype.padStart`),
    without: words('BigInt Map Promise Set WeakMap WeakRef WeakSet'),
    modules: [],
  },
  mujs: {
    level: 'es5',
    format: 'iife',
    lacks: SINCE_ES5,
    without: [...WITHOUT_ES5, 'globalThis'],
    prelude: TYPED_ARRAYS,
    modules: [],
  },
  hermes: { level: 'functions', format: 'iife', lacks: [], without: ['WeakRef'], modules: [] },
  es2022: { level: 'es2022', format: 'esm', lacks: [], without: [], modules: [] },
  es5: { level: 'es5', format: 'iife', lacks: SINCE_ES5, without: WITHOUT_ES5, modules: [] },
};

export const TARGETS = Object.keys(HOSTS) as readonly Target[];

/** Whether the host brings this module itself. */
export const brings = (host: Host, module: string): boolean =>
  host.modules.some((it) => (it.endsWith('*') ? module.startsWith(it.slice(0, -1)) : module === it));
