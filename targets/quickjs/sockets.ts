// The five functions of raw sockets on Node: what a program in C would do with poll().

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { networkError } from '../../src/adapters/node-socket.ts';
import { RawControl, RawEvent, type RawSocketHost } from '../../src/raw-socket.ts';

type Tell = (kind: number, handle: number, detail?: unknown) => void;

export interface SocketsOptions {
  /** PEM of the roots to trust: connections are TLS, and the server is verified. Default: plain TCP. */
  readonly ca?: string | undefined;
  /** The name that the server's certificate must hold, where it differs from the endpoint's host. */
  readonly serverName?: string | undefined;
}

export class NodeSockets implements RawSocketHost {
  private readonly tell: Tell;
  private readonly options: SocketsOptions;
  private readonly sockets = new Map<number, Socket>();
  private lastHandle = -1;
  private timer: NodeJS.Timeout | undefined;

  constructor(tell: Tell, options: SocketsOptions = {}) {
    this.tell = tell;
    this.options = options;
  }

  open(host: string, port: number): number {
    const { ca, serverName = host } = this.options;
    const tls = ca !== undefined;
    const handle = ++this.lastHandle;
    const socket = tls ? connectTls({ host, port, ca, servername: serverName }) : connect({ host, port });
    let opened = false;
    let fault: string | undefined;
    const say = (kind: number, detail?: unknown) => {
      if (this.sockets.get(handle) === socket) this.tell(kind, handle, detail);
    };
    socket.setNoDelay(true);
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      opened = true;
      say(RawEvent.Opened);
    });
    socket.on('data', (bytes) => say(RawEvent.Data, bytes));
    socket.on('drain', () => say(RawEvent.Writable));
    socket.on('error', (error) => {
      const { code, reason = '' } = networkError(error, opened, tls);
      fault = `${code}:${reason}`;
    });
    socket.on('close', () => {
      say(RawEvent.Closed, fault);
      this.sockets.delete(handle);
    });
    this.sockets.set(handle, socket);
    return handle;
  }

  send(handle: number, bytes: Uint8Array): number {
    const socket = this.sockets.get(handle);
    if (!socket?.writable) return -1;
    const room = Math.max(0, socket.writableHighWaterMark - socket.writableLength);
    const taken = Math.min(room, bytes.length);
    if (taken > 0) socket.write(bytes.slice(0, taken)); // Filled to the mark, it says drain.
    return taken;
  }

  control(handle: number, command: number): void {
    const socket = this.sockets.get(handle);
    if (command === RawControl.Abort) {
      this.sockets.delete(handle);
      socket?.destroy();
    }
    if (command === RawControl.End) socket?.end();
    if (command === RawControl.Pause) socket?.pause();
    if (command === RawControl.Resume) socket?.resume();
  }

  now(): number {
    return performance.now();
  }

  wake(millis: number): void {
    clearTimeout(this.timer);
    if (millis >= 0) this.timer = setTimeout(() => this.tell(RawEvent.Wake, 0), millis);
  }

  /** Drops all connections and the timer. */
  close(): void {
    clearTimeout(this.timer);
    for (const socket of this.sockets.values()) socket.destroy();
    this.sockets.clear();
  }
}
