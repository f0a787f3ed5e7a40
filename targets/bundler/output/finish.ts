// Fits what esbuild has made to a host: what the host lacks is put in, the language level lowered, the text minified.

import type { File } from '@babel/types';
import type { EncodedSourceMap } from '@jridgewell/trace-mapping';
import { type MinifyOptions, minify as terser } from 'terser';
import type { Format, Host } from '../hosts.ts';
import { generate, readModule } from '../passes/pass.ts';
import { makeConstants } from './constants.ts';
import { declareFirst } from './declare-first.ts';
import { dropMethods } from './drop-methods.ts';
import { compile } from './language.ts';
import { type Missing, missingGlobals } from './missing.ts';
import { takeNotices } from './notices.ts';
import { plainAdditions } from './plain-additions.ts';
import { plainPatterns } from './plain-patterns.ts';
import { polyfill } from './polyfill.ts';
import { hostRequire, makeScript } from './script.ts';
import { shortInfinity, shortUndefined } from './short-values.ts';
import { shortVariables } from './short-variables.ts';

export interface Text {
  readonly code: string;
  /** From the code to the sources. */
  readonly map: EncodedSourceMap;
}

export interface FinishOptions {
  readonly host: Host;
  readonly format: Format;
  readonly globalName?: string | undefined;
  readonly minify: boolean;
}

export interface Finished extends Text {
  /** Names of the functions that were put in because the host lacks them. */
  readonly polyfills: readonly string[];
  readonly missing: readonly Missing[];
}

async function terse({ code, map }: Text, options: MinifyOptions): Promise<Text> {
  const result = await terser(code, {
    ...options,
    mangle: false,
    format: { comments: /^!/ },
    sourceMap: { content: map as never, asObject: true },
  });
  return { code: result.code!, map: result.map as unknown as EncodedSourceMap };
}

async function minified(text: Text, { host, format, globalName }: FinishOptions): Promise<Text> {
  const ecma = host.level === 'es2022' || host.level === 'functions' ? 2020 : 5;
  const reserved = [...(host.taken ?? []), ...(globalName === undefined ? [] : [globalName])];
  const options = { ecma, module: format === 'esm', toplevel: true } as const;
  // As language.ts assumes of what is bundled: to read a property does nothing else.
  const compress = {
    passes: 3,
    hoist_funs: true,
    pure_getters: true,
    top_retain: globalName ?? null,
    // A function that is moved into its only caller is made anew at each call, unless the engine sees through it.
    reduce_funcs: !host.prefersSpeed,
  };
  const small = await terse(text, { ...options, compress });
  const { tree } = readModule('the bundle', small.code);
  shortInfinity(tree);
  // On a host that keeps constants in flash the variable would be one that may change.
  if (host.level !== 'classes' && !host.preloads) shortUndefined(tree, ecma > 5 ? 'let' : 'var');
  shortVariables(tree, { reserved, kept: globalName, shorthand: ecma > 5 });
  if (host.level === 'classes') {
    declareFirst(tree);
    plainAdditions(tree);
    plainPatterns(tree);
    return print(tree, small, { minified: true }); // Terser would undo what was just done.
  }
  // Babel leaves semicolons before braces where it makes a map.
  return terse(print(tree, small), { ...options, compress: false });
}

/** What a minifier reads. */
const isAnnotation = (comment: string): boolean => /[@#]__PURE__/.test(comment);

/** The text of a tree that was read from `text`, and the map from there to the sources. */
function print(tree: File, { code, map }: Text, { minified = false, comments = true } = {}): Text {
  // The types of the generator do not know inputSourceMap.
  const format = { compact: minified, minified, ...(!comments && { shouldPrintComment: isAnnotation }) };
  const options = { ...format, sourceMaps: true, inputSourceMap: map } as { sourceMaps: true };
  const made = generate(tree, options, code);
  return { code: made.code, map: made.map as unknown as EncodedSourceMap };
}

/** @param text an ECMAScript module, as esbuild writes it */
export async function finish(text: Text, options: FinishOptions): Promise<Finished> {
  const { host, format, globalName } = options;
  const { code, notices } = takeNotices(text.code);
  const source = readModule('the bundle', code).tree;
  dropMethods(source, format === 'esm' || globalName !== undefined);
  const tree = compile(source, code, host);
  const polyfills = polyfill(tree, host);
  hostRequire(tree);
  const missing = missingGlobals(tree, host, text.map);
  if (host.preloads && format === 'esm') makeConstants(tree);
  // Espruino keeps a note of the scope around it with every function, but for the global one.
  if (format === 'iife') makeScript(tree, globalName, host.level !== 'classes');
  const plain = print(tree, { ...text, code }, { comments: !host.keepsText });
  const made = options.minify ? await minified(plain, options) : plain;
  return { code: `${made.code.trimEnd()}\n${notices}`, map: made.map, polyfills, missing };
}
