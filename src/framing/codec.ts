// The npm package mqtt-packet in the words of packet.ts: bytes of a packet that was checked, the packet in bytes that the
// guard has let through. The only file that imports it, and the one that a bundle for a small host has in its own form.

import * as mqttPacket from 'mqtt-packet';
import { malformed, mqttError } from '../error.ts';
import { writeUtf8 } from '../utf8.ts';
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

/** Takes what mqtt-packet writes. It has no cork, so mqtt-packet schedules nothing. */
class Sink {
  bytes: Uint8Array;
  at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  write(part: Uint8Array | string): boolean {
    if (typeof part === 'string') {
      this.at = writeUtf8(part, this.bytes, this.at);
    } else {
      this.bytes.set(part, this.at);
      this.at += part.length;
    }
    return true;
  }

  /** How mqtt-packet reports a packet that it cannot write. */
  destroy(fault: Error): never {
    throw mqttError('bad-packet', fault.message);
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

/**
 * The bytes of a packet that was checked and has its packet identifier.
 * @param size of the packet. @param _remaining its Remaining Length, which mqtt-packet reckons itself
 */
export function write(packet: Outgoing, size: number, _remaining: number): Uint8Array {
  const sink = new Sink(size);
  mqttPacket.writeToStream(
    toForeign(packet) as Parameters<typeof mqttPacket.writeToStream>[0],
    sink as unknown as Parameters<typeof mqttPacket.writeToStream>[1],
  );
  const { bytes } = sink;
  if (packet.type === PacketType.Connect && packet.password instanceof Uint8Array) {
    bytes.set(packet.password, size - packet.password.length); // Last in the payload [MQTT-3.1.3-1].
  }
  return bytes;
}

/** Makes of a whole, legal packet what it says. @param start where its variable header begins. @throws MqttError 'malformed-packet' */
export type Read = (bytes: Uint8Array, start: number) => Incoming;

/** Each framing needs one of its own. */
export function reader(): Read {
  const parser = mqttPacket.parser({ protocolVersion: 4 });
  const outcome: { packet?: Incoming; fault?: Error | undefined } = {};
  parser.on('packet', (packet) => {
    outcome.packet = fromForeign(packet as unknown as Foreign);
  });
  parser.on('error', (error: Error) => {
    outcome.fault = error; // Not thrown from within mqtt-packet, whose parser it would leave stuck.
  });
  return (bytes) => {
    outcome.fault = undefined;
    parser.parse(bytes as Parameters<typeof parser.parse>[0]);
    if (outcome.fault) throw malformed((outcome.fault as Error).message, 'MQTT-4.8.0-1');
    return outcome.packet!;
  };
}
