// What a host supplies: a network, a monotonic clock, one timer at a time and randomness. Everything else is ours.

import type { MqttError } from '../error.ts';
import type { Instant, Millis } from '../time.ts';

export interface Endpoint {
  /** A host name or an address. It comes from the platform's console; the package knows none. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** The set of root certificates for its server, by name, where the adapter has several: `trusted()`. */
  readonly roots?: string | undefined;
}

/** Something the app should know that is not (yet) an error. Told apart by `code`. */
export interface Warning {
  readonly code:
    | 'plaintext'
    | 'unauthenticated-server'
    | 'ca-expiring'
    | 'roots-rolled-back'
    | 'roots-fallback'
    | 'takeover-suspected'
    | 'keep-alive-lengthened'
    | 'subscription-refused'
    | 'rate-shaped'
    | 'clock-wrong'
    | 'failover'
    | 'listener-failed';
  readonly message: string;
  readonly cause?: unknown;
}

/** How a transport speaks to its client. Never called before dial() has returned, nor after closed(). */
export interface TransportEvents {
  /** Bytes can go both ways: after the TLS handshake, with the server's certificate verified. */
  opened(): void;
  received(bytes: Uint8Array): void;
  /**
   * From within write(), if at all: the transport needs the bytes that it was given no more, since it has a copy, or the system
   * has. Their memory is used for the next packet.
   */
  taken?(bytes: Uint8Array): void;
  /** There is room again after write() took less than it was given. */
  writable(): void;
  /** The last event, once; none need follow abort(). No error where the peer or this side closed in order. */
  closed(error?: MqttError): void;
  warning(warning: Warning): void;
}

/**
 * One network connection: an ordered, lossless stream of bytes in both directions [MQTT-4.2.0-1]. What write() or close() throws
 * costs the connection; the others must not throw.
 */
export interface Transport {
  /**
   * Takes bytes from the front, keeps no reference to what it does not take, and returns how many it took. Where a transport tells
   * that it has `taken` them, they may be written over at once.
   */
  write(bytes: Uint8Array): number;
  /** Stops reading; bytes on their way may still arrive. */
  pause(): void;
  resume(): void;
  /** Closes after everything taken was sent. Can be called again. */
  close(): void;
  /** Closes at once, losing what was not sent. Can be called at any time. */
  abort(): void;
}

export interface Alarm {
  /** Rings once after so many milliseconds, at most 2^31 - 1; replaces an earlier setting. */
  set(after: Millis): void;
  clear(): void;
}

/** `authenticated`: TLS with the server verified. `unauthenticated`: TLS, but anyone may be at the other end. */
export type Security = 'authenticated' | 'unauthenticated' | 'plaintext';

export interface Adapter {
  readonly security: Security;
  /** Begins to open a network connection. @throws MqttError 'bad-option' */
  dial(endpoint: Endpoint, events: TransportEvents): Transport;
  now(): Instant;
  /** Makes a timer that is not set. */
  alarm(ring: () => void): Alarm;
  /** Uniform in [0, 1). Spreads reconnects; need not be secret. */
  random(): number;
  /** Gets what a listener of the app threw when nobody listens for warnings. Must not throw. */
  report(error: unknown): void;
}
