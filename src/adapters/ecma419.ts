// Plain TCP of an ECMA-419 host; what TLS adds to it lies in ecma419-tls.ts. An exception that leaves a callback ends the
// machine there, so each of them is guarded.

import { asMqttError, type ErrorCode, type MqttError, mqttError } from '../error.ts';
import type { Adapter, Endpoint, TransportEvents } from './adapter.ts';
import {
  type Dialer,
  Ecma419Adapter,
  type Ecma419Options,
  type Ecma419Socket,
  type Ecma419SocketOptions,
  messageOf,
} from './ecma419-host.ts';

const Phase = Object.freeze({ Dialing: 0, Open: 1, Ended: 2 } as const);

/** Four numbers: a resolver would ask its server for them. */
function isAddress(host: string): boolean {
  const parts = host.split('.');
  for (const it of parts) if (!(Number(it) <= 255 && String(Number(it)) === it)) return false;
  return parts.length === 4;
}

/** An error of the network, with what the host threw. */
export const networkError = (code: ErrorCode, cause: unknown, reason: string): MqttError =>
  mqttError(code, messageOf(cause), { cause, reason });

/** Runs what a host has called. @param fault what to make of something thrown */
export function guard(
  link: Ecma419Link,
  run: (link: Ecma419Link, detail: unknown) => void,
  detail?: unknown,
  fault: (thrown: unknown) => MqttError = asMqttError,
): void {
  try {
    run(link, detail);
  } catch (thrown) {
    try {
      link.end(fault(thrown));
    } catch (again) {
      link.adapter.report(again);
    }
  }
}

// The callbacks belong to the module, not to a connection, which costs a small host no memory: a socket knows its target.

const targetOf = (socket: unknown): Ecma419Link => (socket as { target: Ecma419Link }).target;

const readable = (link: Ecma419Link, bytes: unknown): void => link.gotReadable(bytes as number);
const writable = (link: Ecma419Link, bytes: unknown): void => link.gotWritable(bytes as number);
const failed = (link: Ecma419Link, error: unknown): void => link.gotError(error);

function onReadable(this: unknown, bytes: number): void {
  guard(targetOf(this), readable, bytes);
}

function onWritable(this: unknown, bytes: number): void {
  guard(targetOf(this), writable, bytes);
}

function onError(this: unknown, error?: unknown): void {
  guard(targetOf(this), failed, error);
}

/** One connection over a socket of the host. */
export class Ecma419Link implements Dialer {
  readonly adapter: Ecma419Adapter;
  readonly events: TransportEvents;
  phase: (typeof Phase)[keyof typeof Phase] = Phase.Dialing;
  socket: Ecma419Socket | undefined = undefined;
  /** Bytes that the socket will take. */
  room = 0;
  /** Bytes that the socket holds for us. */
  unread = 0;
  /** write() took less than it was given. */
  full = false;
  paused = false;
  reading = false;

  constructor(adapter: Ecma419Adapter, events: TransportEvents) {
    this.adapter = adapter;
    this.events = events;
  }

  /** Resolves the name, then opens a socket. @throws MqttError 'dns' or 'tcp', where that shows at once */
  dial({ host, port }: Endpoint): void {
    const { Timer, resolver } = this.adapter.options;
    if (isAddress(host)) return this.open(host, host, port);
    if (!resolver) throw mqttError('dns', `${host} is a name, and the adapter has no resolver`, { reason: 'resolver' });
    let dialing = true;
    // A resolver that answers at once must not be heard before dial() has returned.
    const answer = (run: () => void) => {
      const guarded = () => guard(this, () => this.phase === Phase.Dialing && !this.socket && run());
      if (dialing) Timer.set(guarded, 0);
      else guarded();
    };
    try {
      resolver.resolve({
        host,
        onResolved: (_, address) => answer(() => this.open(address, host, port)),
        onError: () => answer(() => this.end(mqttError('dns', `no address of ${host} was found`))),
      });
    } catch (cause) {
      throw networkError('dns', cause, 'resolver');
    }
    dialing = false;
  }

  private open(address: string, host: string, port: number): void {
    this.socket = this.makeSocket({
      address,
      host,
      port,
      nodelay: true,
      target: this,
      onReadable,
      onWritable,
      onError,
    });
  }

  /** @throws MqttError 'tcp' or 'tls' */
  protected makeSocket(options: Ecma419SocketOptions): Ecma419Socket {
    try {
      return new this.adapter.options.TCP(options);
    } catch (cause) {
      throw networkError('tcp', cause, 'socket');
    }
  }

  // What the socket tells.

  gotWritable(bytes: number): void {
    if (this.phase === Phase.Ended) return;
    this.room = bytes;
    if (this.phase === Phase.Dialing) {
      this.phase = Phase.Open; // The first time it means: connected.
      this.events.opened();
      this.read();
    } else if (this.full) {
      this.full = false;
      this.events.writable();
    }
  }

  gotReadable(bytes: number): void {
    this.unread = bytes;
    this.read();
  }

  /** Also a close in order, which brings no error. What was unread has come before. */
  gotError(error: unknown): void {
    if (this.phase === Phase.Dialing) this.end(this.closedWhileOpening(error));
    else if (error === undefined) this.end(undefined);
    else this.end(networkError('tcp', error, 'socket'));
  }

  protected closedWhileOpening(cause: unknown): MqttError {
    return mqttError('tcp', 'refused, or closed while opening', { reason: 'closed', cause });
  }

  /** Reads what is there, unless that was stopped. */
  protected read(): void {
    if (this.reading) return; // Whoever received called us: the loop that called it goes on.
    this.reading = true;
    while (this.phase === Phase.Open && !this.paused && (this.unread > 0 || this.refill())) {
      this.unread = 0;
      const bytes = this.take(this.socket!);
      if (bytes) this.events.received(new Uint8Array(bytes as ArrayBuffer));
    }
    this.reading = false;
  }

  protected take(socket: Ecma419Socket): unknown {
    return socket.read();
  }

  /** Whether more was found that the socket has not told of. */
  protected refill(): boolean {
    return false;
  }

  /** The connection is over, and whoever listens hears of it, once. */
  end(error: MqttError | undefined): void {
    if (this.phase === Phase.Ended) return;
    this.abort();
    this.events.closed(error);
  }

  // The transport.

  write(bytes: Uint8Array): number {
    let taken = 0;
    while (this.phase === Phase.Open && this.room > 0 && taken < bytes.length) {
      const end = Math.min(taken + this.room, taken + this.most(), bytes.length);
      const part = taken === 0 && end === bytes.length ? bytes : bytes.subarray(taken, end);
      try {
        this.room = this.roomOf(this.socket!.write(part));
      } catch (cause) {
        throw networkError('tcp', cause, 'socket');
      }
      taken = end;
    }
    this.full = taken < bytes.length;
    return taken;
  }

  /** Most bytes in one write. */
  protected most(): number {
    return this.room;
  }

  /** @param left what write() has returned */
  protected roomOf(left: unknown): number {
    return typeof left === 'number' ? left : 0;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    guard(this, () => this.read());
  }

  /** The host sends what write() took before it closes. */
  close(): void {
    this.end(undefined);
  }

  abort(): void {
    const { socket } = this;
    this.phase = Phase.Ended;
    this.socket = undefined;
    try {
      socket?.close();
    } catch (thrown) {
      this.adapter.report(thrown);
    }
  }
}

/**
 * Plain TCP of an ECMA-419 host, for tests: a client takes it only with the option `allowPlaintext`.
 * @throws MqttError 'bad-option'
 * @example ecma419Tcp({ TCP, resolver: new Resolver({ servers, socket: { io: UDP } }), Timer, Time })
 */
export function ecma419Tcp(options: Ecma419Options): Adapter {
  return new Ecma419Adapter(options, 'plaintext', (adapter, events) => new Ecma419Link(adapter, events));
}
