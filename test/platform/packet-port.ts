// MQTT packets over any byte stream; used on both sides of a platform link and by the tests' raw client.
import type { Duplex } from 'node:stream';
import { generate, type Packet, parser } from 'mqtt-packet';

export interface PortEvents {
  packet(packet: Packet): void;
  /** Bytes that are no MQTT packet. */
  fault(error: Error): void;
  /** Once, whoever closed. */
  closed(): void;
}

export class PacketPort {
  readonly stream: Duplex;
  private isOpen = true;

  constructor(stream: Duplex, events: PortEvents) {
    this.stream = stream;
    const packets = parser({ protocolVersion: 4 });
    packets.on('packet', (packet) => this.isOpen && events.packet(packet));
    packets.on('error', (error) => this.isOpen && events.fault(error));
    stream.on('data', (chunk: Buffer) => packets.parse(chunk));
    stream.on('error', () => {}); // 'close' follows and says enough
    stream.once('close', () => {
      this.isOpen = false;
      events.closed();
    });
  }

  /** Answers false when the stream wants a pause, as write() does. */
  send(packet: Packet): boolean {
    if (!this.isOpen || !this.stream.writable) return true;
    return this.stream.write(generate(packet));
  }

  /** Sends what is still to be sent, then closes. */
  finish(): void {
    this.isOpen = false;
    this.stream.end(() => this.stream.destroy());
  }

  /** Closes at once and loses what was not sent. */
  destroy(): void {
    this.isOpen = false;
    this.stream.destroy();
  }
}

/** Reads from `source` no faster than `target` takes it. */
export function throttle(source: PacketPort, target: PacketPort): void {
  source.stream.pause();
  target.stream.once('drain', () => source.stream.resume());
}
