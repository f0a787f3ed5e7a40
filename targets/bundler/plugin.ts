// The esbuild plugin that makes one file for a small host out of an app: no Node modules, mqtt-packet specialised at build
// time, noble's buffers made lazily, the package's own properties with short names.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { OnLoadResult, Plugin } from 'esbuild';
import { checkVersion, specialise } from './mqtt-packet.ts';
import { checkHashesVersion, NOBLE_NOTICE, specialiseHashes } from './noble.ts';
import { ownNames } from './own-names.ts';
import { dropBareFields } from './passes/drop-bare-fields.ts';
import { inlineConstants } from './passes/inline-constants.ts';
import { lazyScratch } from './passes/lazy-scratch.ts';
import { generate, type Module, readModule, run } from './passes/pass.ts';
import { renameProperties } from './passes/rename-properties.ts';

/** The language level of the host. */
export type Target = 'es2022';

export interface BundlerOptions {
  readonly target: Target;
  /** Short names for the package's own properties; default true. */
  readonly mangle?: boolean | undefined;
}

const TARGETS: readonly string[] = ['es2022'];

/** Modules of noble that fill a buffer of the module, and how many such buffers each has. */
const SCRATCH: Readonly<Record<string, number>> = { 'legacy.js': 3, 'sha2.js': 3 };

const SOURCE = resolve(import.meta.dirname, '../../src');
const SHIMS = join(import.meta.dirname, 'shims');
const SHIMMED = new Set(['buffer', 'events', 'bl']);
const FRAMING = 'mqtt-mote-framing';
const HASHES = 'mqtt-mote-hashes';

/** In front of a module of each package that no bundle does without. */
const NOTICES: Readonly<Record<string, string>> = {
  'utils.js': NOBLE_NOTICE,
  'error.ts': '/*! mqtt-mote. MIT License. Copyright (c) 2026 the mqtt-mote authors */\n',
};

const require = createRequire(import.meta.url);

const readSource = (path: string): Module =>
  readModule(relative(dirname(SOURCE), path), readFileSync(path, 'utf8'), ['typescript']);

/** What is called what in all of src. */
export function namesOfSource(): Map<string, string> {
  const below = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((it) => join(folder, it));
  const modules = below(SOURCE)
    .filter((it) => it.endsWith('.ts'))
    .map(readSource);
  const entries = modules.filter(({ name }) => dirname(name) === basename(SOURCE));
  const packages = [dirname(require.resolve('mqtt-packet')), dirname(require.resolve('@noble/hashes/hmac.js'))];
  const foreign = packages
    .flatMap((folder) => readdirSync(folder).map((it) => join(folder, it)))
    .filter((it) => it.endsWith('.js') && !basename(it).startsWith('test'))
    .concat(below(SHIMS))
    .map(readSource);
  return ownNames({ modules, entries, foreign });
}

/** A module of src as it goes into a bundle. @param names of {@link namesOfSource} */
export function loadSource(path: string, names: ReadonlyMap<string, string>): OnLoadResult {
  const module = readSource(path);
  inlineConstants(module, (from) => (from.startsWith('.') ? readSource(resolve(dirname(path), from)) : undefined));
  dropBareFields(module);
  renameProperties(module, names);
  const notice = NOTICES[basename(path)] ?? '';
  return { contents: notice + generate(module.tree).code, loader: 'ts' };
}

/** The version of the package that this file lies in. */
const versionAt = (file: string): string =>
  JSON.parse(readFileSync(join(dirname(file), 'package.json'), 'utf8')).version;

/** A module of noble that an app imports itself. */
function loadNoble(path: string): OnLoadResult {
  checkHashesVersion(versionAt(path));
  const file = basename(path);
  const module = readModule(`@noble/hashes/${file}`, readFileSync(path, 'utf8'));
  const expected = SCRATCH[file];
  if (expected !== undefined) run(lazyScratch, module, expected);
  return { contents: (NOTICES[file] ?? '') + generate(module.tree).code, loader: 'js' };
}

/** @throws Error for a language level that it does not know. @example build({ plugins: [mqttMote({ target: 'es2022' })] }) */
export function mqttMote({ target, mangle = true }: BundlerOptions): Plugin {
  if (!TARGETS.includes(target)) {
    throw new Error(`mqtt-mote bundler: target must be one of ${TARGETS.join(', ')}, not ${target}`);
  }
  return {
    name: 'mqtt-mote',
    setup(build) {
      const names = mangle ? namesOfSource() : new Map<string, string>();
      const options = build.initialOptions;
      options.bundle = true;
      options.metafile = true;
      options.target = target;
      options.platform ??= 'neutral';
      options.mainFields ??= ['module', 'main'];
      options.legalComments ??= 'eof';

      // The package itself, by its name, from the sources that it ships.
      build.onResolve({ filter: /^mqtt-mote(\/|$)/ }, ({ path }) => ({
        path: join(SOURCE, `${path.slice('mqtt-mote/'.length) || 'index'}.ts`),
        sideEffects: false,
      }));
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => (path.startsWith(SOURCE) ? loadSource(path, names) : undefined));

      build.onResolve({ filter: /^mqtt-packet$/ }, ({ resolveDir }) => {
        const found = createRequire(join(resolveDir, 'x.js')).resolve('mqtt-packet/package.json');
        checkVersion(JSON.parse(readFileSync(found, 'utf8')).version);
        return { path: join(dirname(found), 'mqtt.js'), namespace: FRAMING, sideEffects: false };
      });
      // Its modules among themselves, and what they take from Node.
      build.onResolve({ filter: /.*/, namespace: FRAMING }, ({ path, importer }) => {
        if (SHIMMED.has(path)) return { path: join(SHIMS, `${path}.ts`), sideEffects: false };
        if (!path.startsWith('./'))
          throw new Error(`mqtt-mote bundler: no shim for ${path}, which mqtt-packet asks for`);
        return { path: join(dirname(importer), `${path}.js`), namespace: FRAMING, sideEffects: false };
      });
      build.onLoad({ filter: /.*/, namespace: FRAMING }, ({ path }) => ({
        contents: specialise(basename(path), readFileSync(path, 'utf8')),
        loader: 'js',
      }));

      // What src signs with is specialised; what an app hashes itself is not.
      build.onResolve({ filter: /^@noble\/hashes\// }, ({ path, importer }) => {
        if (!importer.startsWith(SOURCE)) return undefined;
        const found = createRequire(importer).resolve(path);
        checkHashesVersion(versionAt(found));
        return { path: found, namespace: HASHES, sideEffects: false };
      });
      build.onResolve({ filter: /^\.\//, namespace: HASHES }, ({ path, importer }) => ({
        path: join(dirname(importer), path),
        namespace: HASHES,
        sideEffects: false,
      }));
      build.onLoad({ filter: /.*/, namespace: HASHES }, ({ path }) => ({
        contents: specialiseHashes(basename(path), readFileSync(path, 'utf8')),
        loader: 'js',
      }));
      build.onLoad({ filter: /@noble[\\/]hashes[\\/][^\\/]+\.js$/ }, ({ path }) => loadNoble(path));
    },
  };
}
