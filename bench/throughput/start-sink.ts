// Starts the sink in a process of its own.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { buildProgram } from '../runner/programs.ts';

export interface Sink {
  readonly port: number;
  stop(): void;
}

export async function startSink(): Promise<Sink> {
  const { file } = await buildProgram('throughput/sink.ts');
  const child = fork(file, { stdio: 'inherit' });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { port, stop: () => child.disconnect() };
}
