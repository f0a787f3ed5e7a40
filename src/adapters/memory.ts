// A host of its own, without sockets or a real clock: time moves when it is told to. For tests of apps and of this package.

import { type MqttError, mqttError } from '../error.ts';
import { after, type Instant, type Millis, until } from '../time.ts';
import type { Adapter, Alarm, Endpoint, Security, Transport, TransportEvents } from './adapter.ts';

interface Task {
  readonly at: Instant;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Virtual time. Nothing happens between two calls of its methods. */
export class VirtualTime {
  private instant: Instant;
  private tasks: Task[] = [];
  private order = 0;
  /** How many tasks have been run: a count of wake-ups. */
  ran = 0;

  /** @param start any uint32; near 2^32 the clock wraps */
  constructor(start: Instant = 0) {
    this.instant = start;
  }

  now(): Instant {
    return this.instant;
  }

  /** Runs something after so many milliseconds, after everything due by then. @returns how to take it back */
  schedule(millis: Millis, run: () => void): () => void {
    const task: Task = { at: after(this.instant, millis), order: this.order++, run };
    this.tasks.push(task);
    return () => {
      task.run = undefined;
      this.tasks = this.tasks.filter((it) => it !== task);
    };
  }

  /** Tasks that wait. */
  pending(): number {
    return this.tasks.length;
  }

  /** How long until the next task, or undefined. */
  next(): Millis | undefined {
    const first = this.first();
    return first && Math.max(0, until(first.at, this.instant));
  }

  /** Moves time on, and runs what falls due, in order; what is scheduled meanwhile included. */
  advance(millis: Millis): void {
    const end = after(this.instant, millis);
    for (let it = this.first(); it && until(it.at, end) <= 0; it = this.first()) {
      if (until(it.at, this.instant) > 0) this.instant = it.at;
      this.tasks = this.tasks.filter((other) => other !== it);
      this.ran++;
      it.run?.();
    }
    if (until(end, this.instant) > 0) this.instant = end; // A task may have jumped beyond.
  }

  /** Moves the clock without running anything: a host that was suspended. */
  jump(millis: Millis): void {
    this.instant = after(this.instant, millis);
  }

  /** A timer on this clock. */
  alarm(ring: () => void): Alarm {
    let cancel = () => {};
    return {
      set: (millis) => {
        cancel();
        cancel = this.schedule(millis, ring);
      },
      clear: () => cancel(),
    };
  }

  private first(): Task | undefined {
    let first: Task | undefined;
    for (const it of this.tasks) {
      const sooner = first ? until(it.at, first.at) : -1;
      if (sooner < 0 || (sooner === 0 && it.order < first!.order)) first = it;
    }
    return first;
  }
}

/** The far end of a link in memory: what a server holds. */
export interface MemoryPeer {
  readonly endpoint: Endpoint;
  /** False once either side has closed. */
  readonly open: boolean;
  /** Set by the server: bytes came from the client. */
  onReceived: (bytes: Uint8Array) => void;
  /** Set by the server: the client has closed. */
  onClosed: () => void;
  /** Sends bytes to the client. */
  send(bytes: Uint8Array): void;
  /** Closes; with an error the client sees a failure instead of an ordered end. What was sent before arrives. */
  close(error?: MqttError): void;
  /** Lets the client write so many bytes more; 0 stalls it. Unlimited until first called. */
  allow(bytes: number): void;
}

export interface MemoryAdapterOptions {
  readonly time: VirtualTime;
  /** Called for each dial, once the link is open; false refuses the connection. */
  readonly accept: (peer: MemoryPeer) => boolean | undefined;
  /** How long each event takes to the other side, in milliseconds; default 0. Order is always kept. */
  readonly latency?: (() => Millis) | undefined;
  /** Default `authenticated`. */
  readonly security?: Security | undefined;
  /** Uniform in [0, 1); default a constant 0.5. */
  readonly random?: (() => number) | undefined;
  /** Gets what listeners threw; default: time throws it at whoever moves it. */
  readonly report?: ((error: unknown) => void) | undefined;
}

class MemoryLink implements Transport, MemoryPeer {
  readonly endpoint: Endpoint;
  open = false;
  onReceived: (bytes: Uint8Array) => void = () => {};
  onClosed: () => void = () => {};
  private readonly options: MemoryAdapterOptions;
  private readonly events: TransportEvents;
  private room = Number.POSITIVE_INFINITY;
  private full = false;
  private paused = false;
  /** What came while reading was paused, and how it ended. */
  private unread: (() => void)[] = [];
  private toClient: Instant;
  private toServer: Instant;
  private ended = false;

  constructor(options: MemoryAdapterOptions, endpoint: Endpoint, events: TransportEvents) {
    this.options = options;
    this.endpoint = endpoint;
    this.events = events;
    this.toClient = options.time.now();
    this.toServer = this.toClient;
    this.later('toClient', () => this.establish());
  }

  private establish(): void {
    if (this.ended) return;
    this.open = true;
    if (this.options.accept(this) === false) {
      this.open = false;
      return this.finish(mqttError('tcp', 'connection refused', { reason: 'econnrefused' }));
    }
    this.events.opened();
  }

  /** Runs something at the other side, after all that was sent there before. */
  private later(direction: 'toClient' | 'toServer', run: () => void): void {
    const { time, latency } = this.options;
    const arrival = after(time.now(), latency?.() ?? 0);
    if (until(this[direction], arrival) < 0) this[direction] = arrival;
    time.schedule(Math.max(0, until(this[direction], time.now())), run);
  }

  private finish(error?: MqttError): void {
    if (this.ended) return;
    this.ended = true;
    this.unread = [];
    this.events.closed(error);
  }

  private arrive(run: () => void): void {
    if (this.ended) return;
    if (this.paused) this.unread.push(run);
    else run();
  }

  // The client's side.

  write(bytes: Uint8Array): number {
    if (!this.open || this.full) return 0;
    const taken = Math.min(bytes.length, this.room);
    this.room -= taken;
    this.full = taken < bytes.length;
    const copy = bytes.slice(0, taken);
    if (taken > 0) this.later('toServer', () => this.onReceived(copy));
    return taken;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused && !this.ended) {
      const run = this.unread.shift();
      if (!run) return;
      run();
    }
  }

  abort(): void {
    const wasOpen = this.open;
    this.open = false;
    this.ended = true;
    this.unread = [];
    if (wasOpen) this.later('toServer', () => this.onClosed());
  }

  // Both sides.

  /** Of the transport without an error; of the peer with or without one. */
  close(error?: MqttError): void {
    if (!this.open) return;
    this.open = false;
    this.later('toServer', () => this.onClosed());
    this.later('toClient', () => this.arrive(() => this.finish(error)));
  }

  // The server's side.

  send(bytes: Uint8Array): void {
    if (!this.open) return;
    const copy = bytes.slice();
    this.later('toClient', () => this.arrive(() => this.events.received(copy)));
  }

  allow(bytes: number): void {
    this.room = bytes;
    if (bytes > 0 && this.full) {
      this.full = false;
      this.later('toClient', () => this.ended || this.events.writable());
    }
  }
}

/** An adapter whose network ends in `accept`, on a clock that stands still until it is moved. */
export function memoryAdapter(options: MemoryAdapterOptions): Adapter {
  const { time, security = 'authenticated', random = () => 0.5 } = options;
  return {
    security,
    random,
    report(error) {
      if (options.report) return options.report(error);
      time.schedule(0, () => {
        throw error;
      });
    },
    now: () => time.now(),
    alarm: (ring) => time.alarm(ring),
    dial: (endpoint, events) => new MemoryLink(options, endpoint, events),
  };
}
