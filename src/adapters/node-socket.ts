// What TCP and TLS have in common on Node: a socket as a transport, and what its errors mean.

import type { Socket } from 'node:net';
import { type ErrorCode, type MqttError, mqttError } from '../error.ts';
import type { Millis } from '../time.ts';
import type { Alarm, Transport, TransportEvents } from './adapter.ts';

interface SystemError extends Error {
  /** Of a host with several addresses: how each of them failed. */
  readonly errors?: readonly SystemError[];
  readonly code?: string;
  readonly syscall?: string;
  readonly reason?: string;
}

/** OpenSSL and Node name what was wrong with a certificate; these are the ones that a person can act on. */
const TLS_REASONS: Readonly<Record<string, string>> = Object.freeze({
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'host-name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'untrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'untrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'untrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'untrusted',
  CERT_SIGNATURE_FAILURE: 'untrusted',
});

function codeOf(error: SystemError, wasOpen: boolean, tls: boolean): ErrorCode {
  if (error.syscall === 'getaddrinfo') return 'dns';
  const system = error.syscall !== undefined;
  return tls && !wasOpen && !(system && error.syscall === 'connect') ? 'tls' : 'tcp';
}

/** Names what went wrong. @param tls whether a handshake belongs to opening @param wasOpen whether it had opened */
export function networkError(cause: SystemError, wasOpen: boolean, tls: boolean): MqttError {
  const error = cause.errors?.[0] ?? cause;
  const code = codeOf(error, wasOpen, tls);
  const reason = code === 'tls' ? (TLS_REASONS[error.code ?? ''] ?? 'handshake') : error.code?.toLowerCase();
  return mqttError(code, error.message, reason === undefined ? { cause } : { cause, reason });
}

/** So many bytes are not kept until the end of the turn. */
const WRITE_NOW = 65_536;

/** One piece: copying small packets costs less than handing each to the system. */
function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = Buffer.allocUnsafe(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A socket that is being opened, as a transport. Everything written in one turn of the event loop leaves in one piece.
 * @param openEvent `connect` or `secureConnect`
 */
export function socketTransport(
  socket: Socket,
  openEvent: 'connect' | 'secureConnect',
  events: TransportEvents,
): Transport {
  const tls = openEvent === 'secureConnect';
  let opened = false;
  let full = false;
  let fault: MqttError | undefined;
  let parts: Uint8Array[] = [];
  let size = 0;
  socket.setNoDelay(true);
  socket.once(openEvent, () => {
    opened = true;
    events.opened();
  });
  socket.on('data', (bytes: Uint8Array) => events.received(bytes));
  socket.on('drain', () => {
    full = false;
    events.writable();
  });
  socket.on('error', (error: SystemError) => {
    fault = networkError(error, opened, tls);
  });
  // An ordered end while opening is a failure too: of the handshake, or of a proxy on the way.
  socket.on('close', () => {
    if (!fault && !opened) fault = mqttError(tls ? 'tls' : 'tcp', 'closed while opening', { reason: 'closed' });
    events.closed(fault);
  });
  const flush = () => {
    if (size === 0 || !socket.writable) return;
    const bytes = parts.length === 1 ? parts[0]! : joined(parts, size);
    parts = [];
    size = 0;
    full = !socket.write(bytes);
  };
  return {
    write(bytes) {
      if (full || socket.destroyed) return 0;
      if (size === 0) process.nextTick(flush);
      parts.push(bytes);
      size += bytes.length;
      if (size >= WRITE_NOW) flush();
      return bytes.length;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close() {
      flush();
      socket.end();
    },
    abort() {
      size = 0;
      socket.destroy();
    },
  };
}

function nodeAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  return {
    set(after: Millis) {
      clearTimeout(timer);
      timer = setTimeout(ring, after);
    },
    clear() {
      clearTimeout(timer);
    },
  };
}

/** Clock, timer and randomness of Node. */
export const nodeHost = Object.freeze({
  now: () => Math.floor(performance.now()) >>> 0,
  alarm: nodeAlarm,
  random: Math.random,
  /** As if the listener had been called by Node itself. */
  report: (error: unknown) =>
    queueMicrotask(() => {
      throw error;
    }),
});
