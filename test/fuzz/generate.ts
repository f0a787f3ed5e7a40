// What a server might send: streams of legal packets, most of them damaged in one place or several. Written from the
// standard and not with mqtt-packet, so that the two do not share their faults.

import type { Random } from './random.ts';

type Bytes = number[];

const INTERESTING = [0x00, 0x01, 0x02, 0x05, 0x23, 0x2b, 0x7f, 0x80, 0x81, 0xbf, 0xc0, 0xed, 0xf0, 0xf4, 0xff];

const TOPICS = ['a', '/', 'a/b', 'é/€', '\u{1f600}', '\ufeff', '$SYS/x', 'x'.repeat(120)].map((it) => [
  ...Buffer.from(it),
]);

const noise = (random: Random, length: number): Bytes => random.list(length, () => random.below(256));

/** The Remaining Length, sometimes in more bytes than it needs (2.2.3 does not forbid it). */
function remainingLength(random: Random, length: number): Bytes {
  const bytes: Bytes = [];
  let rest = length;
  do {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  } while (rest > 0);
  while (bytes.length < 4 && random.once(30)) bytes.push(0x80);
  bytes.push(bytes.pop()! & 0x7f);
  return bytes;
}

const frame = (random: Random, first: number, body: Bytes): Bytes => [
  first,
  ...remainingLength(random, body.length),
  ...body,
];

/** Mostly one of those that a test has in flight. */
const packetId = (random: Random): Bytes =>
  random.once(8) ? [random.below(256), 1 + random.below(255)] : [0, 1 + random.below(6)];

function publish(random: Random): Bytes {
  const qos = random.below(3);
  const topic = random.pick(TOPICS);
  const first = 0x30 | (qos > 0 && random.once(3) ? 8 : 0) | (qos << 1) | random.below(2);
  const payload = noise(random, random.below(random.once(10) ? 600 : 20));
  return frame(random, first, [0, topic.length, ...topic, ...(qos > 0 ? packetId(random) : []), ...payload]);
}

const connack = (random: Random): Bytes =>
  random.once(4) ? [0x20, 2, 0, random.below(6)] : [0x20, 2, random.below(2), 0];

const MAKERS: readonly ((random: Random) => Bytes)[] = [
  publish,
  publish,
  (random) => frame(random, random.pick([0x40, 0x50, 0x62, 0x70, 0xb0]), packetId(random)),
  (random) => frame(random, random.pick([0x40, 0x50, 0x62, 0x70, 0xb0]), packetId(random)),
  (random) =>
    frame(random, 0x90, [...packetId(random), ...random.list(1 + random.below(3), () => random.pick([0, 1, 2, 0x80]))]),
  (random) => frame(random, 0xd0, []),
  connack,
];

const packet = (random: Random): Bytes => random.pick(MAKERS)(random);

/** A copy with `count` bytes from `at` on replaced. */
const splice = (it: Bytes, at: number, count: number, ...bytes: Bytes): Bytes => [
  ...it.slice(0, at),
  ...bytes,
  ...it.slice(at + count),
];

/** Ways to damage a packet. */
const DAMAGES: readonly ((random: Random, it: Bytes) => Bytes)[] = [
  (random, it) => splice(it, random.below(it.length), 1, random.pick(INTERESTING)),
  (random, it) => {
    const at = random.below(it.length);
    return splice(it, at, 1, it[at]! ^ (1 << random.below(8)));
  },
  (random, it) => it.slice(0, random.below(it.length)),
  (random, it) => splice(it, random.below(it.length), 0, ...noise(random, 1 + random.below(4))),
  (random, it) => splice(it, random.below(it.length), 1 + random.below(4)),
  (_, it) => [...it, ...it],
  (random, it) => splice(it, 1, 1, (it[1]! + random.below(7) - 3) & 0xff), // The Remaining Length lies a little,
  (random, it) => splice(it, 1, 1, ...noise(random, 1 + random.below(5))), // or a lot.
  (random, it) => [...it.slice(0, random.below(it.length)), ...packet(random).slice(random.below(3))],
  (random) => noise(random, random.below(30)),
];

/** One input. */
export function generate(random: Random): Uint8Array {
  const harm = random.pick([0, 3, 8]);
  const packets = random.list(1 + random.below(8), () => packet(random));
  if (random.once(2)) packets.unshift([0x20, 2, 0, 0]);
  return Uint8Array.from(
    packets.flatMap((it) => (harm > 0 && it.length > 1 && random.once(harm) ? random.pick(DAMAGES)(random, it) : it)),
  );
}
