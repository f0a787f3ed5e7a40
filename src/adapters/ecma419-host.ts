// What every ECMA-419 adapter has in common: what is handed in, timer, clock and randomness. Moddable is such a host.

import { mqttError } from '../error.ts';
import type { Instant, Millis } from '../time.ts';
import type { Adapter, Alarm, Endpoint, Security, Transport, TransportEvents } from './adapter.ts';

/** A socket of the host: `embedded:io/socket/tcp`, or TLS over it. Calls its callbacks with itself as `this`. */
export interface Ecma419Socket {
  /** An ArrayBuffer of everything that is there, or undefined. */
  read(): unknown;
  /** All or nothing: throws above what is writable, else returns what is still writable. */
  write(bytes: Uint8Array): unknown;
  close(): void;
}

export interface Ecma419SocketOptions {
  /** IPv4. */
  readonly address: string;
  /** The name that was resolved: for TLS. */
  readonly host: string;
  readonly port: number;
  readonly nodelay: boolean;
  /** Becomes `target` of the socket. */
  readonly target: unknown;
  readonly onReadable: (this: unknown, bytes: number) => void;
  readonly onWritable: (this: unknown, bytes: number) => void;
  readonly onError: (this: unknown, error?: unknown) => void;
}

export interface Ecma419Request {
  readonly host: string;
  readonly onResolved: (host: string, address: string) => void;
  readonly onError: (error?: unknown) => void;
}

export interface Ecma419Options {
  /** The class of `embedded:io/socket/tcp`. */
  readonly TCP: new (
    options: Ecma419SocketOptions,
  ) => Ecma419Socket;
  /** An instance of `embedded:network/dns/resolver/udp`, with its servers; left out: endpoints must be IPv4 addresses. */
  readonly resolver?: { resolve(request: Ecma419Request): void } | undefined;
  /** The class of the module `timer`. */
  readonly Timer: { set(callback: () => void, millis: number): unknown; clear(id: never): void };
  /** The class of the module `time`: `ticks` are monotonic milliseconds, of which the last 32 bits count. */
  readonly Time: { readonly ticks: number };
  /** Uniform in [0, 1); default Math.random, which the host has to seed. */
  readonly random?: (() => number) | undefined;
  /** Gets what listeners of the app threw when nobody listens for warnings; default `trace`, where the host has it. */
  readonly report?: ((error: unknown) => void) | undefined;
}

/** Hosts count timers in int32. */
const MAX_TIMER: Millis = 2 ** 31 - 1;

declare const trace: ((text: string) => void) | undefined;

export const messageOf = (thrown: unknown): string => {
  const message = (thrown as Error | undefined | null)?.message;
  return typeof message === 'string' && message !== '' ? message : String(thrown);
};

/** One timer of the host at a time. */
class Ecma419Alarm implements Alarm {
  private readonly timers: Ecma419Options['Timer'];
  private readonly ring: () => void;
  private timer: unknown = undefined;

  constructor(adapter: Ecma419Adapter, ring: () => void) {
    this.timers = adapter.options.Timer;
    this.ring = () => {
      this.timer = undefined;
      try {
        ring();
      } catch (thrown) {
        adapter.report(thrown);
      }
    };
  }

  set(after: Millis): void {
    this.clear();
    this.timer = this.timers.set(this.ring, Math.min(after, MAX_TIMER)); // Too early is no harm.
  }

  clear(): void {
    if (this.timer !== undefined) this.timers.clear(this.timer as never);
    this.timer = undefined;
  }
}

/** @throws MqttError 'bad-option' */
export function requireFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw mqttError('bad-option', `${name} must be handed in`);
}

/** A transport that is still to be opened. */
export interface Dialer extends Transport {
  /** @throws MqttError 'dns', 'tcp' or 'tls', where that shows at once */
  dial(endpoint: Endpoint): void;
}

type MakeDialer = (adapter: Ecma419Adapter, events: TransportEvents) => Dialer;

export class Ecma419Adapter implements Adapter {
  readonly options: Ecma419Options;
  readonly security: Security;
  private readonly makeDialer: MakeDialer;

  /** @throws MqttError 'bad-option' */
  constructor(options: Ecma419Options, security: Security, makeDialer: MakeDialer) {
    this.options = options;
    this.security = security;
    this.makeDialer = makeDialer;
    const { TCP, resolver, Timer, Time, random, report } = options ?? {};
    requireFunction('TCP', TCP);
    requireFunction('Timer.set', Timer?.set);
    requireFunction('Timer.clear', Timer?.clear);
    if (typeof Time?.ticks !== 'number') throw mqttError('bad-option', 'Time.ticks must be a number of milliseconds');
    if (resolver !== undefined) requireFunction('resolver.resolve', resolver?.resolve);
    if (random !== undefined) requireFunction('random', random);
    if (report !== undefined) requireFunction('report', report);
  }

  dial(endpoint: Endpoint, events: TransportEvents): Transport {
    const dialer = this.makeDialer(this, events);
    dialer.dial(endpoint);
    return dialer;
  }

  now(): Instant {
    return this.options.Time.ticks >>> 0;
  }

  alarm(ring: () => void): Alarm {
    return new Ecma419Alarm(this, ring);
  }

  random(): number {
    const { random } = this.options;
    return random ? random() : Math.random();
  }

  report(error: unknown): void {
    const { report } = this.options;
    try {
      if (report) report(error);
      else if (typeof trace === 'function') trace(`mqtt-mote: ${messageOf(error)}\n`);
    } catch {
      // Whoever cannot even report is beyond help, and the machine would end.
    }
  }
}
