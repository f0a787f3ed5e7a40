// Framing over mqtt-packet, between what may be sent (check.ts) and what may come in (guard.ts).

import { mqttError } from '../error.ts';
import { checkOutgoing, isNumberField, type KnownTopic, packetSize, remainingLength } from './check.ts';
import { reader, reuse, write } from './codec.ts';
import type { Framing } from './framing.ts';
import { Guard } from './guard.ts';
import { type Incoming, type Outgoing, PacketType, type Publish } from './packet.ts';
import { refuse } from './refuse.ts';

/** Whether a packet carries a packet identifier (2.3.1). */
const isIdentified = (packet: Outgoing): boolean =>
  packet.type === PacketType.Publish
    ? packet.qos > 0
    : packet.type > PacketType.Publish && packet.type < PacketType.Pingreq;

class MqttPacketFraming implements Framing, KnownTopic {
  maxPacketSize: number;
  guard: Guard;
  read = reader();
  /** The packet that was checked last, if it was not sent since, and its Remaining Length. */
  checked: Outgoing | undefined = undefined;
  remaining = 0;
  topic = '';
  topicSize = 0;

  constructor(maxPacketSize: number) {
    this.maxPacketSize = maxPacketSize;
    this.guard = new Guard(maxPacketSize);
  }

  check(packet: Outgoing): void {
    this.remaining = checkOutgoing(packet, this.maxPacketSize, this);
    this.checked = packet;
  }

  fits(packet: Outgoing): boolean {
    return packetSize(remainingLength(packet, this)) <= this.maxPacketSize;
  }

  encode(packet: Outgoing): Uint8Array {
    if (packet !== this.checked) this.check(packet);
    this.checked = undefined;
    const { remaining } = this;
    if (isIdentified(packet)) {
      const { packetId } = packet as Publish;
      refuse(
        !isNumberField(packetId) || packetId === 0,
        'bad-packet',
        'MQTT-2.3.1-1',
        'packet identifier must be 1 to 65535',
      );
    }
    return write(packet, packetSize(remaining), remaining);
  }

  reuse(bytes: Uint8Array): void {
    reuse(bytes);
  }

  decode(bytes: Uint8Array, each: (packet: Incoming) => void): void {
    this.guard.push(bytes, (packet, start) => each(this.read(packet, start)));
  }

  reset(): void {
    this.guard = new Guard(this.maxPacketSize);
  }
}

/** Default limit of a packet: the platform's largest payload, 256 KiB, and room for its header and topic. */
export const DEFAULT_MAX_PACKET_SIZE = 266_240;

/**
 * Each client needs one of its own.
 * @param maxPacketSize in bytes, fixed header included, both ways; 128 to 268,435,460
 * @throws MqttError 'bad-option'
 */
export function mqttPacketFraming(maxPacketSize: number = DEFAULT_MAX_PACKET_SIZE): Framing {
  if (typeof maxPacketSize !== 'number' || !(maxPacketSize >= 128 && maxPacketSize <= 268_435_460)) {
    throw mqttError('bad-option', 'maxPacketSize must be a number from 128 to 268435460');
  }
  return new MqttPacketFraming(maxPacketSize);
}
