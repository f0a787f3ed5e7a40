// Espruino's net, tls, timers and clock as they are on the real thing: events that wait for the idle loop, data that does
// not, errors thrown by connect(), no pause, a buffer that takes anything. Measured on Espruino 2v29.

import type { EspruinoNet, EspruinoSocket } from '../../src/espruino.ts';

/** Bytes that Espruino sends and receives in one turn. */
const CHUNK = 536;

type Listener = (...args: unknown[]) => void;

/** How the far end closes, by what Espruino finds out. */
export type Ending = 'end' | 'reset' | 'close-notify';

const CODES: Readonly<Record<Ending, number>> = { end: -1, reset: -1, 'close-notify': -30_848 };

/** A binary string, as Espruino's strings of received bytes are. */
const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

class Socket implements EspruinoSocket {
  readonly options: object;
  readonly listeners: Record<string, Listener> = {};
  clsNow = false;
  /** What end() asks for: closed as soon as nothing waits to be sent. */
  private cls = false;
  private unsent = '';
  private connected = false;
  private readonly host: FakeEspruino;

  constructor(host: FakeEspruino, options: object) {
    this.host = host;
    this.options = options;
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.listeners[event] = listener as Listener;
  }

  write(bytes: string): boolean {
    this.host.needNetwork();
    if (this.cls || this.clsNow) throw new Error('This socket is closed');
    this.unsent += String(bytes); // Whatever it is: bytes become the text "1,2,200".
    return false;
  }

  end(): void {
    this.host.needNetwork();
    if (this.unsent === '') this.clsNow = true;
    this.cls = true;
  }

  /** Nothing hears of an event that had no listener when it was queued. */
  private queue(event: string, ...args: unknown[]): void {
    const listener = this.listeners[event];
    if (listener) this.host.events.push(() => listener(...args));
  }

  /** One turn of the idle loop. @returns false when the socket is gone */
  turn(): boolean {
    const { host } = this;
    let error = 0;
    let closes = this.clsNow;
    if (!closes) {
      if (this.unsent !== '') this.send();
      else if (this.cls) closes = true;
      if (host.outgoing !== '') {
        this.connect();
        const text = host.outgoing.slice(0, CHUNK);
        host.outgoing = host.outgoing.slice(CHUNK);
        this.listeners.data?.(text); // At once: other events wait.
      } else if (host.ending) {
        closes = true;
        error = CODES[host.ending];
      } else {
        this.connect();
      }
    }
    if (!closes) return true;
    if (this.unsent !== '' && error === -1) error = -8;
    if (error < -1) this.queue('error', { code: error, message: error === -8 ? 'unsent data' : 'unknown error' });
    this.cls = true;
    this.queue('end');
    this.queue('close', error < -1);
    return false;
  }

  private send(): void {
    const { host } = this;
    const count = Math.min(CHUNK, host.room, this.unsent.length);
    if (count === 0 || (host.tls && !host.handshaken)) return;
    host.room -= count;
    host.received += this.unsent.slice(0, count);
    this.unsent = this.unsent.slice(count);
    host.pieces.push(count);
    if (this.unsent === '' && !this.cls) this.queue('drain');
  }

  private connect(): void {
    if (this.connected) return;
    this.connected = true;
    this.queue('connect');
    if (this.unsent === '') this.queue('drain');
  }
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** One device, its network and one server, in virtual time. */
export class FakeEspruino implements EspruinoNet {
  readonly tls: boolean;
  /** What is thrown by the next connect(). */
  refuses: string | undefined = undefined;
  /** Of the TLS handshake, which goes on behind the back of the device. */
  handshaken = true;
  online = true;
  /** What the server has got, as a binary string, and in pieces of how many bytes. */
  received = '';
  readonly pieces: number[] = [];
  /** Bytes that the server will still take. */
  room = Number.POSITIVE_INFINITY;
  outgoing = '';
  ending: Ending | undefined = undefined;
  readonly sockets: Socket[] = [];
  events: (() => void)[] = [];
  /** By their numbers. */
  readonly timers = new Map<number, Timer>();
  /** What the console showed. */
  readonly console: unknown[] = [];
  private seconds = 1_000.25;
  private readonly saved = new Map<string, unknown>();

  constructor(tls = false) {
    this.tls = tls;
  }

  connect(options: object): EspruinoSocket {
    this.needNetwork();
    const socket = new Socket(this, options);
    this.sockets.push(socket);
    const message = this.refuses;
    if (message === undefined) return socket;
    socket.clsNow = true;
    throw Object.assign(new Error(message), { stack: 'at connect (:1:1)' });
  }

  needNetwork(): void {
    if (!this.online) throw new Error('Not connected to the internet');
  }

  /** The server sends. */
  send(bytes: Uint8Array): void {
    this.outgoing += binary(bytes);
  }

  /** Turns of the idle loop: every socket once, then what was queued, then the timers that are due. */
  turn(times = 1): void {
    for (let i = 0; i < times; i++) {
      if (!this.online) this.sockets.length = 0; // Gone without a word.
      for (const it of [...this.sockets]) if (!it.turn()) this.sockets.splice(this.sockets.indexOf(it), 1);
      while (this.events.length > 0) this.guard(this.events.shift()!);
      for (const [id, { at, run }] of [...this.timers]) {
        if (at > this.seconds || !this.timers.has(id)) continue;
        this.timers.delete(id);
        this.guard(run);
      }
    }
  }

  pass(seconds: number): void {
    this.seconds += seconds;
    this.turn();
  }

  /** setTime(): moves the clock, and every timer with it. */
  setTime(seconds: number): void {
    for (const [id, { at, run }] of this.timers) this.timers.set(id, { at: at + seconds - this.seconds, run });
    this.seconds = seconds;
  }

  /** Puts Espruino's globals in place of Node's. */
  install(): void {
    const globals = {
      E: {
        toString: (bytes: Uint8Array) => binary(bytes),
        toArrayBuffer: (text: string) => Uint8Array.from(Buffer.from(text, 'latin1')).buffer,
      },
      getTime: () => this.seconds,
      require: (name: string) => (name === (this.tls ? 'tls' : 'net') ? this : undefined),
      setTimeout: (run: () => void, millis: number) => this.setTimer(run, millis),
      clearTimeout: (id: unknown) => this.clearTimer(id),
    };
    const world = globalThis as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(globals)) {
      this.saved.set(name, world[name]);
      world[name] = value;
    }
  }

  uninstall(): void {
    for (const [name, value] of this.saved) Object.assign(globalThis, { [name]: value });
  }

  private setTimer(run: () => void, millis: number): number {
    const id = Math.max(0, ...this.timers.keys()) + 1; // So numbers are given again.
    this.timers.set(id, { at: this.seconds + Math.max(1, millis) / 1_000, run });
    return id;
  }

  private clearTimer(id: unknown): void {
    if (id === undefined) throw new Error('clearTimeout(undefined) not allowed. Use clearTimeout() instead');
    this.timers.delete(id as number);
  }

  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.console.push(error);
    }
  }
}
