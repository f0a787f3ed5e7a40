// Compiles the sink, and starts it in a process of its own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { OUT } from '../runner/programs.ts';

export interface Sink {
  readonly port: number;
  stop(): void;
}

/** @throws Error where there is no C compiler */
function compile(): string {
  const program = join(OUT, 'sink');
  mkdirSync(OUT, { recursive: true });
  try {
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, join(import.meta.dirname, 'sink.c')]);
  } catch (cause) {
    throw new Error('the sink, bench/throughput/sink.c, could not be compiled: is there a C compiler, cc?', { cause });
  }
  return program;
}

export async function startSink(): Promise<Sink> {
  const child = spawn(compile(), { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { port: Number(line), stop: () => child.stdin.end() };
}
