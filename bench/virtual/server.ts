// The server at the other end of a link in virtual time: answers what it must, and closes on a device that is silent too long.

import { generate, type Packet, parser } from 'mqtt-packet';

export interface ServerLink {
  send(bytes: Uint8Array): void;
  close(): void;
}

export interface ServerClock {
  /** In milliseconds. */
  now(): number;
  schedule(millis: number, run: () => void): void;
}

export interface ServerOptions {
  /** While this is so no link can be opened. */
  readonly isDown?: () => boolean;
  /** A device has logged in. */
  readonly accepted?: () => void;
}

export class Server {
  private readonly link: ServerLink;
  private readonly clock: ServerClock;
  private readonly options: ServerOptions;
  private readonly reader = parser({ protocolVersion: 4 });
  private heardAt: number;
  private patience = 0;
  private ended = false;

  constructor(link: ServerLink, clock: ServerClock, options: ServerOptions = {}) {
    this.link = link;
    this.clock = clock;
    this.options = options;
    this.heardAt = clock.now();
    this.reader.on('packet', (packet) => this.answer(packet));
  }

  received(bytes: Uint8Array): void {
    if (!this.ended) this.reader.parse(Buffer.from(bytes));
  }

  publish(topic: string, payload: string): void {
    this.send({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false });
  }

  /** Drops the link. */
  drop(): void {
    this.end();
    this.link.close();
  }

  /** The link is gone. */
  end(): void {
    this.ended = true;
  }

  private answer(packet: Packet): void {
    this.heardAt = this.clock.now();
    const { messageId = 0 } = packet;
    switch (packet.cmd) {
      case 'connect':
        this.patience = 1_500 * (packet.keepalive ?? 0);
        this.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
        this.options.accepted?.();
        return this.watch(this.patience);
      case 'publish':
        return packet.qos === 1 ? this.send({ cmd: 'puback', messageId }) : undefined;
      case 'subscribe':
        return this.send({ cmd: 'suback', messageId, granted: packet.subscriptions.map(({ qos }) => qos) });
      case 'pingreq':
        return this.send({ cmd: 'pingresp' });
      default:
    }
  }

  private send(packet: Packet): void {
    if (!this.ended) this.link.send(generate(packet));
  }

  /** The silence that the standard allows [MQTT-3.1.2-24]. */
  private watch(millis: number): void {
    if (millis === 0) return;
    this.clock.schedule(millis, () => {
      if (this.ended) return;
      const left = this.patience - (this.clock.now() - this.heardAt);
      if (left > 0) this.watch(left);
      else this.drop();
    });
  }
}
