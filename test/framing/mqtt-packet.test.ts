import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { generate, type Packet, parser } from 'mqtt-packet';
import { reader, write } from '../../src/framing/codec.ts';
import { DEFAULT_MAX_PACKET_SIZE, mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import { type Incoming, type Outgoing, PacketType, type Publish as Publication } from '../../src/framing/packet.ts';
import { bytewise, cut, hex, unhex } from './bytes.ts';
import { foreign, incoming, outgoing, read } from './packets.ts';

const { Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp } = PacketType;
const { Subscribe, Suback, Unsubscribe, Unsuback, Pingreq, Pingresp, Disconnect } = PacketType;

const empty = new Uint8Array();
const message = { topic: 'a/b', payload: empty, qos: 0, retain: false } as const;
const connect = { type: Connect, clientId: 'a', cleanSession: true, keepAliveSeconds: 60 } as const;

type Vector<T> = readonly [clause: string, what: string, digits: string, packet: T];

const sent: readonly Vector<Outgoing>[] = [
  ['3.1', 'CONNECT', '10 0d 0004 4d515454 04 02 003c 0001 61', connect],
  [
    'MQTT-3.1.3-1',
    'CONNECT with everything',
    '10 1b 0004 4d515454 04 ec ffff 0001 61 0001 77 0001 78 0002 c3a9 0002 00ff',
    {
      type: Connect,
      clientId: 'a',
      cleanSession: false,
      keepAliveSeconds: 65_535,
      will: { topic: 'w', payload: unhex('78'), qos: 1, retain: true },
      userName: 'é',
      password: unhex('00ff'),
    },
  ],
  [
    'MQTT-3.1.2-9',
    'CONNECT with an empty client id and an empty will',
    '10 13 0004 4d515454 04 06 0000 0000 0003 612f62 0000',
    { ...connect, clientId: '', keepAliveSeconds: 0, will: message },
  ],
  [
    '3.1.2.6',
    'CONNECT with a will of QoS 2',
    '10 14 0004 4d515454 04 16 003c 0001 61 0003 612f62 0000',
    { ...connect, will: { ...message, qos: 2 } },
  ],
  [
    '3.1.3.5',
    'CONNECT with a password text',
    '10 16 0004 4d515454 04 c2 003c 0001 61 0000 0005 f09f988000',
    { ...connect, userName: '', password: '\u{1f600}\0' },
  ],
  [
    '3.1.3.5',
    'CONNECT with empty passwords',
    '10 12 0004 4d515454 04 c2 003c 0001 61 0001 75 0000',
    { ...connect, userName: 'u', password: empty },
  ],
  [
    '3.8',
    'SUBSCRIBE',
    '82 11 000a 0003 612f62 01 0001 23 02 0002 2b2f 00',
    {
      type: Subscribe,
      packetId: 10,
      filters: [
        { filter: 'a/b', qos: 1 },
        { filter: '#', qos: 2 },
        { filter: '+/', qos: 0 },
      ],
    },
  ],
  [
    '3.10',
    'UNSUBSCRIBE',
    'a2 0a ffff 0003 612f62 0001 23',
    { type: Unsubscribe, packetId: 65_535, filters: ['a/b', '#'] },
  ],
  ['3.12', 'PINGREQ', 'c0 00', { type: Pingreq }],
  ['3.14', 'DISCONNECT', 'e0 00', { type: Disconnect }],
];

const bothWays: readonly Vector<Incoming & Outgoing>[] = [
  [
    'MQTT-2.3.1-5',
    'PUBLISH of QoS 0',
    '30 07 0003 612f62 6869',
    { type: Publish, ...message, payload: unhex('6869'), dup: false, packetId: 0 },
  ],
  [
    'MQTT-3.3.1-1',
    'PUBLISH of QoS 1, DUP and RETAIN without a payload',
    '3b 07 0003 612f62 000a',
    { type: Publish, ...message, qos: 1, retain: true, dup: true, packetId: 10 },
  ],
  [
    '1.5.3',
    'PUBLISH of QoS 2 with two to four bytes a character',
    '34 13 000c c3a9 e282ac f0908d88 efbbbf ff00 00ff00',
    {
      type: Publish,
      topic: 'é€\u{10348}\ufeff',
      payload: unhex('00ff00'),
      qos: 2,
      retain: false,
      dup: false,
      packetId: 0xff00,
    },
  ],
  [
    '2.2.3',
    'PUBLISH with a Remaining Length of 128',
    `30 8001 0003 612f62 ${'aa'.repeat(123)}`,
    { type: Publish, ...message, payload: new Uint8Array(123).fill(0xaa), dup: false, packetId: 0 },
  ],
  ['3.4', 'PUBACK', '40 02 1234', { type: Puback, packetId: 0x1234 }],
  ['3.5', 'PUBREC', '50 02 0001', { type: Pubrec, packetId: 1 }],
  ['MQTT-3.6.1-1', 'PUBREL', '62 02 0100', { type: Pubrel, packetId: 256 }],
  ['3.7', 'PUBCOMP', '70 02 ffff', { type: Pubcomp, packetId: 65_535 }],
];

const received: readonly Vector<Incoming>[] = [
  ['3.2', 'CONNACK', '20 02 00 00', { type: Connack, sessionPresent: false, returnCode: 0 }],
  ['3.2.2.2', 'CONNACK with Session Present', '20 02 01 00', { type: Connack, sessionPresent: true, returnCode: 0 }],
  ['3.2.2.3', 'CONNACK with return code 5', '20 02 00 05', { type: Connack, sessionPresent: false, returnCode: 5 }],
  ['3.9', 'SUBACK', '90 06 000a 00 01 02 80', { type: Suback, packetId: 10, granted: [0, 1, 2, 128] }],
  ['3.11', 'UNSUBACK', 'b0 02 000a', { type: Unsuback, packetId: 10 }],
  ['3.13', 'PINGRESP', 'd0 00', { type: Pingresp }],
];

const framing = mqttPacketFraming();

for (const [clause, what, digits, packet] of [...sent, ...bothWays]) {
  test(`[${clause}] ${what} is written byte for byte`, () =>
    assert.equal(hex(framing.encode(packet)), hex(unhex(digits))));
}

for (const [clause, what, digits, packet] of [...bothWays, ...received]) {
  test(`[${clause}] ${what} is read byte for byte`, () => {
    assert.deepEqual(read(framing, [unhex(digits)]), { packets: [packet], errors: [] });
  });
}

test('what is encoded is read by mqtt-packet as it was meant', () => {
  const theirs = parser({ protocolVersion: 4 });
  let packets: Packet[] = [];
  theirs.on('packet', (packet) => packets.push(packet));
  fc.assert(
    fc.property(outgoing, (packet) => {
      packets = [];
      theirs.parse(Buffer.from(framing.encode(packet)));
      const expected = foreign(packet);
      const keys = Object.keys(expected) as (keyof Packet)[];
      assert.equal(packets.length, 1);
      assert.deepEqual(Object.fromEntries(keys.map((key) => [key, packets[0]![key]])), { ...expected });
    }),
    { numRuns: 500 },
  );
});

test('what mqtt-packet generates is decoded as it was meant', () => {
  fc.assert(
    fc.property(incoming, (packet) => {
      assert.deepEqual(read(framing, [generate(foreign(packet))]), { packets: [packet], errors: [] });
    }),
    { numRuns: 500 },
  );
});

test('[4.2] every split of a stream, legal or not, gives the same packets and the same error', () => {
  const edit = fc.tuple(fc.nat({ max: 2_000 }), fc.constantFrom(0x00, 0x01, 0x02, 0x30, 0x7f, 0x80, 0xd0, 0xed, 0xff));
  const edits = fc.oneof(fc.constant([]), fc.array(edit, { maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(incoming, { maxLength: 6 }), edits, fc.array(fc.nat()), (packets, edits, places) => {
      const stream = Buffer.concat(packets.map((it) => generate(foreign(it))));
      for (const [at, byte] of edits) if (stream.length > 0) stream[at % stream.length] = byte;
      const whole = read(mqttPacketFraming(), [stream]);
      if (edits.length === 0) assert.deepEqual(whole, { packets, errors: [] });
      assert.equal(whole.errors.length > 1, false);
      for (const chunks of [bytewise(stream), cut(stream, places)]) {
        assert.deepEqual(read(mqttPacketFraming(), chunks), whole);
      }
    }),
    { numRuns: 300 },
  );
});

test('a payload that came in one chunk is not copied', () => {
  const chunk = unhex('30 05 0001 61 7879');
  framing.decode(chunk, (packet) => {
    assert.equal(packet.type === Publish && packet.payload.buffer === chunk.buffer, true);
  });
});

test('the cache of numbers in mqtt-packet stays empty, and encoding schedules nothing', () => {
  const { cache } = createRequire(import.meta.url)('mqtt-packet/numbers.js') as { cache: object };
  const scheduled: string[] = [];
  const hook = createHook({ init: (_, type) => scheduled.push(type) }).enable();
  for (const [, , , packet] of [...sent, ...bothWays]) framing.encode(packet);
  hook.disable();
  assert.deepEqual(scheduled, []);
  assert.deepEqual(Object.keys(cache), []);
});

test('the limit of a packet is 266,240 bytes unless another is given, both ways', () => {
  const publish = (size: number): Outgoing & Incoming => ({
    type: Publish,
    ...message,
    payload: new Uint8Array(size - 9),
    dup: false,
    packetId: 0,
  });
  for (const [limit, it] of [
    [DEFAULT_MAX_PACKET_SIZE, mqttPacketFraming()],
    [20_000, mqttPacketFraming(20_000)],
  ] as const) {
    assert.equal(it.encode(publish(limit)).length, limit);
    assert.throws(() => it.check(publish(limit + 1)), { code: 'packet-too-large' });
    assert.throws(() => it.encode(publish(limit + 1)), { code: 'packet-too-large' });
    assert.deepEqual(read(it, [generate(foreign(publish(limit)))]).errors, []);
    assert.equal(read(it, [generate(foreign(publish(limit + 1)))]).errors[0]?.reason, 'too-large');
  }
  assert.equal(DEFAULT_MAX_PACKET_SIZE, 266_240);
});

test('[MQTT-4.8.0-1] reset makes a framing as good as new after an error and in the middle of a packet', () => {
  const it = mqttPacketFraming();
  for (const chunk of ['36', '40 02 00', '30 ff', '40 02 00 00']) {
    read(it, [unhex(chunk)]);
    it.reset();
    assert.deepEqual(read(it, [unhex('d000')]), { packets: [{ type: Pingresp }], errors: [] });
  }
});

test('reset forgets a packet in the middle of anything', () => {
  const packet = unhex('32 0a 0001 61 0001 7878787878');
  for (let at = 0; at < packet.length; at++) {
    const it = mqttPacketFraming();
    read(it, [packet.subarray(0, at)]);
    it.reset();
    const { packets, errors } = read(it, [packet, unhex('d000')]);
    assert.deepEqual([packets.map(({ type }) => type), errors], [[Publish, Pingresp], []]);
  }
});

test('an error of whoever takes the packets goes through, and after reset none of them comes again', () => {
  const it = mqttPacketFraming();
  const bad = () => {
    throw new Error('not mine');
  };
  assert.throws(() => it.decode(unhex('40020001 40020002'), bad), /not mine/);
  assert.deepEqual(read(it, [unhex('40020003')]), { packets: [], errors: [] });
  it.reset();
  assert.deepEqual(read(it, [unhex('40020004')]), { packets: [{ type: Puback, packetId: 4 }], errors: [] });
});

test('[MQTT-2.3.1-1] a packet that needs a packet identifier and has none is refused, and the next one is not touched by it', () => {
  const publish = { type: Publish, ...message, qos: 1, dup: false } as const;
  const one = { type: Subscribe, filters: [{ filter: 'a', qos: 0 }] } as const;
  for (const packet of [publish, { type: Puback }, { type: Pubcomp }, one, { type: Unsubscribe, filters: ['a'] }]) {
    for (const packetId of [0, 65_536, -1, 1.5, '1', undefined]) {
      const faulty = { ...packet, packetId } as unknown as Outgoing;
      assert.throws(() => framing.encode(faulty), { code: 'bad-packet', clause: 'MQTT-2.3.1-1' });
      framing.check(faulty);
    }
    assert.equal(hex(framing.encode({ type: Pingreq })), 'c000');
  }
});

test('packets that share memory do not overlap, whatever their sizes', () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: 3_000, max: 20_000 })), { maxLength: 30 });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const packets = lengths.map(
        (length, index): Outgoing => ({
          ...message,
          type: Publish,
          packetId: 0,
          dup: false,
          payload: new Uint8Array(length).fill(index),
        }),
      );
      const made = packets.map((packet) => framing.encode(packet));
      for (const [index, bytes] of made.entries()) {
        const { topic, qos, payload } = packets[index] as Publication;
        const expected = generate({
          cmd: 'publish',
          topic,
          qos,
          retain: false,
          dup: false,
          payload: Buffer.from(payload),
        });
        assert.deepEqual(hex(bytes), hex(expected));
      }
    }),
    { numRuns: 50 },
  );
});

test('a payload is read as the kind of bytes that came, a topic as text of any length in UTF-8', () => {
  const topic = 'é/€/😀/'.repeat(500);
  const bytes = generate({ cmd: 'publish', topic, payload: 'x', qos: 0, retain: false, dup: false });
  for (const kind of [Buffer.from(bytes), Uint8Array.from(bytes)]) {
    const packets: Publication[] = [];
    mqttPacketFraming().decode(kind, (packet) => packets.push(packet as Publication));
    const { topic: text, payload } = packets[0]!;
    assert.deepEqual([text, hex(payload)], [topic, '78']);
    assert.deepEqual([payload.constructor, payload.buffer], [kind.subarray().constructor, kind.buffer]);
  }
});

test('what the check would miss and mqtt-packet refuses is a bad packet', () => {
  assert.throws(() => write({ type: Puback } as unknown as Outgoing, 4, 2), { code: 'bad-packet' });
  assert.equal(hex(write({ type: Puback, packetId: 1 }, 4, 2)), '40020001');
});

test('[MQTT-4.8.0-1] what the guard would miss and mqtt-packet refuses is malformed', () => {
  const it = reader();
  assert.throws(() => it(unhex('36 00'), 2), { code: 'malformed-packet', clause: 'MQTT-4.8.0-1' });
  assert.deepEqual(it(unhex('d000'), 2), { type: Pingresp });
});

test('the pinned mqtt-packet still has the steps that the codec takes one by one', () => {
  const it = parser({ protocolVersion: 4 }) as object;
  for (const name of ['_list', 'packet', 'error', '_parseHeader', '_parsePayload', '_resetState']) {
    assert.ok(name in it, name);
  }
});

test('a limit that is no size of a packet is refused', () => {
  for (const size of [127, 268_435_461, Number.NaN, '1000' as unknown as number]) {
    assert.throws(() => mqttPacketFraming(size), { code: 'bad-option' });
  }
  for (const size of [128, 268_435_460]) assert.equal(typeof mqttPacketFraming(size).encode, 'function');
});
