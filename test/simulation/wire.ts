// MQTT 3.1.1 on the wire, written apart from the package: reads both directions strictly, writes what a server sends.

import {
  type Connect,
  type Filter,
  type Incoming,
  type Outgoing,
  PacketType,
  type QoS,
} from '../../src/framing/packet.ts';

export type Packet = Incoming | Outgoing;

const NAMES = [
  '',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function legal(condition: boolean, rule: string): void {
  if (!condition) throw new Error(`illegal bytes: ${rule}`);
}

/** Reads fields off the front of a packet's body. */
class Fields {
  private readonly bytes: Uint8Array;
  private at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number {
    legal(this.left() > 0, 'a packet is cut short');
    return this.bytes[this.at++]!;
  }

  twoBytes(): number {
    return this.byte() * 256 + this.byte();
  }

  /** [MQTT-2.3.1-1] */
  packetId(): number {
    const packetId = this.twoBytes();
    legal(packetId > 0, 'packet identifier 0');
    return packetId;
  }

  take(length: number): Uint8Array {
    legal(this.left() >= length, 'a field is cut short');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** [MQTT-1.5.3-1] [MQTT-1.5.3-2] */
  text(): string {
    const text = utf8.decode(this.take(this.twoBytes()));
    legal(!text.includes('\0'), 'U+0000 in a string');
    return text;
  }

  /** What is left, read over and over. */
  each<T>(read: () => T): T[] {
    const list: T[] = [];
    while (this.left() > 0) list.push(read());
    legal(list.length > 0, 'an empty list');
    return list;
  }
}

function readConnect(fields: Fields): Connect {
  legal(fields.text() === 'MQTT' && fields.byte() === 4, 'protocol name or level');
  const flags = fields.byte();
  legal((flags & 1) === 0, 'reserved connect flag');
  legal((flags & 4) !== 0 || (flags & 0x38) === 0, 'will flags without a will');
  const keepAliveSeconds = fields.twoBytes();
  const clientId = fields.text();
  if (flags & 4) {
    fields.text();
    fields.take(fields.twoBytes());
  }
  if (flags & 0x80) fields.text();
  if (flags & 0x40) fields.take(fields.twoBytes());
  return { type: PacketType.Connect, clientId, cleanSession: (flags & 2) !== 0, keepAliveSeconds };
}

function readPublish(fields: Fields, flags: number): Packet {
  const qos = (flags >> 1) & 3;
  const dup = (flags & 8) !== 0;
  legal(qos < 3, 'QoS 3');
  legal(qos > 0 || !dup, 'DUP with QoS 0');
  const topic = fields.text();
  legal(topic !== '' && !/[+#]/.test(topic), 'a topic that is empty or holds a wildcard');
  const packetId = qos > 0 ? fields.packetId() : 0;
  const payload = fields.take(fields.left());
  return { type: PacketType.Publish, topic, payload, qos: qos as QoS, retain: (flags & 1) !== 0, packetId, dup };
}

function readFilter(fields: Fields): Filter {
  const filter = fields.text();
  const qos = fields.byte();
  legal(qos < 3, 'requested QoS');
  return { filter, qos: qos as QoS };
}

function readBody(type: number, flags: number, fields: Fields): Packet {
  switch (type) {
    case PacketType.Connect:
      return readConnect(fields);
    case PacketType.Connack:
      return { type, sessionPresent: fields.byte() === 1, returnCode: fields.byte() };
    case PacketType.Publish:
      return readPublish(fields, flags);
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
    case PacketType.Unsuback:
      return { type, packetId: fields.packetId() };
    case PacketType.Subscribe:
      return { type, packetId: fields.packetId(), filters: fields.each(() => readFilter(fields)) };
    case PacketType.Unsubscribe:
      return { type, packetId: fields.packetId(), filters: fields.each(() => fields.text()) };
    case PacketType.Suback:
      return { type, packetId: fields.packetId(), granted: fields.each(() => fields.byte()) };
    case PacketType.Pingreq:
    case PacketType.Pingresp:
    case PacketType.Disconnect:
      return { type };
    default:
      throw new Error(`illegal bytes: packet type ${type}`);
  }
}

/** [MQTT-2.2.2-1] */
const reservedFlags = (type: number): number =>
  type === PacketType.Pubrel || type === PacketType.Subscribe || type === PacketType.Unsubscribe ? 2 : 0;

/** One direction of one connection: bytes cut anywhere, whole packets out. */
export class PacketReader {
  private buffer: Uint8Array = new Uint8Array(0);

  /** Bytes of a packet that is not whole. */
  rest(): number {
    return this.buffer.length;
  }

  /** @throws Error on bytes that the standard forbids */
  push(bytes: Uint8Array): Packet[] {
    this.buffer = concat([this.buffer, bytes]);
    const packets: Packet[] = [];
    for (let it = this.cut(); it; it = this.cut()) packets.push(it);
    return packets;
  }

  private cut(): Packet | undefined {
    let remaining = 0;
    let at = 1;
    for (let more = true; more; at++) {
      const byte = this.buffer[at];
      if (byte === undefined) return undefined;
      remaining += (byte & 127) * 128 ** (at - 1);
      more = byte > 127;
      legal(!more || at < 4, 'Remaining Length is longer than four bytes');
      legal(at === 1 || byte > 0, 'Remaining Length is longer than it need be');
    }
    if (this.buffer.length < at + remaining) return undefined;
    const whole = this.buffer.subarray(0, at + remaining);
    this.buffer = this.buffer.subarray(at + remaining);
    const type = whole[0]! >> 4;
    const flags = whole[0]! & 15;
    legal(type === PacketType.Publish || flags === reservedFlags(type), 'reserved flags');
    const fields = new Fields(whole, at);
    const packet = readBody(type, flags, fields);
    legal(fields.left() === 0, 'a packet is too long');
    return packet;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Uint8Array.from(Buffer.concat(parts));
}

const twoBytes = (value: number): number[] => [value >> 8, value & 255];

function bodyOf(packet: Incoming): number[] {
  switch (packet.type) {
    case PacketType.Connack:
      return [packet.sessionPresent ? 1 : 0, packet.returnCode];
    case PacketType.Publish: {
      const { topic, packetId, qos, payload } = packet;
      return [...twoBytes(topic.length), ...Buffer.from(topic), ...(qos > 0 ? twoBytes(packetId) : []), ...payload];
    }
    case PacketType.Suback:
      return [...twoBytes(packet.packetId), ...packet.granted];
    case PacketType.Pingreq:
    case PacketType.Pingresp:
    case PacketType.Disconnect:
      return [];
    default:
      return twoBytes(packet.packetId);
  }
}

/** What a server sends, as bytes: packets of up to 127 bytes, topics in ASCII. */
export function serverBytes(packet: Incoming): Uint8Array {
  const body = bodyOf(packet);
  const flags =
    packet.type === PacketType.Publish
      ? (packet.dup ? 8 : 0) | (packet.qos << 1) | (packet.retain ? 1 : 0)
      : reservedFlags(packet.type);
  return Uint8Array.from([(packet.type << 4) | flags, body.length, ...body]);
}

/** A packet for people. */
export function describe(packet: Packet): string {
  const { type, ...fields } = packet;
  const values = Object.entries(fields).map(([key, value]) =>
    key === 'payload' ? `payload=${utf8.decode(value)}` : `${key}=${JSON.stringify(value)}`,
  );
  return [NAMES[type], ...values].join(' ');
}
