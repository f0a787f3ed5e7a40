// The outside of the bridge: runs a program in XS, connects its sockets to streams, and moves its time on.

import type { Duplex } from 'node:stream';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { type Answer, Xsnap } from './xsnap.ts';

export type ToGuest =
  | ['start', Record<string, unknown>]
  | ['advance', number]
  | ['accepted' | 'closed', number]
  | ['received', number, number[]]
  | ['act', string]
  | ['collect'];

export type FromGuest =
  | ['open', number, string, number]
  | ['write', number, number[]]
  | ['close', number]
  | ['print', string];

export interface Machine {
  evaluate(code: string): Promise<Answer>;
  command(text: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface XsDeviceOptions {
  /** Default: XS. */
  readonly machine?: Machine;
  readonly code: string;
  /** Opens what a socket of the device asks for. */
  readonly connect: (host: string, port: number) => Duplex;
  /** Time goes on by so much with each command, and only after the streams are quiet; default: as fast as it really does. */
  readonly stepMillis?: number;
}

/** Turns of the event loop in which streams in memory have come to rest. */
const QUIET = 30;

export class XsDevice {
  readonly lines: string[] = [];
  compute = 0;
  heapCount = 0;
  private readonly xs: Machine;
  private readonly options: XsDeviceOptions;
  private readonly streams = new Map<number, Duplex>();
  private events: ToGuest[] = [];
  private now = performance.now();

  constructor(options: XsDeviceOptions) {
    this.options = options;
    this.xs = options.machine ?? new Xsnap();
  }

  /** Loads the program. @returns slots in use before and after, without garbage */
  async load(): Promise<{ empty: number; loaded: number }> {
    await this.xs.evaluate('gc()');
    const { currentHeapCount } = await this.xs.evaluate('gc()');
    const { compute } = await this.xs.evaluate(this.options.code);
    this.compute += compute;
    await this.collect();
    return { empty: currentHeapCount, loaded: this.heapCount };
  }

  /** Sends events to the program, and does what it asks for. */
  async command(...events: ToGuest[]): Promise<void> {
    const { reply, compute, currentHeapCount } = await this.xs.command(JSON.stringify(events));
    this.compute += compute;
    this.heapCount = currentHeapCount;
    for (const it of JSON.parse(reply.toString()) as FromGuest[]) this.obey(it);
  }

  /** Takes the garbage out, so that `heapCount` says what is in use. */
  async collect(): Promise<void> {
    await this.command(['collect']);
    await this.command(['collect']); // The answer to the first is garbage too.
  }

  /** One step of time, with everything that came meanwhile. */
  async step(): Promise<void> {
    const { stepMillis } = this.options;
    if (stepMillis === undefined) await delay(this.events.length > 0 ? 0 : 3);
    else for (let i = 0; i < QUIET; i++) await turn();
    const { events } = this;
    this.events = [];
    const now = performance.now();
    const elapsed = stepMillis ?? Math.round(now - this.now);
    this.now = now;
    await this.command(...events, ['advance', elapsed]);
  }

  /** Goes on until a line is printed that fits. @throws Error after so many steps without one */
  async until(fits: RegExp, steps = 20_000): Promise<void> {
    const from = this.lines.length;
    for (let i = 0; i < steps; i++) {
      if (this.lines.slice(from).some((it) => fits.test(it))) return;
      await this.step();
    }
    throw new Error(`no ${fits} after ${this.lines.join('; ')}`);
  }

  async close(): Promise<void> {
    for (const it of this.streams.values()) it.destroy();
    await this.xs.close();
  }

  private obey(it: FromGuest): void {
    switch (it[0]) {
      case 'print':
        this.lines.push(it[1]);
        return;
      case 'open':
        return this.open(it[1], this.options.connect(it[2], it[3]));
      case 'write':
        this.streams.get(it[1])?.write(Uint8Array.from(it[2]));
        return;
      case 'close':
        this.streams.get(it[1])?.end();
        return;
    }
  }

  private open(id: number, stream: Duplex): void {
    const tell = (event: ToGuest) => void this.events.push(event);
    this.streams.set(id, stream);
    const isSocket = 'connecting' in stream && stream.connecting;
    if (isSocket) stream.once('connect', () => tell(['accepted', id]));
    else tell(['accepted', id]);
    stream.on('data', (bytes: Buffer) => tell(['received', id, [...bytes]]));
    stream.on('error', () => {}); // The close follows.
    stream.on('close', () => tell(['closed', id]));
  }
}
