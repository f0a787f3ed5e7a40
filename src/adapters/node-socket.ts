// What TCP and TLS have in common on Node: a socket as a transport, and what its errors mean.

import type { Socket } from 'node:net';
import { type ErrorCode, type MqttError, mqttError } from '../error.ts';
import type { Millis } from '../time.ts';
import type { Adapter, Alarm, Transport, TransportEvents } from './adapter.ts';

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
/** A piece of so many is not copied to put it together with others. */
const ALONE = 16_384;
/** Up to here Node's own pool of memory is as good as memory that is used again. */
const FEW = 4_096;

/**
 * Memory in which small packets are put together, one for all sockets of an adapter: while the system has it there is none. Not for
 * TLS, which always has it for a while.
 */
export interface Spare {
  bytes: Uint8Array | undefined;
}

const TRANSPORT = Symbol('transport');

/** The functions that listen to a socket serve every socket, so that none has its own. */
interface Owned extends Socket {
  [TRANSPORT]: SocketTransport;
}

function onOpen(this: Owned): void {
  this[TRANSPORT].opened();
}

function onData(this: Owned, bytes: Uint8Array): void {
  this[TRANSPORT].events.received(bytes);
}

function onDrain(this: Owned): void {
  this[TRANSPORT].drained();
}

function onError(this: Owned, error: SystemError): void {
  this[TRANSPORT].failed(error);
}

function onClose(this: Owned): void {
  this[TRANSPORT].closed();
}

/** What every transport has when nothing waits. */
const NOTHING: Uint8Array[] = [];

const flush = (transport: SocketTransport): void => transport.flush();

/** Everything written in one turn of the event loop leaves in one piece: copying small packets costs less than handing each to the system. */
class SocketTransport implements Transport {
  readonly events: TransportEvents;
  private readonly socket: Socket;
  private readonly tls: boolean;
  private readonly spare: Spare | undefined;
  private isOpen = false;
  private full = false;
  private fault: MqttError | undefined = undefined;
  private parts: Uint8Array[] = NOTHING;
  private size = 0;

  constructor(socket: Socket, tls: boolean, events: TransportEvents, spare: Spare | undefined) {
    this.socket = socket;
    this.tls = tls;
    this.events = events;
    this.spare = spare;
  }

  // What the socket tells.

  opened(): void {
    this.isOpen = true;
    this.events.opened();
  }

  drained(): void {
    if (!this.full) return; // The system took at once what the stream thought too much.
    this.full = false;
    this.events.writable();
  }

  failed(error: SystemError): void {
    this.fault = networkError(error, this.isOpen, this.tls);
  }

  closed(): void {
    // An ordered end while opening is a failure too: of the handshake, or of a proxy on the way.
    if (!this.fault && !this.isOpen) {
      this.fault = mqttError(this.tls ? 'tls' : 'tcp', 'closed while opening', { reason: 'closed' });
    }
    this.events.closed(this.fault);
  }

  // What the client asks for.

  write(bytes: Uint8Array): number {
    if (this.full || this.socket.destroyed) return 0;
    if (bytes.length >= ALONE) {
      this.flush();
      if (this.full) return 0;
      this.send(bytes);
      return bytes.length;
    }
    if (this.size === 0) {
      process.nextTick(flush, this);
      this.parts = [bytes];
    } else this.parts.push(bytes);
    this.size += bytes.length;
    if (this.size >= WRITE_NOW) this.flush();
    return bytes.length;
  }

  flush(): void {
    const { parts, size, socket, spare } = this;
    if (size === 0) return;
    this.parts = NOTHING;
    this.size = 0;
    if (parts.length === 1) return this.send(parts[0]!);
    if (size <= FEW || !spare) return this.send(joined(parts, Buffer.allocUnsafe(size)));
    const room = spare.bytes ?? new Uint8Array(WRITE_NOW + ALONE);
    spare.bytes = undefined;
    this.send(joined(parts, room).subarray(0, size));
    if (socket.writableLength === 0) spare.bytes = room; // The system has taken it all.
  }

  private send(bytes: Uint8Array): void {
    const { socket } = this;
    if (!socket.writable) return; // It has ended meanwhile: what follows would be an error of its own.
    socket.write(bytes);
    this.full = socket.writableLength >= socket.writableHighWaterMark;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    this.flush();
    this.socket.end();
  }

  abort(): void {
    this.size = 0;
    this.socket.destroy();
  }
}

function joined(parts: readonly Uint8Array[], whole: Uint8Array): Uint8Array {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A socket that is being opened, as a transport.
 * @param openEvent `connect` or `secureConnect` @param spare of the adapter, where it has one
 */
export function socketTransport(
  socket: Socket,
  openEvent: 'connect' | 'secureConnect',
  events: TransportEvents,
  spare?: Spare,
): Transport {
  const transport = new SocketTransport(socket, openEvent === 'secureConnect', events, spare);
  (socket as Owned)[TRANSPORT] = transport;
  socket.setNoDelay(true);
  socket.once(openEvent, onOpen);
  socket.on('data', onData).on('drain', onDrain).on('error', onError).on('close', onClose);
  return transport;
}

class NodeAlarm implements Alarm {
  private readonly ring: () => void;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(ring: () => void) {
    this.ring = ring;
  }

  set(after: Millis): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.ring, after);
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}

/** Clock, timer and randomness of Node. */
export function nodeHost(): Pick<Adapter, 'now' | 'alarm' | 'random' | 'report'> {
  const clock = performance; // Node looks the global up at each use; and an import would cost half a megabyte before it is needed.
  return {
    now: () => Math.floor(clock.now()) >>> 0,
    alarm: (ring: () => void) => new NodeAlarm(ring),
    random: Math.random,
    /** As if the listener had been called by Node itself. */
    report: (error: unknown) =>
      queueMicrotask(() => {
        throw error;
      }),
  };
}
