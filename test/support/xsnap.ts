// The XS engine as a process: xsnap-worker of the npm package @agoric/xsnap, spoken to as that package does. It meters what it
// computes, and counts the slots of its heap, the same in every run.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const BUILT = '.work/xsnap/node_modules/@agoric/xsnap/xsnap-native/xsnap/build/bin/lin/release/xsnap-worker';

/** Named by the environment variable XSNAP, or where `.ci/run` builds it. Undefined: suites that need it are skipped, visibly. */
export const xsnapPath: string | undefined = [process.env.XSNAP, join(import.meta.dirname, '..', '..', BUILT)].find(
  (it) => it !== undefined && existsSync(it),
);

const OK = '.'.charCodeAt(0);
const ERROR = '!'.charCodeAt(0);
const SEPARATOR = 1;
const COLON = ':'.charCodeAt(0);

export interface Answer {
  readonly reply: Buffer;
  /** Steps of the engine that this command took. */
  readonly compute: number;
  /** Slots in use at its end, those of garbage included. */
  readonly currentHeapCount: number;
}

/** One machine. A command is sent when the one before has been answered. */
export class Xsnap {
  private readonly process: ChildProcess;
  private readonly toWorker: Writable;
  private pending: Buffer = Buffer.alloc(0);
  private settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor() {
    const ignored = 'ignore' as const;
    const stdio = [ignored, ignored, 'inherit' as const, 'pipe' as const, 'pipe' as const, ignored, ignored, ignored];
    this.process = spawn(xsnapPath!, ['mqtt-mote', '-l', '0'], { stdio });
    this.toWorker = this.process.stdio[3] as Writable;
    this.toWorker.on('error', () => {}); // The exit tells.
    (this.process.stdio[4] as Readable).on('data', (bytes: Buffer) => this.hear(bytes));
    this.process.on('exit', (code, signal) => this.settle?.reject(new Error(`XS has ended: ${signal ?? code}`)));
  }

  /** Runs a script. @throws what the script throws */
  evaluate(code: string): Promise<Answer> {
    return this.send('e', code);
  }

  /** Calls handleCommand() of the script. */
  command(text: string): Promise<Answer> {
    return this.send('?', text);
  }

  async close(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill();
    await once(this.process, 'exit');
  }

  private send(kind: string, text: string): Promise<Answer> {
    const message = Buffer.from(kind + text);
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
      this.toWorker.write(`${message.length}:`);
      this.toWorker.write(message);
      this.toWorker.write(',');
    });
  }

  /** Netstrings: `5:hello,`. */
  private hear(bytes: Buffer): void {
    this.pending = Buffer.concat([this.pending, bytes]);
    const colon = this.pending.indexOf(COLON);
    const length = Number(this.pending.subarray(0, colon).toString());
    if (colon < 0 || this.pending.length < colon + 1 + length + 1) return;
    const message = this.pending.subarray(colon + 1, colon + 1 + length);
    this.pending = this.pending.subarray(colon + 1 + length + 1);
    this.answer(message);
  }

  private answer(message: Buffer): void {
    const { settle } = this;
    this.settle = undefined;
    if (message[0] === ERROR) return settle?.reject(new Error(message.subarray(1).toString()));
    if (message[0] !== OK) return settle?.reject(new Error(`XS says ${message.toString()}`));
    const end = message.indexOf(SEPARATOR);
    const { compute, currentHeapCount } = JSON.parse(message.subarray(1, end).toString());
    settle?.resolve({ reply: message.subarray(end + 1), compute, currentHeapCount });
  }
}
