// The esbuild plugin that makes one file for a small host out of an app: no Node modules, mqtt-packet specialised at build
// time, noble's buffers made lazily, the package's own properties with short names.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, join, posix, relative, resolve } from 'node:path';
import type { BuildOptions, OnLoadResult, OutputFile, Plugin } from 'esbuild';
import { asModule } from './app-module.ts';
import { brings, type Format, HOSTS, type Host, type Target } from './hosts.ts';
import { checkVersion, specialise, UTF8 } from './mqtt-packet.ts';
import { checkHashesVersion, NOBLE_NOTICE, plainMd5, specialiseHashes } from './noble.ts';
import { type BundlerOptions, checkOptions, refusal } from './options.ts';
import { finish } from './output/finish.ts';
import { type OwnNames, ownNames } from './own-names.ts';
import { dropBareFields } from './passes/drop-bare-fields.ts';
import { dropMembers } from './passes/drop-members.ts';
import { dropMessages, type Makers, messageMakers } from './passes/drop-messages.ts';
import { freezeLiterals } from './passes/freeze-literals.ts';
import { inlineConstants } from './passes/inline-constants.ts';
import { lazyScratch } from './passes/lazy-scratch.ts';
import { type Module, print, readModule, run } from './passes/pass.ts';
import { raiseErrors } from './passes/raise-errors.ts';
import { renameMembers, renameProperties } from './passes/rename-properties.ts';

/** Keeps the look for a package from looking for itself. */
const SEEN = 'mqtt-mote-seen';

/** Modules of noble that fill a buffer of the module, and how many such buffers each has. */
const SCRATCH: Readonly<Record<string, number>> = { 'legacy.js': 3, 'sha2.js': 3 };

const SOURCE = resolve(import.meta.dirname, '../../src');
/** What stands for src/framing/codec.ts, and for src/utf8.ts in mqtt-packet. */
const shimsFor = (target: Target) =>
  target === 'node'
    ? { codec: join(import.meta.dirname, 'shims/codec-node.ts'), text: join(import.meta.dirname, 'shims/utf8-node.ts') }
    : { codec: join(import.meta.dirname, 'shims/codec.ts'), text: join(SOURCE, 'utf8.ts') };
/** Where a module of src has its errors thrown. */
const RAISE = join(import.meta.dirname, 'shims/raise.ts');
/** How memory of packets that have left is used again: a transport need not tell of it. */
const ONLY_FOR_SPEED = dropMembers('taken', 'linkTaken', 'reuse');
const FRAMING = 'mqtt-mote-framing';
const HASHES = 'mqtt-mote-hashes';

/** In front of a module of each package that no bundle does without. */
const NOTICES: Readonly<Record<string, string>> = {
  'utils.js': NOBLE_NOTICE,
  'error.ts': '/*! mqtt-mote. MIT License. Copyright (c) 2026 the mqtt-mote authors */\n',
};

/** Every property is called what it is called in src. */
const PLAIN_NAMES: OwnNames = { properties: new Map(), members: new Map() };

const require = createRequire(import.meta.url);

/** Of a package that is specialised: some file that can be resolved by name, to find the others beside. */
const KNOWN_FILES: Readonly<Record<string, string>> = {
  'mqtt-packet': 'mqtt-packet/mqtt.js',
  '@noble/hashes': '@noble/hashes/hmac.js',
};

/** Where the folder of such a package is. */
const folderOf = (name: string): string => dirname(require.resolve(KNOWN_FILES[name]!));

/** Where a file of such a package is: `mqtt-packet/parser.js`. In a bundle it is called so: a machine's paths are not. */
const fileOf = (path: string): string => join(folderOf(dirname(path)), basename(path));

const readSource = (path: string): Module =>
  readModule(relative(dirname(SOURCE), path), readFileSync(path, 'utf8'), ['typescript']);

const below = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((it) => join(folder, it));

/** Every module of src. */
const readSources = (): Module[] =>
  below(SOURCE)
    .filter((it) => it.endsWith('.ts'))
    .map(readSource);

/** The sources do not change while a process runs: what is found in all of them is found once. */
function once<Value>(find: () => Value): () => Value {
  const found: Value[] = [];
  return () => {
    if (found.length === 0) found.push(find());
    return found[0]!;
  };
}

/** What of the package an app can import, as package.json names it. */
const faces = once<readonly string[]>(() => {
  const { exports } = JSON.parse(readFileSync(join(SOURCE, '../package.json'), 'utf8')) as { exports: object };
  return Object.keys(exports).filter((it) => existsSync(join(SOURCE, `${it === '.' ? 'index' : it}.ts`)));
});

/** What makes errors in all of src. */
export const makersOfSource = once<Makers>(() => messageMakers(readSources()));

/** What is called what in all of src. */
export const namesOfSource = once<OwnNames>(() => {
  const modules = readSources();
  const entries = modules.filter(({ name }) => dirname(name) === basename(SOURCE));
  const foreign = Object.keys(KNOWN_FILES)
    .map(folderOf)
    .flatMap((folder) => readdirSync(folder).map((it) => join(folder, it)))
    .filter((it) => it.endsWith('.js') && !basename(it).startsWith('test'))
    .map(readSource);
  return ownNames({ modules, entries, foreign });
});

/**
 * A module of src as it goes into a bundle.
 * @param names of {@link namesOfSource}
 * @param makers of {@link makersOfSource}; without them the sentences of errors stay
 * @param host whose bundle it is; default: any
 */
export function loadSource(path: string, names: OwnNames, makers?: Makers, host?: Host): OnLoadResult {
  const module = readSource(path);
  if (host?.preloads) freezeLiterals(module);
  if (host && !host.prefersSpeed) ONLY_FOR_SPEED.change(module.tree, module);
  if (makers) dropMessages(module, makers);
  inlineConstants(module, (from) => (from.startsWith('.') ? readSource(resolve(dirname(path), from)) : undefined));
  dropBareFields(module);
  if (makers) raiseErrors(module, RAISE);
  renameMembers(module, names.members);
  renameProperties(module, names.properties);
  const notice = NOTICES[basename(path)] ?? '';
  return { contents: notice + print(module, basename(path)), loader: 'ts' };
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
  if (file === 'legacy.js') run(plainMd5[0], module, plainMd5[1]);
  return { contents: (NOTICES[file] ?? '') + print(module, file), loader: 'js' };
}

/** What the build was asked for that is done after esbuild. */
interface Asked {
  readonly format: Format;
  readonly globalName: string | undefined;
  readonly minify: boolean;
  readonly write: boolean;
  readonly sourcemap: BuildOptions['sourcemap'];
  /** Whether source maps hold the sources as well. */
  readonly sourcesContent: boolean;
}

/** Reads what the build is asked for, and has esbuild make of it one readable module with a source map. */
function takeOver(options: BuildOptions, target: Target): Asked {
  const { format = HOSTS[target].format, globalName, minify = false, write = true, sourcemap } = options;
  const { sourcesContent = true } = options;
  if (format === 'cjs') throw refusal('format must be esm or iife, not cjs');
  if (write && options.outfile === undefined && options.outdir === undefined) {
    throw refusal('outfile is missing');
  }
  delete options.globalName;
  if (options.outdir === undefined) options.outfile ??= 'device.js';
  options.bundle = true;
  options.metafile = true;
  options.target = 'es2022';
  options.format = 'esm';
  options.minify = false;
  options.minifySyntax = minify;
  options.write = false;
  options.sourcemap = 'external';
  options.platform ??= target === 'node' ? 'node' : 'neutral';
  options.mainFields ??= ['module', 'main'];
  options.legalComments ??= 'eof';
  return { format, globalName, minify, write, sourcemap, sourcesContent };
}

interface Made {
  readonly files: OutputFile[];
  readonly warnings: string[];
}

/** Every script that esbuild has made, finished for the host, and its source map beside it where one was asked for. */
async function finishAll(files: readonly OutputFile[], target: Target, asked: Asked): Promise<Made> {
  const { write, sourcemap, sourcesContent, ...options } = asked;
  const made: OutputFile[] = [];
  const warnings: string[] = [];
  for (const file of files) {
    if (file.path.endsWith('.map')) continue;
    const map = files.find((it) => it.path === `${file.path}.map`);
    if (!map) {
      made.push(file);
      continue;
    }
    const finished = await finish({ code: file.text, map: JSON.parse(map.text) }, { host: HOSTS[target], ...options });
    const link = sourcemap === true || sourcemap === 'linked' ? `//# sourceMappingURL=${basename(map.path)}\n` : '';
    made.push(withText(file, finished.code + link));
    const written = sourcesContent ? finished.map : { ...finished.map, sourcesContent: undefined };
    if (sourcemap) made.push(withText(map, JSON.stringify(written)));
    for (const { name, source, line } of finished.missing) {
      const place = relative(process.cwd(), resolve(dirname(file.path), source));
      warnings.push(`${place}:${line} uses ${name}, which ${target} does not have`);
    }
  }
  for (const { path, contents } of write ? made : []) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  return { files: made, warnings };
}

function withText(file: OutputFile, text: string): OutputFile {
  return { path: file.path, hash: file.hash, text, contents: new TextEncoder().encode(text) };
}

/** @throws Error in one line, for options that are none. @example build({ plugins: [mqttMote({ target: 'quickjs' })] }) */
export function mqttMote(asks: BundlerOptions): Plugin {
  checkOptions(asks);
  const { target, mangle = true, messages = target === 'node' } = asks;
  return {
    name: 'mqtt-mote',
    setup(build) {
      const names = mangle ? namesOfSource() : PLAIN_NAMES;
      const makers = messages ? undefined : makersOfSource();
      const host = HOSTS[target];
      const asked = takeOver(build.initialOptions, target);
      build.onEnd(async (result) => {
        if (result.errors.length > 0) return undefined;
        const { files, warnings } = await finishAll(result.outputFiles ?? [], target, asked);
        result.outputFiles = files;
        const outputs = result.metafile?.outputs ?? {};
        const lost = Object.values(outputs).flatMap(({ entryPoint, exports }) => (entryPoint ? exports : []));
        if (asked.format === 'iife' && asked.globalName === undefined && lost.length > 0) {
          warnings.push(
            `a script without globalName leaves nothing behind: what the app exports is lost (${lost.join(', ')})`,
          );
        }
        for (const it of Object.keys(outputs)) if (!asked.sourcemap && it.endsWith('.map')) delete outputs[it];
        return { warnings: warnings.map((text) => ({ text })) };
      });

      // What the host brings itself, and what only Node has, unless a package of that name is installed.
      build.onResolve({ filter: /^[^./]/, namespace: 'file' }, async ({ path, pluginData, ...place }) => {
        if (brings(host, path)) return { path, external: true };
        if (!isBuiltin(path) || pluginData === SEEN) return undefined;
        if (!path.startsWith('node:')) {
          const { errors, suffix, ...found } = await build.resolve(path, { ...place, pluginData: SEEN });
          if (errors.length === 0) return found;
        }
        const own = place.importer.startsWith(SOURCE) ? 'mqtt-mote/node is for Node alone: ' : '';
        return { errors: [{ text: `${own}${target} has no ${path}` }] };
      });

      // The package itself, by its name, from the sources that it ships.
      build.onResolve({ filter: /^mqtt-mote(\/|$)/ }, ({ path }) => {
        const name = path === 'mqtt-mote' ? '.' : path.replace('mqtt-mote', '.');
        if (!faces().includes(name)) return { errors: [{ text: `${path} is not a module of mqtt-mote for devices` }] };
        return { path: join(SOURCE, `${name === '.' ? 'index' : name}.ts`), sideEffects: false };
      });
      build.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        path.startsWith(SOURCE) ? loadSource(path, names, makers, host) : undefined,
      );

      const { codec, text } = shimsFor(target);
      // mqtt-packet behind the framing, in the words of src. An app that imports it gets the package as it is.
      build.onResolve({ filter: /\/codec\.ts$/ }, ({ importer }) =>
        importer.startsWith(join(SOURCE, 'framing')) ? { path: codec, sideEffects: false } : undefined,
      );
      build.onLoad({ filter: /\.ts$/ }, ({ path }) =>
        path === codec || path === text ? loadSource(path, names, undefined, host) : undefined,
      );
      build.onResolve({ filter: /^mqtt-packet$/ }, ({ importer }) => {
        if (importer !== codec) return undefined;
        checkVersion(versionAt(fileOf('mqtt-packet/mqtt.js')));
        return { path: 'mqtt-packet/mqtt.js', namespace: FRAMING, sideEffects: false };
      });
      build.onResolve({ filter: /.*/, namespace: FRAMING }, ({ path, importer }) => {
        if (path === UTF8) return { path: text, sideEffects: false };
        if (!path.startsWith('./'))
          throw new Error(`mqtt-mote bundler: no shim for ${path}, which mqtt-packet asks for`);
        return { path: posix.join(dirname(importer), `${path}.js`), namespace: FRAMING, sideEffects: false };
      });
      build.onLoad({ filter: /.*/, namespace: FRAMING }, ({ path }) => ({
        contents: specialise(basename(path), readFileSync(fileOf(path), 'utf8'), names.properties),
        loader: 'js',
      }));

      // What src signs with is specialised; what an app hashes itself is not.
      build.onResolve({ filter: /^@noble\/hashes\// }, ({ path, importer }) => {
        if (!importer.startsWith(SOURCE)) return undefined;
        checkHashesVersion(versionAt(fileOf(path)));
        return { path, namespace: HASHES, sideEffects: false };
      });
      build.onResolve({ filter: /^\.\//, namespace: HASHES }, ({ path, importer }) => ({
        path: posix.join(dirname(importer), path),
        namespace: HASHES,
        sideEffects: false,
      }));
      build.onLoad({ filter: /.*/, namespace: HASHES }, ({ path }) => ({
        contents: specialiseHashes(basename(path), readFileSync(fileOf(path), 'utf8'), host.preloads),
        loader: 'js',
      }));
      build.onLoad({ filter: /@noble[\\/]hashes[\\/][^\\/]+\.js$/ }, ({ path }) => loadNoble(path));

      build.onLoad({ filter: /\.[jt]s$/, namespace: 'file' }, ({ path }) =>
        path.includes('node_modules') ? undefined : asModule(path, readFileSync(path, 'utf8')),
      );
    },
  };
}
