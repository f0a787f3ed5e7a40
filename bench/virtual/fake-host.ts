// A host for the peers: fake timers in place of Node's, and links of streams. Imported before any peer is.

import { Duplex } from 'node:stream';
import FakeTimers from '@sinonjs/fake-timers';
import { Server, type ServerOptions } from './server.ts';

export const clock = FakeTimers.install({
  now: 1_000_000,
  toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance', 'hrtime'],
});
const begin = clock.now;

/** Milliseconds since the begin. */
export const elapsed = (): number => clock.now - begin;

/** What the network and the server do: nobody wakes up for it. */
export const { setTimeout: later, setInterval: repeatedly } = globalThis;

/** Calls something whenever a timer of the peer or of the app rings. */
export function watchTimers(rings: () => void): void {
  const watched = (start: typeof setTimeout | typeof setInterval) =>
    Object.assign(
      (run: (...args: unknown[]) => void, millis?: number, ...args: unknown[]) =>
        start(() => {
          rings();
          run(...args);
        }, millis),
      start,
    );
  Object.assign(globalThis, { setTimeout: watched(later), setInterval: watched(repeatedly) });
}

/** In place of Math.random: the same in every run. */
export function fixRandom(random: () => number): void {
  Math.random = random;
}

export interface LinkOptions extends ServerOptions {
  /** One way, in milliseconds. */
  readonly latency: number;
  /** The link has reached the server, which may refuse it. */
  readonly dialled?: () => void;
  /** The device's radio. */
  readonly sent?: () => void;
  readonly received?: () => void;
  /** The link is gone. */
  readonly lost?: () => void;
}

/** The device's end of a link to a server of its own. */
export class LinkStream extends Duplex {
  readonly server: Server;
  private readonly link: LinkOptions;

  constructor(link: LinkOptions) {
    super();
    this.link = link;
    const send = (bytes: Uint8Array) =>
      void later(() => {
        link.received?.();
        this.push(Buffer.from(bytes));
      }, link.latency);
    const close = () => void later(() => this.destroy(), link.latency);
    const schedule = (millis: number, run: () => void) => void later(run, millis);
    this.server = new Server({ send, close }, { now: elapsed, schedule }, link);
    this.once('close', () => {
      link.lost?.();
      this.server.end();
    });
    later(() => this.open(), link.latency);
  }

  private open(): void {
    this.link.dialled?.();
    if (this.link.isDown?.()) this.destroy(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }));
    else this.emit('connect');
  }

  // What a socket has beyond a stream.

  setNoDelay(): void {}

  setTimeout(): void {}

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.link.sent?.();
    later(() => this.server.received(bytes), this.link.latency);
    done();
  }
}
