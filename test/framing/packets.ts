// Arbitrary legal packets of both directions, what mqtt-packet calls them, and what a framing makes of bytes.

import fc, { type Arbitrary } from 'fast-check';
import type { Packet } from 'mqtt-packet';
import type { MqttError } from '../../src/error.ts';
import type { Framing } from '../../src/framing/framing.ts';
import { type Incoming, type Outgoing, PacketType } from '../../src/framing/packet.ts';

/** What a client may send in a string: no surrogate, control character or non-character (1.5.3). */
const isLegal = (code: number): boolean =>
  !/[\p{Cc}\p{Cs}]/u.test(String.fromCodePoint(code)) && (code & 0xfffe) !== 0xfffe && (code < 0xfdd0 || code > 0xfdef);

const between = (min: number, max: number) => fc.integer({ min, max });

const character = fc
  .oneof(between(0x20, 0x7e), between(0xa0, 0x7ff), between(0x800, 0xffff), between(0x10000, 0x10ffff))
  .filter(isLegal)
  .map((code) => String.fromCodePoint(code));

const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: character }) },
  { weight: 1, arbitrary: fc.constant('\ufeff') },
);

const topic = text.map((it) => it.replace(/[+#]/g, '-') || '/');

const filter = fc
  .tuple(fc.array(fc.oneof(topic, fc.constantFrom('+', '')), { maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/') || '/');

/** Mostly short; sometimes of a size about which the Remaining Length grows by a byte (2.2.3). */
const binary = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array() },
  { weight: 1, arbitrary: between(100, 140).map((size) => new Uint8Array(size).fill(0x2b)) },
  { weight: 1, arbitrary: between(16_350, 16_400).map((size) => new Uint8Array(size)) },
);

/** fast-check makes some records without a prototype unless told not to; packets have one. */
const record = <T>(fields: { [Key in keyof T]: Arbitrary<T[Key]> }): Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const optional = <T>(it: Arbitrary<T>) => fc.option(it, { nil: undefined });
const qos = fc.constantFrom(0, 1, 2);
const packetId = between(1, 65_535);
const message = { topic, payload: binary, qos, retain: fc.boolean() };

const publish = record({ type: fc.constant(PacketType.Publish), ...message, packetId, dup: fc.boolean() }).map((it) =>
  it.qos === 0 ? { ...it, packetId: 0, dup: false } : it,
);

const acknowledgement = (...types: (typeof PacketType.Puback | typeof PacketType.Unsuback)[]) =>
  record({ type: fc.constantFrom(4, 5, 6, 7, ...types), packetId }) as Arbitrary<Incoming & Outgoing>;

const connect = record({
  type: fc.constant(PacketType.Connect),
  clientId: text,
  cleanSession: fc.boolean(),
  keepAliveSeconds: between(0, 65_535),
  will: optional(record(message)),
  userName: optional(text),
  password: optional(fc.oneof(text, binary)),
}).map((it) => ({
  ...it,
  cleanSession: it.cleanSession || it.clientId === '',
  password: it.userName === undefined ? undefined : it.password,
}));

export const outgoing: Arbitrary<Outgoing> = fc.oneof(
  connect,
  publish,
  acknowledgement(),
  record({
    type: fc.constant(PacketType.Subscribe),
    packetId,
    filters: fc.array(record({ filter, qos }), { minLength: 1 }),
  }),
  record({ type: fc.constant(PacketType.Unsubscribe), packetId, filters: fc.array(filter, { minLength: 1 }) }),
  fc.constantFrom({ type: PacketType.Pingreq }, { type: PacketType.Disconnect }),
);

export const incoming: Arbitrary<Incoming> = fc.oneof(
  between(0, 5).map((returnCode) => ({ type: PacketType.Connack, sessionPresent: false, returnCode })),
  fc.constant({ type: PacketType.Connack, sessionPresent: true, returnCode: 0 }),
  publish,
  acknowledgement(PacketType.Unsuback),
  record({
    type: fc.constant(PacketType.Suback),
    packetId,
    granted: fc.array(fc.constantFrom(0, 1, 2, 128), { minLength: 1 }),
  }),
  fc.constant({ type: PacketType.Pingresp }),
);

const COMMANDS = Object.keys(PacketType).map((it) => it.toLowerCase());

/** The packet in the words of mqtt-packet, as its parser reports it; what it does not know is undefined. */
export function foreign(packet: Incoming | Outgoing): Packet {
  const cmd = COMMANDS[packet.type - 1];
  const messageId = ('packetId' in packet && packet.packetId) || undefined;
  const same = { ...packet, type: undefined, packetId: undefined, cmd, messageId };
  return { ...same, ...foreignFields(packet) } as unknown as Packet;
}

function foreignFields(packet: Incoming | Outgoing): object {
  switch (packet.type) {
    case PacketType.Connect: {
      const { clientId, cleanSession: clean, keepAliveSeconds: keepalive, userName: username, password, will } = packet;
      return {
        ...{ cleanSession: undefined, keepAliveSeconds: undefined, userName: undefined },
        ...{ protocolVersion: 4, clientId, clean, keepalive, username },
        password: password === undefined ? undefined : Buffer.from(password as Uint8Array),
        will: will && { ...will, payload: Buffer.from(will.payload) },
      };
    }
    case PacketType.Publish:
      return { payload: Buffer.from(packet.payload) };
    case PacketType.Subscribe:
      return { filters: undefined, subscriptions: packet.filters.map((it) => ({ topic: it.filter, qos: it.qos })) };
    case PacketType.Unsubscribe:
      return { filters: undefined, unsubscriptions: packet.filters };
    default:
      return {};
  }
}

/** What came of some chunks. A framing that throws twice would have two errors here. */
export interface Outcome {
  readonly packets: Incoming[];
  readonly errors: MqttError[];
}

/** Hands the chunks to a framing, and reads on after an error as a careless caller would. */
export function read(framing: Framing, chunks: readonly Uint8Array[]): Outcome {
  const packets: Incoming[] = [];
  const errors: MqttError[] = [];
  for (const chunk of chunks) {
    try {
      framing.decode(chunk, (it) => {
        packets.push('payload' in it ? { ...it, payload: Uint8Array.from(it.payload) } : it);
      });
    } catch (error) {
      errors.push(error as MqttError);
    }
  }
  return { packets, errors };
}
