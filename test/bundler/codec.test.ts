// The specialised mqtt-packet beside the untouched package: the same bytes, the same packets, the same errors.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import * as untouched from 'mqtt-packet';
import { mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import { type Incoming, type Outgoing, PacketType } from '../../src/framing/packet.ts';
import { cut, hex } from '../framing/bytes.ts';
import { foreign, incoming, outgoing, read } from '../framing/packets.ts';
import { generate } from '../fuzz/generate.ts';
import { Random } from '../fuzz/random.ts';
import { load } from './support.ts';

const SEED = 20_261_122;
const RUNS = { numRuns: 3_000, seed: SEED };

interface Codec {
  readonly parser: typeof untouched.parser;
  readonly writeToStream: typeof untouched.writeToStream;
  readonly mqttPacketFraming: typeof mqttPacketFraming;
}

let small: Codec;

before(async () => {
  small = await load<Codec>('test/bundler/apps/codec.ts');
});

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

/** What a codec writes of a packet, with its own errors. */
function written(codec: Pick<Codec, 'writeToStream'>, packet: Outgoing): string {
  const parts: Uint8Array[] = [];
  let fault = '';
  const sink = {
    write: (part: Uint8Array | string) => parts.push(Buffer.from(part as string)) > 0,
    destroy: (error: Error) => {
      fault = error.message;
    },
  };
  codec.writeToStream(foreign(packet), sink as unknown as Parameters<typeof codec.writeToStream>[1]);
  return fault || hex(Buffer.concat(parts));
}

/** What a codec reads from one whole packet: its packets and errors. */
function parsed(codec: Pick<Codec, 'parser'>, bytes: Uint8Array): object[] {
  const found: object[] = [];
  const parser = codec.parser({ protocolVersion: 4 });
  parser.on('packet', (it) => {
    const { payload } = it as { payload?: Uint8Array };
    found.push({ ...it, ...(payload && { payload: hex(payload) }) });
  });
  parser.on('error', (error: Error) => found.push({ error: error.message }));
  parser.parse(bytes as Buffer);
  return found;
}

const bytesOf = (packet: Incoming): Buffer => untouched.generate(foreign(packet));

/** What a framing makes of chunks, comparable over two copies of the package. */
function outcome(make: typeof mqttPacketFraming, chunks: readonly Uint8Array[]): object {
  const { packets, errors } = read(make(512), chunks);
  return { packets, errors: errors.map(({ code, message }) => ({ code, message })) };
}

test('every packet of a client is written as the untouched package writes it', () => {
  const framing = { theirs: mqttPacketFraming(), ours: small.mqttPacketFraming() };
  for (const packet of SENT) {
    assert.equal(written(small, packet), written(untouched, packet), `packet type ${packet.type}`);
    assert.equal(hex(framing.ours.encode(packet)), hex(framing.theirs.encode(packet)), `packet type ${packet.type}`);
  }
});

test('every packet of a server is read as the untouched package reads it', () => {
  for (const packet of RECEIVED) {
    const bytes = bytesOf(packet);
    assert.deepEqual(parsed(small, bytes), parsed(untouched, bytes), `packet type ${packet.type}`);
    assert.deepEqual(outcome(small.mqttPacketFraming, [bytes]), outcome(mqttPacketFraming, [bytes]));
  }
});

test('3,000 random packets of a client are written alike', () => {
  fc.assert(
    fc.property(outgoing, (packet) => {
      assert.equal(written(small, packet), written(untouched, packet));
    }),
    RUNS,
  );
});

test('3,000 random packets of a server are read alike', () => {
  fc.assert(
    fc.property(incoming, (packet) => {
      const bytes = bytesOf(packet);
      assert.deepEqual(parsed(small, bytes), parsed(untouched, bytes));
    }),
    RUNS,
  );
});

test('5,000 damaged streams, cut anywhere, give the same packets and the same errors', () => {
  let refused = 0;
  for (let run = 0; run < 5_000; run++) {
    const random = new Random(SEED + run);
    const bytes = generate(random);
    const chunks = cut(
      bytes,
      random.list(random.below(4), () => random.below(1_000)),
    );
    const expected = outcome(mqttPacketFraming, chunks) as { errors: object[] };
    if (expected.errors.length > 0) refused++;
    assert.deepEqual(outcome(small.mqttPacketFraming, chunks), expected, `seed ${SEED + run}`);
  }
  assert.ok(refused > 500, `only ${refused} streams were refused`);
});

test('a packet that cannot be written gives the same error', () => {
  const broken = [
    { cmd: 'publish', qos: 0, payload: '' },
    { cmd: 'publish', topic: 'a', qos: 1 },
    { cmd: 'puback' },
    { cmd: 'subscribe', messageId: 1, subscriptions: [] },
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a' }] },
    { cmd: 'unsubscribe', messageId: 1, unsubscriptions: [1] },
    { cmd: 'connect', clientId: '', clean: false },
    { cmd: 'connect', clientId: 'a', keepalive: 65_536 },
    { cmd: 'connect', clientId: 'a', password: 'x' },
    { cmd: 'connect', clientId: 'a', will: { topic: '' } },
    { cmd: 'nonsense' },
  ];
  const fault = (codec: Pick<Codec, 'writeToStream'>, packet: object): string => {
    const faults: string[] = [];
    const sink = { write: () => true, destroy: (error: Error) => void faults.push(error.message) };
    codec.writeToStream(packet as untouched.Packet, sink as unknown as Parameters<typeof codec.writeToStream>[1]);
    return faults[0] ?? '';
  };
  for (const packet of broken) {
    assert.notEqual(fault(untouched, packet), '', JSON.stringify(packet));
    assert.equal(fault(small, packet), fault(untouched, packet), JSON.stringify(packet));
  }
});
