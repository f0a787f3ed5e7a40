// Programs that measure: each is bundled into one file, as apps are, and run by a process of its own, so that neither a compiler
// nor what was measured before is in a figure.

import { spawn } from 'node:child_process';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Below bench/, so that the peers are found from there. */
export const OUT = join(import.meta.dirname, '..', '.work');

/** By name. What a program measures of one contender in one round. */
export type Sample = Record<string, number>;

export interface Program {
  readonly file: string;
}

/**
 * What is imported dynamically stays so: some things have to be there before others.
 * @param entry a path below bench/ @param outdir from where packages are found by name; default below bench/
 */
export async function buildProgram(entry: string, outdir = OUT): Promise<Program> {
  const path = join(import.meta.dirname, '..', entry);
  const name = `${basename(dirname(path))}-${basename(path, '.ts')}`;
  await build({
    entryPoints: [{ in: path, out: name }],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  return { file: join(outdir, `${name}.mjs`) };
}

/** Runs a program with arguments; its last line on standard output is what it found, as JSON. */
export function runProgram<Found = Sample>(
  { file }: Program,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeOptions, file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const last = output.trim().split('\n').at(-1) ?? '';
      if (code === 0 && last.startsWith('{')) resolve(JSON.parse(last));
      else reject(new Error(`${basename(file)} ${args.join(' ')} ended with ${code}: ${output}`));
    });
  });
}
