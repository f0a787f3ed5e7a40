// The npm package mqtt-packet in the words of packet.ts: bytes of a packet that was checked, the packet in bytes that the
// guard has let through. The only file that imports it, and the one that a bundle for a small host has in its own form.

import * as mqttPacket from 'mqtt-packet';
import { malformed, mqttError } from '../error.ts';
import { textOf, writeUtf8 } from '../utf8.ts';
import { type Filter, type Incoming, type Outgoing, PacketType, type QoS } from './packet.ts';
import { Slab } from './slab.ts';

// Before the first packet, or mqtt-packet builds 65,536 Buffers; at module level, since preloading hosts freeze the rest.
mqttPacket.writeToStream.cacheNumbers = false;

/** The commands of mqtt-packet by packet type. */
const COMMANDS = Object.freeze([
  '',
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
] as const);

/** The fields of mqtt-packet's packets that a client meets. */
interface Foreign {
  cmd: (typeof COMMANDS)[number];
  messageId?: number;
  topic?: string;
  payload?: Uint8Array;
  qos?: QoS;
  retain?: boolean;
  dup?: boolean;
  sessionPresent?: boolean;
  returnCode?: number;
  granted?: number[];
}

/** Up to here a loop is faster than copying. */
const FEW = 8;

/** Takes what mqtt-packet writes. It has no cork, so mqtt-packet schedules nothing. */
class Sink extends Slab {
  write(part: Uint8Array | string): boolean {
    if (typeof part === 'string') {
      this.at = writeUtf8(part, this.bytes, this.at);
    } else if (part.length > FEW) {
      this.bytes.set(part, this.at);
      this.at += part.length;
    } else {
      for (let i = 0; i < part.length; i++) this.bytes[this.at++] = part[i]!;
    }
    return true;
  }

  /** How mqtt-packet reports a packet that it cannot write. */
  destroy(fault: Error): never {
    throw mqttError('bad-packet', fault.message);
  }
}

/** One for all, on hosts that keep their modules in RAM: what is loaded beforehand has a codec of its own. */
const sink = new Sink();

const asSubscription = (it: Filter) => ({ topic: it.filter, qos: it.qos });

/** A text of as many bytes as the binary password, which mqtt-packet takes as its own kind of Buffer only. */
const standIn = (password: string | Uint8Array | undefined) =>
  password instanceof Uint8Array ? 'x'.repeat(password.length) : password;

function toForeign(packet: Outgoing): object {
  const cmd = COMMANDS[packet.type];
  switch (packet.type) {
    case PacketType.Connect: {
      const { clientId, keepAliveSeconds: keepalive, will, userName: username } = packet;
      return {
        cmd,
        clientId,
        keepalive,
        will,
        username,
        clean: !!packet.cleanSession,
        password: standIn(packet.password),
      };
    }
    case PacketType.Publish: {
      const { topic, payload, qos, retain, dup, packetId: messageId } = packet;
      return { cmd, topic, payload, qos, retain, dup, messageId };
    }
    case PacketType.Subscribe:
      return { cmd, messageId: packet.packetId, subscriptions: packet.filters.map(asSubscription) };
    case PacketType.Unsubscribe:
      return { cmd, messageId: packet.packetId, unsubscriptions: packet.filters };
    case PacketType.Pingreq:
    case PacketType.Pingresp:
    case PacketType.Disconnect:
      return { cmd };
    default:
      return { cmd, messageId: packet.packetId };
  }
}

/** The guard has let through only what a server may send, so the fields of each packet are there. */
function fromForeign(it: Foreign): Incoming {
  switch (it.cmd) {
    case 'publish': {
      const { topic, payload, qos, retain, dup, messageId } = it;
      return {
        type: PacketType.Publish,
        topic: topic!,
        payload: payload!,
        qos: qos!,
        retain: retain!,
        dup: dup!,
        packetId: qos === 0 ? 0 : messageId!, // mqtt-packet leaves there what was there before.
      };
    }
    case 'connack':
      return { type: PacketType.Connack, sessionPresent: it.sessionPresent!, returnCode: it.returnCode! };
    case 'suback':
      return { type: PacketType.Suback, packetId: it.messageId!, granted: it.granted! };
    case 'pingresp':
      return { type: PacketType.Pingresp };
    default:
      return { type: COMMANDS.indexOf(it.cmd) as typeof PacketType.Puback, packetId: it.messageId! };
  }
}

/**
 * The bytes of a packet that was checked and has its packet identifier.
 * @param size of the packet. @param _remaining its Remaining Length, which mqtt-packet reckons itself
 */
export function write(packet: Outgoing, size: number, _remaining: number): Uint8Array {
  sink.reserve(size);
  mqttPacket.writeToStream(
    toForeign(packet) as Parameters<typeof mqttPacket.writeToStream>[0],
    sink as unknown as Parameters<typeof mqttPacket.writeToStream>[1],
  );
  const bytes = sink.packet(size);
  if (packet.type === PacketType.Connect && packet.password instanceof Uint8Array) {
    bytes.set(packet.password, size - packet.password.length); // Last in the payload [MQTT-3.1.3-1].
  }
  return bytes;
}

/** What write() made last is not needed any more: the next packet may have its memory. */
export const reuse = (packet: Uint8Array): void => sink.reuse(packet);

/** Makes of a whole, legal packet what it says. @param start where its variable header begins. @throws MqttError 'malformed-packet' */
export type Read = (bytes: Uint8Array, start: number) => Incoming;

/** The body of a packet in place of the buffer list that mqtt-packet's parser keeps for packets cut anywhere. */
class Body {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;

  hold(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.at = start;
    this.length = bytes.length - start;
  }

  consume(count: number): void {
    this.at += count;
    this.length -= count;
  }

  readUInt8(index: number): number {
    return this.bytes[this.at + index]!;
  }

  readUInt16BE(index: number): number {
    return (this.readUInt8(index) << 8) | this.readUInt8(index + 1);
  }

  slice(start: number, end: number): Uint8Array {
    return this.bytes.subarray(this.at + start, this.at + end);
  }

  toString(encoding: 'utf8', start: number, end: number): string {
    const { bytes, at } = this;
    // Buffers of Node read themselves, other bytes do not.
    return 'readUInt8' in bytes
      ? (bytes as unknown as Body).toString(encoding, at + start, at + end)
      : textOf(this.slice(start, end));
  }
}

/** How the parser of the pinned version takes a packet apart. */
interface Steps {
  _list: Body;
  packet: Foreign & { length: number };
  error: Error | null;
  _parseHeader(): unknown;
  _parsePayload(): unknown;
  _resetState(): void;
}

/**
 * Each framing needs one of its own. The guard has put a packet together and read its length, so of mqtt-packet's steps header
 * and body are left; the loop around them, its buffer list and its events would cost more than both.
 */
export function reader(): Read {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  parser.on('error', () => {}); // It is kept as well.
  const steps = parser as unknown as Steps;
  const body = new Body();
  return (bytes, start) => {
    steps._list = body;
    body.hold(bytes, 0);
    steps._parseHeader();
    const { packet } = steps;
    body.hold(bytes, start);
    packet.length = body.length;
    if (!steps.error) steps._parsePayload();
    const { error } = steps;
    if (!error) return fromForeign(packet);
    steps._resetState();
    throw malformed(error.message, 'MQTT-4.8.0-1');
  };
}
