// A host with the I/O of ECMA-419, as strict as the real one: it throws where Moddable throws, counts what may be written,
// tells of an end only after what was unread, and dies of an exception that leaves a callback.

import type { Ecma419Request, Ecma419SocketOptions } from '../../src/ecma419.ts';
import { type MemoryPeer, VirtualTime } from '../../src/memory.ts';

/** What a socket buffers in each direction, and how often the host looks after it, in milliseconds. */
const BUFFER = 1_536;
const TICK = 20;

const NONE = new Uint8Array(0);

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** The far end of a socket. */
export class FarEnd implements MemoryPeer {
  readonly endpoint: { host: string; port: number };
  onReceived: (bytes: Uint8Array) => void = () => {};
  onClosed: () => void = () => {};
  /** The device has not closed, nor has this side. */
  open = true;
  accepted = false;
  ended = false;
  /** Sent by this side and not in the socket yet. */
  wire: Uint8Array = NONE;
  /** Sent by the device. */
  received: Uint8Array = NONE;
  /** How many bytes each write had. */
  readonly writes: number[] = [];
  /** Whether the network takes anything. */
  stalled = false;
  wake: () => void = () => {};

  constructor(host: string, port: number) {
    this.endpoint = { host, port };
  }

  /** The connection is there; without it the device waits. */
  accept(): void {
    this.accepted = true;
    this.wake();
  }

  send(bytes: Uint8Array): void {
    if (!this.open) return;
    this.wire = concat(this.wire, bytes);
    this.wake();
  }

  /** In order or with a reset: the socket does not tell. */
  close(): void {
    this.open = false;
    this.ended = true;
    this.wake();
  }

  allow(bytes: number): void {
    this.stalled = bytes === 0;
    this.wake();
  }
}

export interface FakeHostOptions {
  /** Called for each connection; by default nobody takes it. */
  readonly accept?: (peer: FarEnd) => boolean | undefined;
  /** Called for each connection, when the device has asked for it. */
  readonly dialed?: (peer: FarEnd) => void;
  /** Addresses by name; null answers with an error. Other names get no answer. */
  readonly names?: Readonly<Record<string, string | null>>;
  readonly time?: VirtualTime;
}

export class FakeHost {
  readonly time: VirtualTime;
  readonly peers: FarEnd[] = [];
  /** What has left a callback: the machine has ended. */
  aborted: unknown = undefined;
  /** Timers that were set and have neither fired nor been cleared. */
  timers: object[] = [];
  readonly options: FakeHostOptions;
  readonly TCP: new (
    options: Ecma419SocketOptions,
  ) => FakeTcp;
  readonly Timer;
  readonly Time;
  readonly resolver;
  /** Options of every socket so far. */
  readonly made: Ecma419SocketOptions[] = [];

  constructor(options: FakeHostOptions = {}) {
    const host = this;
    this.options = options;
    this.time = options.time ?? new VirtualTime();
    this.TCP = class extends FakeTcp {
      constructor(given: Ecma419SocketOptions) {
        super(host, given);
      }
    };
    this.Timer = {
      set: (callback: () => void, millis: number) => this.setTimer(callback, millis),
      clear: (id: { cancel?: () => void } | undefined) => {
        id?.cancel?.();
        if (id) this.forget(id);
      },
    };
    this.Time = {
      get ticks() {
        return host.time.now() | 0; // Signed, as in C.
      },
    };
    this.resolver = { resolve: (request: Ecma419Request) => this.resolve(request) };
  }

  get peer(): FarEnd {
    return this.peers.at(-1)!;
  }

  /** What ecma419Tcp() takes. */
  get parts() {
    return { TCP: this.TCP, resolver: this.resolver, Timer: this.Timer, Time: this.Time, random: () => 0.5 };
  }

  /** Calls into the app: what it throws ends the machine. */
  call(run: () => void): void {
    if (this.aborted !== undefined) return;
    try {
      run();
    } catch (thrown) {
      this.aborted = thrown ?? 'undefined';
    }
  }

  private setTimer(callback: () => void, millis: number): object {
    if (!(millis >= 0 && millis <= 2 ** 31 - 1 && millis % 1 === 0)) throw new RangeError(`a timer of ${millis} ms`);
    const id = {
      cancel: this.time.schedule(millis, () => {
        this.forget(id);
        this.call(callback);
      }),
    };
    this.timers.push(id);
    return id;
  }

  private forget(id: object): void {
    this.timers = this.timers.filter((it) => it !== id);
  }

  private resolve({ host, onResolved, onError }: Ecma419Request): void {
    if (!host || !onResolved) throw new Error('undefined');
    const address = this.options.names?.[host];
    if (address === undefined) return;
    this.time.schedule(0, () => this.call(() => (address === null ? onError(host) : onResolved(host, address))));
  }
}

/** As on Linux: polled, with a buffer in each direction. */
export class FakeTcp {
  target: unknown;
  private readonly host: FakeHost;
  private readonly options: Ecma419SocketOptions;
  private readonly peer: FarEnd;
  private closed = false;
  private failed = false;
  private connected = false;
  private writable = 0;
  private unread: Uint8Array = NONE;
  private waiting = false;
  private readonly triggered = { writable: false, readable: false, error: false };

  constructor(host: FakeHost, options: Ecma419SocketOptions) {
    if (!/^\d+(\.\d+){3}$/.test(options.address)) throw new Error('invalid address');
    if (!(options.port >= 0 && options.port <= 65_535)) throw new RangeError('invalid port');
    this.host = host;
    this.options = options;
    this.target = options.target;
    host.made.push(options);
    this.peer = new FarEnd(options.address, options.port);
    this.peer.wake = () => this.later();
    host.peers.push(this.peer);
    host.options.dialed?.(this.peer);
    if (host.options.accept) {
      host.time.schedule(0, () => (host.options.accept!(this.peer) === false ? this.peer.close() : this.peer.accept()));
    }
  }

  read(count?: number | Uint8Array): ArrayBuffer | number | undefined {
    this.requireOpen();
    const there = this.unread.length;
    if (there === 0) return undefined;
    const wanted = count === undefined ? there : typeof count === 'number' ? count : count.byteLength;
    if (!(wanted > 0 && wanted <= there)) throw new Error('invalid');
    const bytes = this.unread.slice(0, wanted);
    this.unread = this.unread.subarray(wanted);
    if (this.failed && this.unread.length === 0) this.triggered.error = true;
    this.later();
    if (typeof count !== 'object') return bytes.buffer as ArrayBuffer;
    count.set(bytes);
    return wanted;
  }

  write(bytes: Uint8Array): number | undefined {
    this.requireOpen();
    if (!(bytes instanceof Uint8Array)) throw new TypeError('buffer expected');
    if (bytes.length > this.writable) throw new Error('would block');
    if (this.failed) return undefined;
    this.writable -= bytes.length;
    this.peer.writes.push(bytes.length);
    this.peer.received = concat(this.peer.received, bytes);
    const copy = bytes.slice();
    this.host.time.schedule(0, () => this.peer.onReceived(copy));
    this.later();
    return this.writable;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.peer.open = false;
    this.host.time.schedule(0, () => this.peer.onClosed());
  }

  private requireOpen(): void {
    if (this.closed) throw new TypeError('invalid host instance');
  }

  private later(): void {
    if (this.waiting || this.closed) return;
    this.waiting = true;
    this.host.time.schedule(TICK, () => {
      this.waiting = false;
      this.tick();
    });
  }

  private tick(): void {
    const { peer, triggered, options } = this;
    if (this.closed) return;
    if (!this.connected && peer.ended) this.failed = triggered.error = true;
    else if (peer.accepted) this.exchange();
    const { writable, readable, error } = triggered;
    triggered.writable = triggered.readable = triggered.error = false;
    const alive = () => !this.closed;
    if (writable && !this.failed) this.host.call(() => options.onWritable.call(this, this.writable));
    if (readable && alive() && this.unread.length > 0)
      this.host.call(() => options.onReadable.call(this, this.unread.length));
    if (error && alive()) this.host.call(() => options.onError.call(this));
    if (triggered.error || peer.wire.length > 0) this.later();
  }

  private exchange(): void {
    const { peer, triggered } = this;
    this.connected = true;
    if (this.writable !== BUFFER && !peer.stalled) {
      this.writable = BUFFER;
      triggered.writable = true;
    }
    const room = Math.min(BUFFER - this.unread.length, peer.wire.length);
    if (room > 0) {
      this.unread = concat(this.unread, peer.wire.subarray(0, room));
      peer.wire = peer.wire.subarray(room);
      triggered.readable = true;
    } else if (peer.ended && peer.wire.length === 0 && !this.failed) {
      this.failed = true;
      triggered.error = this.unread.length === 0;
    }
  }
}
