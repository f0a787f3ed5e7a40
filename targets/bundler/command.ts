#!/usr/bin/env node
// The command: npx mqtt-mote bundle app.ts --target espruino --out device.js

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { HOSTS } from './hosts.ts';
import { type Bundle, type BundleOptions, bundle, TARGETS } from './index.ts';

const HELP = `Usage: mqtt-mote bundle <app> --target <host> --out <file> [options]

Makes one file for a host out of an app in TypeScript or JavaScript that imports mqtt-mote.

  --target <host>      ${TARGETS.join(', ')}
  --out <file>         where the bundle goes
  --source-map         writes <file>.map as well: from a place in the bundle to the line of the source
  --messages           keeps the sentences of errors; --no-messages drops them (default: kept for node alone)
  --no-mangle          keeps the names of the package's own properties
  --no-minify          keeps the bundle readable
  --format <form>      esm (a module) or iife (a script); default: what suits the host
  --global-name <name> the variable that a script leaves the app's exports in
  --report             prints how many bytes come from which module
  --help, --version`;

/** A fault of whoever typed: told in one line. */
class Usage extends Error {}

const FLAGS = ['source-map', 'messages', 'no-messages', 'no-mangle', 'no-minify', 'report', 'help', 'version'] as const;
const VALUES = ['target', 'out', 'format', 'global-name'] as const;

type Flag = (typeof FLAGS)[number];
type Value = (typeof VALUES)[number];

interface Asked {
  readonly words: readonly string[];
  readonly values: Readonly<Partial<Record<Value, string> & Record<Flag, boolean>>>;
}

function read(args: readonly string[]): Asked {
  const options = Object.fromEntries([
    ...FLAGS.map((it) => [it, { type: 'boolean' }] as const),
    ...VALUES.map((it) => [it, { type: 'string' }] as const),
  ]);
  try {
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { words: positionals, values: values as Asked['values'] };
  } catch (error) {
    throw new Usage((error as Error).message.split('\n')[0]);
  }
}

function optionsOf({ words, values }: Asked): BundleOptions & { readonly outfile: string } {
  const [verb, entry, ...more] = words;
  const { target, out, format, 'global-name': globalName } = values;
  if (verb !== 'bundle') throw new Usage(verb === undefined ? 'what to do? bundle' : `${verb} is unknown: bundle`);
  if (entry === undefined) throw new Usage('which app? mqtt-mote bundle app.ts');
  if (more.length > 0) throw new Usage(`one app at a time: ${more.join(' ')} is too much`);
  if (target === undefined) throw new Usage(`--target is missing: ${TARGETS.join(', ')}`);
  if (!(target in HOSTS)) throw new Usage(`--target must be one of ${TARGETS.join(', ')}, not ${target}`);
  if (out === undefined) throw new Usage('--out is missing: where does the bundle go?');
  if (!existsSync(entry) || !statSync(entry).isFile()) throw new Usage(`there is no file ${entry}`);
  if (existsSync(out) && statSync(out).isDirectory()) throw new Usage(`--out must be a file: ${out} is a folder`);
  const options = { entry, outfile: out, target: target as BundleOptions['target'] };
  const form = format ?? HOSTS[options.target].format;
  if (form !== 'esm' && form !== 'iife') throw new Usage(`--format must be esm or iife, not ${form}`);
  if (globalName !== undefined && form === 'esm') throw new Usage('--global-name is for scripts: add --format iife');
  if (values.messages && values['no-messages']) throw new Usage('--messages and --no-messages exclude each other');
  return {
    ...options,
    format: form,
    globalName,
    mangle: !values['no-mangle'],
    minify: !values['no-minify'],
    messages: values.messages ?? (values['no-messages'] ? false : undefined),
  };
}

const number = (it: number): string => it.toLocaleString('en');

function table({ modules, bytes }: Bundle): string {
  const rows = [...modules, ['in all', bytes] as const];
  return rows.map(([name, size]) => `${number(size).padStart(8)}  ${name}`).join('\n');
}

function write(out: string, { code, map }: Bundle, withMap: boolean, linked: boolean): void {
  try {
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, withMap && linked ? `${code}//# sourceMappingURL=${basename(out)}.map\n` : code);
    if (withMap) writeFileSync(`${out}.map`, map);
  } catch (error) {
    throw new Usage(`${out} cannot be written: ${(error as Error).message}`);
  }
}

async function run(args: readonly string[]): Promise<void> {
  const asked = read(args);
  const { values } = asked;
  if (values.help) return console.log(HELP);
  if (values.version) {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    return console.log(version);
  }
  const options = optionsOf(asked);
  const made = await bundle(options);
  // Of the hosts, Node alone reads the link; elsewhere it would only take room.
  write(options.outfile, made, values['source-map'] === true, options.target === 'node');
  for (const it of made.warnings) console.error(`mqtt-mote: warning: ${it}`);
  if (values.report) console.log(table(made));
  console.log(
    `${options.outfile}: ${number(made.bytes)} bytes, ${number(made.gzipBytes)} with gzip, for ${options.target}`,
  );
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  const { message, stack } = error as Error;
  const isTold = error instanceof Usage || message?.startsWith('mqtt-mote bundler: ');
  console.error(isTold ? `mqtt-mote: ${message.replace(/^mqtt-mote bundler: /, '')}` : stack);
  process.exitCode = 1;
}
