// The framing over the specialised mqtt-packet beside that over the untouched package: the same bytes, packets and errors.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import { type Incoming, type Outgoing, PacketType } from '../../src/framing/packet.ts';
import { bytewise, hex } from '../framing/bytes.ts';
import { foreign, incoming, outgoing } from '../framing/packets.ts';
import { corpus } from '../fuzz/corpus.ts';
import { Random } from '../fuzz/random.ts';
import { compare, MAX_PACKET_SIZE, received, sent } from './compare.ts';
import { load } from './support.ts';

const SEED = 20_261_122;
const RUNS = { numRuns: 3_000, seed: SEED };

const message = { topic: 'a/é', payload: Uint8Array.of(1, 2, 3), retain: true };
const connect = { type: PacketType.Connect, clientId: 'id', cleanSession: true, keepAliveSeconds: 60 } as const;
const packetId = 0x1234;

/** One of every kind that a client sends, with every option. */
const SENT: readonly Outgoing[] = [
  connect,
  { ...connect, cleanSession: false, userName: 'user', password: 'pässword' },
  { ...connect, clientId: '', userName: 'user', password: Uint8Array.of(0, 255) },
  { ...connect, userName: '', password: '' },
  { ...connect, will: { ...message, qos: 2 } },
  { ...connect, will: { ...message, qos: 0, retain: false, payload: new Uint8Array(0) } },
  { type: PacketType.Publish, ...message, qos: 0, dup: false, packetId: 0 },
  { type: PacketType.Publish, ...message, qos: 1, dup: true, packetId },
  { type: PacketType.Publish, ...message, qos: 2, dup: false, retain: false, packetId },
  { type: PacketType.Publish, ...message, qos: 1, dup: false, packetId, payload: new Uint8Array(20_000).fill(7) },
  { type: PacketType.Puback, packetId },
  { type: PacketType.Pubrec, packetId },
  { type: PacketType.Pubrel, packetId },
  { type: PacketType.Pubcomp, packetId },
  { type: PacketType.Subscribe, packetId, filters: [0, 1, 2].map((qos) => ({ filter: `f/${qos}`, qos: qos as 0 })) },
  { type: PacketType.Unsubscribe, packetId, filters: ['a', 'b/+', '#'] },
  { type: PacketType.Pingreq },
  { type: PacketType.Disconnect },
];

/** One of every kind that a server sends. */
const RECEIVED: readonly Incoming[] = [
  ...[0, 1, 2, 3, 4, 5].map((returnCode) => ({ type: PacketType.Connack, sessionPresent: false, returnCode })),
  { type: PacketType.Connack, sessionPresent: true, returnCode: 0 },
  { type: PacketType.Publish, ...message, qos: 0, dup: false, packetId: 0 },
  { type: PacketType.Publish, ...message, qos: 1, dup: true, packetId },
  { type: PacketType.Publish, ...message, qos: 2, dup: false, packetId, payload: new Uint8Array(0) },
  { type: PacketType.Puback, packetId },
  { type: PacketType.Pubrec, packetId },
  { type: PacketType.Pubrel, packetId },
  { type: PacketType.Pubcomp, packetId },
  { type: PacketType.Suback, packetId, granted: [0, 1, 2, 128] },
  { type: PacketType.Unsuback, packetId },
  { type: PacketType.Pingresp },
];

type MakeFraming = typeof mqttPacketFraming;

// Node's own codec stands for what is in the package for Node.
for (const target of ['es2022', 'node'] as const) {
  const { mqttPacketFraming: small } = await load<{ mqttPacketFraming: MakeFraming }>(
    'test/bundler/apps/codec.ts',
    target,
  );
  describe(`specialised for ${target}`, () => {
    /** Both framings, of a size. */
    const both = (size?: number) => [mqttPacketFraming(size), small(size)] as const;

    test('every packet of a client is written as the untouched package writes it', () => {
      const [theirs, ours] = both();
      for (const packet of SENT) {
        const expected = sent(theirs, packet);
        assert.equal(typeof expected.bytes, 'string', `packet type ${packet.type}`);
        assert.deepEqual(sent(ours, packet), expected, `packet type ${packet.type}`);
      }
    });

    test('every packet of a server is read as the untouched package reads it', () => {
      const [theirs, ours] = both();
      for (const packet of RECEIVED) {
        const bytes = generate(foreign(packet));
        const expected = received(theirs, [bytes]);
        assert.equal(expected.packets.length, 1, `packet type ${packet.type}`);
        assert.deepEqual(received(ours, [bytes]), expected, `packet type ${packet.type}`);
      }
    });

    test('every input of the corpus gives the same packets and the same errors, whole and byte by byte', () => {
      for (const { name, bytes } of corpus()) {
        for (const chunks of [[bytes], bytewise(bytes)]) {
          const [theirs, ours] = both(MAX_PACKET_SIZE);
          assert.deepEqual(received(ours, chunks), received(theirs, chunks), name);
        }
      }
    });

    test('3,000 random packets of a client are written alike', () => {
      const [theirs, ours] = both();
      fc.assert(
        fc.property(outgoing, (packet) => {
          assert.equal(hex(ours.encode(packet)), hex(theirs.encode(packet)));
        }),
        RUNS,
      );
    });

    test('3,000 random packets of a server are read alike', () => {
      const [theirs, ours] = both();
      fc.assert(
        fc.property(incoming, (packet) => {
          const bytes = generate(foreign(packet));
          assert.deepEqual(received(ours, [bytes]), received(theirs, [bytes]));
        }),
        RUNS,
      );
    });

    test('5,000 packets of any kind are sent or refused alike, and 5,000 streams, damaged and cut anywhere, read alike', () => {
      const tally = compare([mqttPacketFraming, small], (seed) => new Random(seed), SEED, 5_000);
      // The comparison is worth something only while each outcome comes often.
      for (const [what, count] of Object.entries(tally)) assert.equal(count > 500, true, `${what}: ${count}`);
    });

    test('a payload is not copied, and nothing of a packet is kept once it was handed on', () => {
      const chunk = Uint8Array.of(0x30, 5, 0, 1, 0x61, 0x78, 0x79);
      const framing = small();
      framing.decode(chunk, (packet) => {
        assert.equal(packet.type === PacketType.Publish && packet.payload.buffer === chunk.buffer, true);
      });
      const kept = (it: unknown): boolean =>
        it === chunk ||
        (ArrayBuffer.isView(it)
          ? it.buffer === chunk.buffer
          : typeof it === 'object' && it !== null && Object.values(it).some(kept));
      assert.equal(kept(framing), false);
    });
  });
}
