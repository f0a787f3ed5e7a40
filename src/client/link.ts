// One network connection of a client: drops the events of a connection that was given up, and holds what did not fit.

import type { Adapter, Endpoint, Transport, TransportEvents, Warning } from '../adapters/adapter.ts';
import type { MqttError } from '../error.ts';

export interface LinkOwner {
  linkOpened(): void;
  linkReceived(bytes: Uint8Array): void;
  /** The bytes of a packet are not needed any more. */
  linkTaken(bytes: Uint8Array): void;
  /** There is room for what is held: flush(). */
  linkWritable(): void;
  linkClosed(error: MqttError | undefined): void;
  linkWarning(warning: Warning): void;
}

export class Link implements TransportEvents {
  owner: LinkOwner | undefined;
  transport: Transport;
  /** Bytes that the transport had no room for. Nothing more is polled from the machine until they are gone. */
  rest: Uint8Array | undefined = undefined;
  paused = false;
  closing = false;

  /** @throws MqttError when the adapter cannot dial at all */
  constructor(owner: LinkOwner, adapter: Adapter, endpoint: Endpoint) {
    this.owner = owner;
    this.transport = adapter.dial(endpoint, this);
  }

  write(bytes: Uint8Array): void {
    const taken = this.transport.write(bytes);
    if (taken < bytes.length) this.rest = bytes.subarray(taken);
  }

  /** Closes once everything was sent, what is held here included. */
  close(): void {
    this.closing = true;
    if (!this.rest) this.transport.close();
  }

  /** Gives the connection up: nothing is heard of it any more. */
  drop(): void {
    this.owner = undefined;
    this.rest = undefined;
    this.transport.abort();
  }

  pause(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    if (paused) this.transport.pause();
    else this.transport.resume();
  }

  opened(): void {
    this.owner?.linkOpened();
  }

  received(bytes: Uint8Array): void {
    this.owner?.linkReceived(bytes);
  }

  taken(bytes: Uint8Array): void {
    this.owner?.linkTaken(bytes);
  }

  writable(): void {
    this.owner?.linkWritable();
  }

  /** Writes what was held, all or some of it. */
  flush(): void {
    const { rest } = this;
    this.rest = undefined;
    if (rest) this.write(rest);
    if (this.closing) this.close();
  }

  closed(error?: MqttError): void {
    const { owner } = this;
    this.owner = undefined;
    owner?.linkClosed(error);
  }

  warning(warning: Warning): void {
    this.owner?.linkWarning(warning);
  }
}
