// The framing over the specialised mqtt-packet beside that over the untouched package: what they make of a packet to send and
// of bytes that came in has to be the same, byte for byte and error for error.

import assert from 'node:assert/strict';
import type { MqttError } from '../../src/error.ts';
import type { Framing } from '../../src/framing/framing.ts';
import { type Incoming, type Outgoing, PacketType } from '../../src/framing/packet.ts';
import { cut, hex } from '../framing/bytes.ts';
import { generate } from '../fuzz/generate.ts';
import type { Random } from '../fuzz/random.ts';

/** Small enough for packets and streams to exceed it. */
export const MAX_PACKET_SIZE = 512;

/** An error without its text, which a bundle does not carry. */
const plain = ({ name, code, clause, reason }: MqttError) => ({ name, code, clause, reason });

function attempt(what: () => unknown): unknown {
  try {
    return what();
  } catch (error) {
    return plain(error as MqttError);
  }
}

/** What a framing makes of a packet to send. */
export const sent = (framing: Framing, packet: Outgoing) => ({
  checked: attempt(() => framing.check(packet)),
  fits: attempt(() => framing.fits(packet)),
  bytes: attempt(() => hex(framing.encode(packet))),
});

/** The fields that a packet of this type has (3). The specialised parser sets flags of the fixed header in each. */
function fieldsOf(packet: Incoming): object {
  const { type } = packet;
  switch (packet.type) {
    case PacketType.Connack:
      return { type, sessionPresent: packet.sessionPresent, returnCode: packet.returnCode };
    case PacketType.Publish: {
      const { topic, payload, qos, retain, dup, packetId } = packet;
      return { type, topic, payload: hex(payload), qos, retain, dup, packetId };
    }
    case PacketType.Suback:
      return { type, packetId: packet.packetId, granted: packet.granted };
    case PacketType.Pingresp:
      return { type };
  }
  return { type, packetId: (packet as { packetId: number }).packetId };
}

/** What a framing makes of chunks, reading on after an error as a careless caller would. */
export function received(framing: Framing, chunks: readonly Uint8Array[]) {
  const packets: object[] = [];
  const errors: unknown[] = [];
  for (const chunk of chunks) {
    const error = attempt(() => framing.decode(chunk, (packet) => packets.push(fieldsOf(packet))));
    if (error) errors.push(error);
  }
  return { packets, errors };
}

const long = (length: number): string => 'x'.repeat(length);

/** Texts of every kind that is told apart, and what is no text. */
const TEXTS: readonly unknown[] = [
  ...[
    '',
    'a',
    'a/b',
    'é/€',
    '\u{1f600}/\u{10fffd}',
    '\ufeff',
    '/',
    '//',
    '$SYS/x',
    '+',
    '#',
    '+/+/#',
    'a/+',
    'a/#',
    '~\u00a0',
  ],
  ...[
    'a+',
    '+a/b',
    'a/++',
    'a#',
    '#/a',
    '##',
    '#+',
    'a\0b',
    'a\ud800',
    '\udc00',
    '\ud800a',
    'a\x1f',
    '\x7f',
    '\ufdd0',
    '\u{1ffff}',
  ],
  ...[long(100), long(127), long(65_535), long(65_536), 'é'.repeat(32_768), '€'.repeat(21_845)],
  ...[undefined, null, 1, {}, Uint8Array.of(97)],
];

const NUMBERS: readonly unknown[] = [
  0,
  1,
  2,
  3,
  60,
  255,
  256,
  65_535,
  65_536,
  -1,
  0.5,
  Number.NaN,
  '1',
  undefined,
  null,
];

const BINARY: readonly unknown[] = [0, 1, 20, 121, 122, 123, 124, 128, 400, 500, 510, 16_381, 65_535, 65_536].map(
  (it) => new Uint8Array(it).fill(0xe2),
);

const PAYLOADS: readonly unknown[] = [...BINARY, 'text', undefined, null, [1, 2]];

/** Of a list mostly the first ones, which are legal. */
const likely = (random: Random, list: readonly unknown[], legal: number): unknown =>
  random.once(6) ? random.pick(list) : list[random.below(legal)];

const qos = (random: Random): unknown => likely(random, NUMBERS, 3);
const flag = (random: Random): unknown => random.pick([true, false, undefined, 1, 0]);
const packetId = (random: Random): unknown =>
  random.once(6) ? random.pick(NUMBERS) : 1 + random.below(random.pick([1, 255, 65_535]));
const text = (random: Random): unknown => likely(random, TEXTS, 9);
const filter = (random: Random): unknown => likely(random, TEXTS, 15);
const payload = (random: Random): unknown => likely(random, PAYLOADS, 11);

const message = (random: Random) => ({
  topic: text(random),
  payload: payload(random),
  qos: qos(random),
  retain: flag(random),
});

/** A packet such as a caller without types might hand over: mostly legal. */
function outgoing(random: Random): Outgoing {
  const some = (value: unknown): unknown => (random.once(2) ? value : undefined);
  const type = random.pick([1, 1, 1, 3, 3, 3, 4, 5, 6, 7, 8, 8, 10, 10, 12, 14]);
  const id = { type, packetId: packetId(random) };
  const count = random.once(20) ? 0 : 1 + random.below(3);
  switch (type) {
    case PacketType.Connect:
      return {
        type,
        clientId: text(random),
        cleanSession: flag(random),
        keepAliveSeconds: likely(random, NUMBERS, 7),
        will: some(message(random)),
        userName: random.once(4) ? undefined : text(random),
        password: some(random.once(2) ? text(random) : payload(random)),
      } as Outgoing;
    case PacketType.Publish:
      return { ...id, ...message(random), dup: random.once(3) } as Outgoing;
    case PacketType.Subscribe:
      return { ...id, filters: random.list(count, () => ({ filter: filter(random), qos: qos(random) })) } as Outgoing;
    case PacketType.Unsubscribe:
      return { ...id, filters: random.list(count, () => filter(random)) } as Outgoing;
  }
  return id as Outgoing;
}

export interface Tally {
  readonly packets: number;
  readonly written: number;
  readonly refusedPackets: number;
  readonly streams: number;
  readonly received: number;
  readonly refusedStreams: number;
}

/**
 * Compares one packet to send and one stream, legal or damaged and cut anywhere, for each seed.
 * @throws AssertionError with the seed of the first difference
 */
export function compare(
  makers: readonly [theirs: (size: number) => Framing, ours: (size: number) => Framing],
  random: (seed: number) => Random,
  seed: number,
  runs: number,
): Tally {
  const tally = { packets: 0, written: 0, refusedPackets: 0, streams: 0, received: 0, refusedStreams: 0 };
  for (let run = 0; run < runs; run++) {
    const own = (seed + run) >>> 0;
    const source = random(own);
    const size = source.once(20) ? 268_435_460 : MAX_PACKET_SIZE;
    const theirs = makers[0](size);
    const ours = makers[1](size);
    const packet = outgoing(source);
    const expected = sent(theirs, packet);
    assert.deepEqual(sent(ours, packet), expected, `seed ${own}: a packet to send`);
    tally.packets++;
    if (typeof expected.bytes === 'string') tally.written++;
    else tally.refusedPackets++;

    const bytes = generate(source);
    const chunks = cut(
      bytes,
      source.list(source.below(5), () => source.below(1_000)),
    );
    const outcome = received(theirs, chunks);
    assert.deepEqual(received(ours, chunks), outcome, `seed ${own}: a stream`);
    tally.streams++;
    tally.received += outcome.packets.length;
    if (outcome.errors.length > 0) tally.refusedStreams++;
  }
  return tally;
}
