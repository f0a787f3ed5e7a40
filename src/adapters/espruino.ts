// TCP and TLS on Espruino, over its own modules `net` and `tls`: binary strings both ways, errors thrown while dialling, no
// pause, no abort, and no way to know who the server is. Functions cost variables there, so each connection makes its own.

import { type MqttError, mqttError } from '../error.ts';
import type { Instant } from '../time.ts';
import type { Adapter, Alarm, Endpoint, Transport, TransportEvents } from './adapter.ts';

/** What `connect()` of Espruino's `net` and `tls` returns, as far as it is used here. */
export interface EspruinoSocket {
  on(event: 'data', listener: (bytes: string) => void): void;
  on(event: 'drain' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: { code: number; message: string }) => void): void;
  write(bytes: string): boolean;
  end(): void;
  /** What end() itself sets when nothing waits to be sent: the only way to close at once. */
  clsNow?: boolean;
}

/** Espruino's module `net` or `tls`. */
export interface EspruinoNet {
  connect(options: object): EspruinoSocket;
}

export interface EspruinoTcpOptions {
  /** Default `require('net')`. */
  readonly net?: EspruinoNet | undefined;
}

export interface EspruinoTlsOptions {
  /** Default `require('tls')`. */
  readonly tls?: EspruinoNet | undefined;
  /** The device's own certificate and private key, DER, where the server asks for one. */
  readonly cert?: Uint8Array | undefined;
  readonly key?: Uint8Array | undefined;
}

declare const E: { toString(bytes: Uint8Array): string; toArrayBuffer(bytes: string): ArrayBuffer };
/** Seconds, from the clock that setTime() sets. */
declare const getTime: () => number;

const host = globalThis as unknown as { require(name: 'net' | 'tls'): EspruinoNet };

/** Bytes that Espruino is given at a time, and as many again that wait here: its buffer takes anything and stays in RAM. */
const MOST_UNSENT = 1_072;

/** A step of the clock that no device has lived through between two looks at it, in seconds. */
const TOO_LONG = 86_400;

/** How mbed TLS says that the server closed in order. */
const CLOSE_NOTIFY = -30_848;

/** What connect() throws. Only its message is kept: the stack that comes with it is long. */
function dialError(thrown: unknown): MqttError {
  const { message } = thrown as Error;
  if (message === 'Unable to locate host') return mqttError('dns', message);
  return mqttError(/HTTPS|SSL|mbedtls/.test(message) ? 'tls' : 'tcp', message);
}

function dial(net: EspruinoNet, options: Endpoint, tls: boolean, events: TransportEvents): Transport {
  let socket: EspruinoSocket | undefined;
  let isOpen = false;
  /** Something came, or went out: with TLS it did so behind a handshake. */
  let isSecure = false;
  let isBusy = false;
  let isFull = false;
  let isEnding = false;
  let isPaused = false;
  let isOver = false;
  let hasClosed = false;
  let unsent = '';
  let unread = '';
  let fault: MqttError | undefined;

  const finish = () => {
    hasClosed = true;
    if (isOver || unread) return; // What came before the end is read before it.
    isOver = true;
    events.closed(fault);
  };
  const deliver = () => {
    const text = unread;
    unread = '';
    // Over the string itself, not a copy of it.
    if (text && !isOver) events.received(new Uint8Array(E.toArrayBuffer(text)));
    if (hasClosed) finish();
  };
  const send = (text: string) => {
    isBusy = true;
    try {
      socket!.write(text);
    } catch (thrown) {
      const { message } = thrown as Error;
      if (message === 'This socket is closed') return; // Its close event is on the way.
      fault = mqttError('tcp', message); // The network went away under it: no event follows.
      setTimeout(finish, 0);
    }
  };
  const drained = () => {
    if (isOver) return;
    if (!isOpen) {
      isOpen = true; // Espruino reports its buffer as empty as soon as TCP is connected.
      events.opened();
      return;
    }
    isSecure = true;
    isBusy = false;
    const text = unsent;
    unsent = '';
    if (text) send(text);
    if (isEnding) {
      socket!.end();
    } else if (isFull) {
      isFull = false;
      events.writable();
    }
  };

  try {
    socket = net.connect(options);
    socket.on('drain', drained);
    socket.on('data', (text) => {
      if (!isOpen) drained(); // Data is handed over at once, where other events wait for their turn.
      isSecure = true;
      unread += text;
      if (!isPaused) deliver();
    });
    socket.on('error', ({ code, message }) => {
      if (code !== CLOSE_NOTIFY) fault = mqttError('tcp', message, { reason: message.replace(/ /g, '-') });
    });
    socket.on('close', () => {
      if (!isSecure && tls) fault = mqttError('tls', 'closed before the handshake was done', { reason: 'handshake' });
      else if (!isOpen) fault = mqttError('tcp', 'closed while opening', { reason: 'closed' });
      finish();
    });
  } catch (thrown) {
    fault = dialError(thrown);
    setTimeout(finish, 0);
  }
  return {
    write(bytes) {
      const taken = Math.min(bytes.length, MOST_UNSENT - unsent.length);
      isFull = taken < bytes.length;
      if (taken === 0) return 0;
      const text = E.toString(isFull ? bytes.subarray(0, taken) : bytes);
      // One piece at a time: TLS tries again with a piece that it could not send at once, which must not grow meanwhile.
      if (isBusy) unsent += text;
      else send(text);
      return taken;
    },
    pause() {
      isPaused = true;
    },
    resume() {
      isPaused = false;
      deliver();
    },
    close() {
      isEnding = true;
      if (!unsent) socket!.end();
    },
    abort() {
      isOver = true;
      if (socket) socket.clsNow = true;
    },
  };
}

function alarm(ring: () => void): Alarm {
  let timer: unknown;
  const clear = () => {
    if (timer !== undefined) clearTimeout(timer as number); // Espruino throws for undefined.
    timer = undefined;
  };
  const rang = () => {
    timer = undefined; // Espruino gives the numbers of timers that have rung to others.
    ring();
  };
  return {
    set(after) {
      clear();
      timer = setTimeout(rang, after);
    },
    clear,
  };
}

/** Milliseconds since its making, by a clock that setTime() may move: what nobody has lived through is not counted. */
function clock(): () => Instant {
  let seconds = getTime();
  let millis = 0;
  return () => {
    const passed = getTime() - seconds;
    seconds += passed;
    if (passed > 0 && passed < TOO_LONG) millis += passed * 1_000;
    return millis >>> 0;
  };
}

function report(error: unknown): void {
  setTimeout(() => {
    throw error; // Espruino shows it on its console.
  }, 0);
}

function adapter(net: EspruinoNet, security: 'plaintext' | 'unauthenticated', identity: object): Adapter {
  if (typeof net?.connect !== 'function')
    throw mqttError('bad-option', 'net or tls has no connect(): hand in require()');
  return {
    security,
    dial: ({ host, port }, events) => dial(net, { host, port, ...identity }, security !== 'plaintext', events),
    now: clock(),
    alarm,
    random: Math.random,
    report,
  };
}

/**
 * Plain TCP: for tests only, since nothing on the way is secret or sure. A client takes it only with `allowPlaintext`.
 * @throws MqttError 'bad-option'
 */
export function espruinoTcp(options: EspruinoTcpOptions = {}): Adapter {
  return adapter(options.net ?? host.require('net'), 'plaintext', {});
}

/**
 * TLS 1.2 with a server that nobody has verified: Espruino checks neither chain nor host name, whatever root it is given.
 * Keeps listeners out, not impostors; every dial raises the warning `unauthenticated-server`, and `production` refuses it.
 * @throws MqttError 'bad-option'
 */
export function espruinoTls({ tls, cert, key }: EspruinoTlsOptions = {}): Adapter {
  const isWhole = cert instanceof Uint8Array && key instanceof Uint8Array;
  if (!isWhole && (cert || key)) throw mqttError('bad-option', 'cert and key go together, both as bytes in DER');
  return adapter(tls ?? host.require('tls'), 'unauthenticated', isWhole ? { cert, key } : {});
}
