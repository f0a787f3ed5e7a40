// What TCP and TLS have in common on Node: a socket as a transport, and what its errors mean.

import type { OnReadOpts, Socket } from 'node:net';
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
/** As many bytes are read at once, from when there were {@link FEW} for the first time. */
const READ = 65_536;

/**
 * Memory of all sockets of an adapter: in which small packets are put together, for the socket that was written to last; and into
 * which the system reads.
 */
export class Room {
  bytes: Uint8Array = new Uint8Array(FEW);
  size = 0;
  user: SocketTransport | undefined = undefined;
  private input = new Uint8Array(FEW);

  /** Where Node is to read a socket's next bytes to: asked for when it is opened, and after each time. */
  readonly buffer = (): Uint8Array => this.input;

  /** A copy of what was read, since the next socket reads to the same place: a little of it from Node's pool, which is quickest. */
  copyOf(count: number, memory: Uint8Array): Uint8Array {
    if (count === this.input.length && count < READ) this.input = new Uint8Array(READ);
    return copyOf(memory.subarray(0, count));
  }

  add(piece: Uint8Array): void {
    const { bytes, size } = this;
    const end = size + piece.length;
    if (end > bytes.length) {
      this.bytes = new Uint8Array(WRITE_NOW + ALONE);
      this.bytes.set(bytes);
    }
    this.bytes.set(piece, size);
    this.size = end;
  }

  /** What was added, and nothing is left. */
  take(): Uint8Array {
    const { size } = this;
    this.user = undefined;
    this.size = 0;
    return this.bytes.subarray(0, size);
  }
}

const TRANSPORT = Symbol('transport');

/** The functions that listen to a socket serve every socket, so that none has its own. */
interface Owned extends Socket {
  [TRANSPORT]: SocketTransport;
}

function onOpen(this: Owned): void {
  this[TRANSPORT].opened();
}

function onDrain(this: Owned): void {
  this[TRANSPORT].drained();
}

function onEnd(this: Owned): void {
  this[TRANSPORT].ended();
}

function onError(this: Owned, error: SystemError): void {
  this[TRANSPORT].failed(error);
}

function onClose(this: Owned): void {
  this[TRANSPORT].closed();
}

const flush = (transport: SocketTransport): void => transport.flush();

/** Everything written in one turn of the event loop leaves in one piece: copying small packets costs less than handing each to the system. */
class SocketTransport implements Transport {
  private readonly events: TransportEvents;
  readonly socket: Socket;
  private readonly tls: boolean;
  private readonly room: Room;
  private isOpen = false;
  private full = false;
  private fault: MqttError | undefined = undefined;

  constructor(open: OpenSocket, tls: boolean, events: TransportEvents, room: Room) {
    this.tls = tls;
    this.events = events;
    this.room = room;
    this.socket = open({ buffer: room.buffer, callback: (count, memory) => this.received(room.copyOf(count, memory)) });
    (this.socket as Owned)[TRANSPORT] = this;
  }

  // What the socket tells.

  opened(): void {
    this.isOpen = true;
    this.events.opened();
  }

  received(bytes: Uint8Array): boolean {
    this.events.received(bytes);
    return true; // It goes on reading.
  }

  drained(): void {
    if (!this.full) return; // The system took at once what the stream thought too much.
    this.full = false;
    this.events.writable();
  }

  /** MQTT knows no connection that is open one way: what the server has ended is closed, at once where nothing waits to be sent. */
  ended(): void {
    this.flush();
    if (this.socket.writableLength > 0) this.socket.end();
    else this.socket.destroy();
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
    if (bytes.length === 0 || this.full || this.socket.destroyed) return 0;
    if (bytes.length >= ALONE) {
      this.flush();
      if (this.full) return 0;
      if (this.send(bytes)) this.events.taken?.(bytes);
      return bytes.length;
    }
    const { room } = this;
    if (room.user !== this) {
      room.user?.flush();
      room.user = this;
      process.nextTick(flush, this);
    }
    room.add(bytes);
    this.events.taken?.(bytes);
    if (room.size >= WRITE_NOW) this.flush();
    return bytes.length;
  }

  flush(): void {
    const { room } = this;
    if (room.user !== this) return;
    const whole = room.take();
    // TLS would have it for a while, always.
    if (this.tls || whole.length <= FEW) this.send(copyOf(whole));
    else if (!this.send(whole)) room.bytes = new Uint8Array(FEW);
  }

  /** @returns whether the system has taken it all, so that its memory is free again */
  private send(bytes: Uint8Array): boolean {
    const { socket } = this;
    if (!socket.writable) return true; // It has ended meanwhile: what follows would be an error of its own.
    socket.write(bytes);
    this.full = socket.writableLength >= socket.writableHighWaterMark;
    return socket.writableLength === 0;
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
    this.socket.destroy();
  }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.length);
  copy.set(bytes);
  return copy;
}

/** Makes a socket that reads as it is told, by the option `onread`: Node's streams would cost as much again as the reading. */
export type OpenSocket = (reading: OnReadOpts) => Socket;

/**
 * A socket that is being opened, as a transport.
 * @param openEvent `connect` or `secureConnect` @param room of the adapter
 */
export function socketTransport(
  open: OpenSocket,
  openEvent: 'connect' | 'secureConnect',
  events: TransportEvents,
  room: Room,
): Transport {
  const transport = new SocketTransport(open, openEvent === 'secureConnect', events, room);
  const { socket } = transport;
  socket.setNoDelay(true);
  socket.once(openEvent, onOpen);
  socket.on('drain', onDrain).on('error', onError).on('close', onClose);
  if (openEvent === 'connect') socket.on('end', onEnd); // TLS has a last word of its own.
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
