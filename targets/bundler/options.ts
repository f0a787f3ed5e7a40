// What the bundler is asked for, and what it answers: the types of `mqtt-mote/bundler`, and the check of what comes in.

import { type Format, TARGETS, type Target } from './hosts.ts';

export interface BundlerOptions {
  /** The host that the bundle is for, or a language level alone. */
  readonly target: Target;
  /** Short names for the package's own properties; default true. */
  readonly mangle?: boolean | undefined;
  /**
   * The sentences of errors and warnings, in English; default: for Node alone. Without them an error has its code, reason
   * and clause, which `mqtt-mote/explain` makes a sentence of on a PC.
   */
  readonly messages?: boolean | undefined;
}

export interface BundleOptions extends BundlerOptions {
  /** The app: a file in TypeScript or JavaScript. */
  readonly entry: string;
  /** Where the bundle is going to lie: the paths in its source map begin there. Default: `device.js` beside the app. */
  readonly outfile?: string | undefined;
  /** `esm`: a module. `iife`: a script, which sets the global variable `globalName`. Default: what suits the host. */
  readonly format?: Format | undefined;
  /** The variable that a script leaves the exports of the app in; default: none, and they are left out. A module needs none. */
  readonly globalName?: string | undefined;
  /** Default true. */
  readonly minify?: boolean | undefined;
}

export interface Bundle {
  readonly code: string;
  /** A source map from the code to the app's and the packages' sources, as JSON. */
  readonly map: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Bytes by module, the largest first; their sum is `bytes`. */
  readonly modules: readonly (readonly [module: string, bytes: number])[];
  /** What may not work on the host, a line each: globals that it does not have, and what esbuild remarks on. */
  readonly warnings: readonly string[];
}

/** A fault of whoever asks: told in one line. */
export function refusal(text: string): Error {
  return new Error(`mqtt-mote bundler: ${text}`);
}

const FORMATS: readonly unknown[] = ['esm', 'iife'];

const FLAGS = ['mangle', 'messages', 'minify'] as const;

/** @throws Error in one line, for what is none of the options */
export function checkOptions(options: BundlerOptions & Partial<BundleOptions>): void {
  if (typeof options !== 'object' || options === null) throw refusal('options must be an object');
  const { target, entry, outfile, format, globalName } = options;
  if (!TARGETS.includes(target)) throw refusal(`target must be one of ${TARGETS.join(', ')}, not ${String(target)}`);
  for (const name of FLAGS) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'boolean') throw refusal(`${name} must be true or false`);
  }
  for (const [name, value] of Object.entries({ entry, outfile })) {
    if (value !== undefined && typeof value !== 'string') throw refusal(`${name} must be a path`);
  }
  if (format !== undefined && !FORMATS.includes(format))
    throw refusal(`format must be esm or iife, not ${String(format)}`);
  if (globalName !== undefined && !/^[A-Za-z_$][\w$]*$/.test(globalName)) {
    throw refusal(`globalName must be a name, not ${String(globalName)}`);
  }
}
