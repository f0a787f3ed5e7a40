// The real Moddable SDK, where the environment variable MODDABLE names one whose tools for Linux are built: builds a device of
// its manifest as mcconfig does for the simulator, and runs it without the simulator's window.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const { MODDABLE } = process.env;
const TOOLS = join(MODDABLE ?? '', 'build/bin/lin/release');
const BUILD = join(import.meta.dirname, '../../.work/moddable/build');
const HOST = join(BUILD, 'moddable-host');

/** Why nothing can be built here, or false. */
export const whyNotModdable: string | false =
  MODDABLE === undefined
    ? 'MODDABLE names no SDK'
    : existsSync(join(TOOLS, 'mcconfig'))
      ? false
      : `${MODDABLE} has no tools for Linux: build xsc, xsid, xsl and tools`;

export interface Built {
  /** What the host loads. */
  readonly library: string;
  /** What the linker says of modules that it preloads: `main: x: not frozen`. */
  readonly warnings: readonly string[];
}

/**
 * A release build with instrumentation.
 * @param file a manifest.json, or a package.json for mcpack; its folder has a name of its own, and the build is called so
 */
export async function buildModdable(file: string): Promise<Built> {
  mkdirSync(BUILD, { recursive: true });
  const folder = dirname(file);
  const options = ['-m', '-i', '-p', 'lin', '-t', 'build', '-o', BUILD];
  const isPackage = basename(file) === 'package.json';
  const [tool, ...words] = isPackage ? ['mcpack', 'mcconfig', ...options] : ['mcconfig', ...options, file];
  const { stdout, stderr } = await promisify(execFile)(join(TOOLS, tool!), words, {
    cwd: folder,
    env: { ...process.env, PATH: `${TOOLS}${delimiter}${process.env.PATH}` },
    maxBuffer: 1e8,
  });
  return {
    library: join(BUILD, 'bin/lin/mc/instrument', basename(folder), 'mc.so'),
    warnings: [...`${stdout}\n${stderr}`.matchAll(/^### warning: (.*)$/gm)].map(([, text]) => text!),
  };
}

/** Compiles what stands for the simulator. */
export function buildModdableHost(): void {
  mkdirSync(BUILD, { recursive: true });
  const flags = (what: string): string[] =>
    execFileSync('pkg-config', [what, 'gio-2.0'], { encoding: 'utf8' }).trim().split(/\s+/);
  const source = join(import.meta.dirname, 'moddable-host.c');
  const include = `-I${join(MODDABLE!, 'build/simulators/modules')}`;
  execFileSync('cc', ['-Wall', '-Wextra', '-O', ...flags('--cflags'), include, source, '-o', HOST, ...flags('--libs')]);
}

export interface ModdableRun {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs a device until it ends itself, or has traced a line. @param message what it is told first */
export async function runModdable(library: string, message: string, last?: string): Promise<ModdableRun> {
  const child = spawn(HOST, [library, message], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  // An instrumented build tells of its counts, and of exceptions that are caught later.
  const lines = () => said.split('\n').filter((it) => it !== '' && !/^(instruments|Exception )/.test(it));
  child.stdout.on('data', (chunk) => {
    said += chunk;
    if (last !== undefined && lines().includes(last)) child.kill();
  });
  const [code] = await once(child, 'close');
  return { code, lines: lines() };
}
