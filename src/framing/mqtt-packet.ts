// Framing over the npm package mqtt-packet, behind the guard. The only file that imports it.

import * as mqttPacket from 'mqtt-packet';
import { type MqttError, malformed, mqttError } from '../error.ts';
import { utf8Length, writeUtf8 } from '../utf8.ts';
import { checkOutgoing, packetSize } from './check.ts';
import type { Framing } from './framing.ts';
import { Guard } from './guard.ts';
import { type Filter, type Incoming, type Outgoing, PacketType, type QoS } from './packet.ts';

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

/** Gathers what mqtt-packet writes. It has no cork, so mqtt-packet schedules nothing. */
class Sink {
  parts: (Uint8Array | string)[] = [];
  count = 0;
  length = 0;
  fault: Error | undefined = undefined;

  write(part: Uint8Array | string): boolean {
    this.parts[this.count++] = part;
    this.length += typeof part === 'string' ? utf8Length(part) : part.length;
    return true;
  }

  /** How mqtt-packet reports a packet that it cannot write. */
  destroy(fault: Error): void {
    this.fault = fault;
  }

  clear(): void {
    this.count = 0;
    this.length = 0;
    this.fault = undefined;
  }

  take(): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (let i = 0; i < this.count; i++) {
      const part = this.parts[i]!;
      this.parts[i] = '';
      if (typeof part === 'string') {
        at = writeUtf8(part, bytes, at);
      } else {
        bytes.set(part, at);
        at += part.length;
      }
    }
    return bytes;
  }
}

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
        clean: packet.cleanSession,
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
        packetId: messageId ?? 0,
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

class MqttPacketFraming implements Framing {
  maxPacketSize: number;
  sink = new Sink();
  guard: Guard;
  parser = mqttPacket.parser({ protocolVersion: 4 });
  each: (packet: Incoming) => void = () => {};
  found: Incoming | undefined = undefined;
  fault: MqttError | undefined = undefined;
  parse: (packet: Uint8Array) => void;

  constructor(maxPacketSize: number) {
    this.maxPacketSize = maxPacketSize;
    this.guard = new Guard(maxPacketSize);
    this.parse = (packet) => {
      this.parser.parse(packet as Parameters<typeof this.parser.parse>[0]);
      if (this.fault) this.guard.refuse(this.fault);
      this.each(this.found!); // Not from within mqtt-packet, whose parser an error would leave stuck.
    };
    this.parser.on('packet', (packet) => {
      this.found = fromForeign(packet as unknown as Foreign);
    });
    this.parser.on('error', (error: Error) => {
      this.fault = malformed(error.message, 'MQTT-4.8.0-1');
    });
  }

  check(packet: Outgoing): void {
    checkOutgoing(packet, this.maxPacketSize);
  }

  fits(packet: Outgoing): boolean {
    return packetSize(packet) <= this.maxPacketSize;
  }

  encode(packet: Outgoing): Uint8Array {
    this.check(packet);
    const { sink } = this;
    sink.clear();
    mqttPacket.writeToStream(
      toForeign(packet) as Parameters<typeof mqttPacket.writeToStream>[0],
      sink as unknown as Parameters<typeof mqttPacket.writeToStream>[1],
    );
    const bytes = sink.take();
    if (sink.fault) throw mqttError('bad-packet', sink.fault.message);
    if (packet.type === PacketType.Connect && packet.password instanceof Uint8Array) {
      bytes.set(packet.password, bytes.length - packet.password.length); // Last in the payload [MQTT-3.1.3-1].
    }
    return bytes;
  }

  decode(bytes: Uint8Array, each: (packet: Incoming) => void): void {
    this.each = each;
    this.guard.push(bytes, this.parse);
  }

  reset(): void {
    this.fault = undefined;
    this.guard.reset();
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
