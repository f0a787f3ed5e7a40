import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parser } from 'mqtt-packet';
import type { ErrorCode } from '../../src/error.ts';
import { checkOutgoing, topicFilter } from '../../src/framing/check.ts';
import { mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import { type Outgoing, PacketType } from '../../src/framing/packet.ts';
import { outgoing } from './packets.ts';

/** The largest packet there is (2.2.3). */
const LARGEST = 5 + 268_435_455;

const zeros = (size: number) => new Uint8Array(size);
const message = { topic: 'a', payload: zeros(0), qos: 0, retain: false };

// Packets made of what a caller without types might pass.
const connect = (fields: object) =>
  ({ type: PacketType.Connect, clientId: 'a', cleanSession: true, keepAliveSeconds: 60, ...fields }) as Outgoing;
const will = (fields: object) => connect({ will: { ...message, ...fields } });
const publish = (fields: object) =>
  ({ type: PacketType.Publish, ...message, dup: false, packetId: 1, ...fields }) as Outgoing;
const subscribe = (...filters: unknown[]) =>
  ({ type: PacketType.Subscribe, packetId: 1, filters: filters.map((filter) => ({ filter, qos: 1 })) }) as Outgoing;
const unsubscribe = (...filters: unknown[]) => ({ type: PacketType.Unsubscribe, packetId: 1, filters }) as Outgoing;

const framing = mqttPacketFraming(LARGEST);

/** Of a packet before which there was none. */
const check = (packet: Outgoing, maxPacketSize: number) =>
  checkOutgoing(packet, maxPacketSize, { topic: '', topicSize: 0 });

type Refusal = readonly [clause: string | undefined, what: string, packet: Outgoing, code: ErrorCode];

/** The limit of a text that is no topic has no number of its own. */
const inText = (clause: string): string => (clause === 'MQTT-4.7.3-3' ? '1.5.3' : clause);

/** The same text in every string that a client sends. */
const inEveryString = (clause: string, what: string, text: unknown): Refusal[] => [
  [clause, `a topic with ${what}`, publish({ topic: text }), 'bad-topic'],
  [clause, `a will topic with ${what}`, will({ topic: text }), 'bad-topic'],
  [clause, `a subscription to a filter with ${what}`, subscribe('a', text), 'bad-filter'],
  [clause, `an unsubscription of a filter with ${what}`, unsubscribe('a', text), 'bad-filter'],
  [inText(clause), `a client id with ${what}`, connect({ clientId: text }), 'bad-packet'],
  [inText(clause), `a user name with ${what}`, connect({ userName: text }), 'bad-packet'],
];

const refusals: Refusal[] = [
  ...inEveryString('MQTT-1.5.3-1', 'a high surrogate alone', 'a\ud800'),
  ...inEveryString('MQTT-1.5.3-1', 'a low surrogate alone', '\udc00a'),
  ...inEveryString('MQTT-1.5.3-1', 'a number in place of a text', 1),
  ...inEveryString('MQTT-1.5.3-1', 'nothing in place of a text', null),
  ...inEveryString('MQTT-1.5.3-2', 'U+0000', 'a\0b'),
  ...inEveryString('MQTT-4.7.3-3', '65,536 bytes in as many characters', 'x'.repeat(65_536)),
  ...inEveryString('MQTT-4.7.3-3', '65,536 bytes in 32,768 characters', 'é'.repeat(32_768)),
  ...[
    0x01, 0x1f, 0x7f, 0x80, 0x9f, 0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1fffe, 0x1ffff, 0xffffe, 0x10fffe, 0x10ffff,
  ].flatMap((code) =>
    inEveryString('1.5.3', `U+${code.toString(16).padStart(4, '0')}`, `a${String.fromCodePoint(code)}b`),
  ),

  ['MQTT-4.7.3-1', 'an empty topic', publish({ topic: '' }), 'bad-topic'],
  ['MQTT-4.7.3-1', 'an empty will topic', will({ topic: '' }), 'bad-topic'],
  ['MQTT-4.7.3-1', 'an empty filter', subscribe(''), 'bad-filter'],
  ['MQTT-3.3.2-2', 'a topic with +', publish({ topic: 'a/+' }), 'bad-topic'],
  ['MQTT-3.3.2-2', 'a topic with #', publish({ topic: 'a/#' }), 'bad-topic'],
  ['MQTT-3.3.2-2', 'a will topic with #', will({ topic: '#' }), 'bad-topic'],

  ['MQTT-4.7.1-3', 'the filter a+', subscribe('a+'), 'bad-filter'],
  ['MQTT-4.7.1-3', 'the filter +a/b', subscribe('+a/b'), 'bad-filter'],
  ['MQTT-4.7.1-3', 'the filter a/++', unsubscribe('a/++'), 'bad-filter'],
  ['MQTT-4.7.1-2', 'the filter a#', subscribe('a#'), 'bad-filter'],
  ['MQTT-4.7.1-2', 'the filter #/a', subscribe('#/a'), 'bad-filter'],
  ['MQTT-4.7.1-2', 'the filter a/#/', unsubscribe('a/#/'), 'bad-filter'],
  ['MQTT-4.7.1-2', 'the filter ##', subscribe('##'), 'bad-filter'],
  ['MQTT-3.8.3-3', 'SUBSCRIBE without a filter', subscribe(), 'bad-filter'],
  ['MQTT-3.10.3-2', 'UNSUBSCRIBE without a filter', unsubscribe(), 'bad-filter'],

  ...[3, -1, 0.5, '1', undefined].flatMap((qos): Refusal[] => [
    ['MQTT-3.3.1-4', `PUBLISH with QoS ${qos}`, publish({ qos }), 'bad-packet'],
    ['MQTT-3.3.1-4', `a will with QoS ${qos}`, will({ qos }), 'bad-packet'],
    [
      'MQTT-3.8.3-4',
      `SUBSCRIBE with QoS ${qos}`,
      { type: PacketType.Subscribe, packetId: 1, filters: [{ filter: 'a', qos }] } as Outgoing,
      'bad-packet',
    ],
  ]),
  ['MQTT-3.3.1-2', 'PUBLISH with QoS 0 and DUP', publish({ dup: true }), 'bad-packet'],
  [undefined, 'a payload that is a text', publish({ payload: 'x' }), 'bad-packet'],
  [undefined, 'a payload that is missing', publish({ payload: undefined }), 'bad-packet'],
  [undefined, 'a will payload that is an array', will({ payload: [1] }), 'bad-packet'],
  ['3.1.3.3', 'a will payload of 65,536 bytes', will({ payload: zeros(65_536) }), 'bad-packet'],

  [
    'MQTT-3.1.3-7',
    'an empty client id without a clean session',
    connect({ clientId: '', cleanSession: false }),
    'bad-packet',
  ],
  ...[-1, 65_536, 0.5, Number.NaN, undefined].map(
    (keepAliveSeconds): Refusal => [
      '3.1.2.10',
      `a keep-alive of ${keepAliveSeconds}`,
      connect({ keepAliveSeconds }),
      'bad-packet',
    ],
  ),
  ['MQTT-3.1.2-22', 'a password without a user name', connect({ password: 'b' }), 'bad-packet'],
  [undefined, 'a password that is a number', connect({ userName: 'a', password: 1 }), 'bad-packet'],
  ['3.1.3.5', 'a password with a lone surrogate', connect({ userName: 'a', password: '\ud800' }), 'bad-packet'],
  ['3.1.3.5', 'a password of 65,536 bytes', connect({ userName: 'a', password: zeros(65_536) }), 'bad-packet'],
  [
    '3.1.3.5',
    'a password text of 65,536 bytes',
    connect({ userName: 'a', password: 'é'.repeat(32_768) }),
    'bad-packet',
  ],
];

for (const [clause, what, packet, code] of refusals) {
  test(`${clause ? `[${clause}] ` : ''}${what} is refused`, () => {
    const expected = clause === undefined ? { code } : { code, clause };
    assert.throws(() => check(packet, LARGEST), expected);
    assert.throws(() => framing.encode(packet), expected);
  });
}

const long = `${'é'.repeat(32_767)}x`;

const legal: readonly (readonly [clause: string, what: string, packet: Outgoing])[] = [
  ['1.5.3', 'a topic of 65,535 bytes', publish({ topic: long })],
  ['1.5.3', 'a filter of 65,535 bytes', subscribe(long)],
  ['1.5.3', 'a client id and a user name of 65,535 bytes', connect({ clientId: long, userName: long })],
  ['MQTT-1.5.3-1', 'a topic with a pair of surrogates', publish({ topic: '\u{1f600}/\u{1fffd}\u{10fffd}' })],
  [
    '1.5.3',
    'a topic at the borders of what is discouraged',
    publish({ topic: ' ~\u00a0\ufdcf\ufdf0\ufffd\u{1dffe}\u{20000}' }),
  ],
  ['MQTT-1.5.3-3', 'a topic that begins and ends with U+FEFF', publish({ topic: '\ufeffa\ufeff' })],
  ['4.7.3', 'a topic of a blank', publish({ topic: ' ' })],
  ['4.7.3', 'a topic of empty levels', publish({ topic: '//' })],
  ['3.3.3', 'an empty payload', publish({})],
  ['3.3.1.2', 'PUBLISH with QoS 1 and DUP', publish({ qos: 1, dup: true })],
  ['3.3.1.2', 'PUBLISH with QoS 2', publish({ qos: 2 })],
  ...['#', '+', '/', '+/+/#', '/+', 'a/#', '+/a', '$SYS/#'].map(
    (it) => ['4.7.1', `the filter ${it}`, subscribe(it)] as const,
  ),
  ['3.8.3', 'SUBSCRIBE with three filters', subscribe('a', 'b', '#')],
  ['3.10.3', 'UNSUBSCRIBE with three filters', unsubscribe('a', 'b', '#')],
  ['MQTT-3.1.3-7', 'an empty client id with a clean session', connect({ clientId: '' })],
  ['3.1.2.10', 'a keep-alive of 0', connect({ keepAliveSeconds: 0 })],
  ['3.1.2.10', 'a keep-alive of 65,535', connect({ keepAliveSeconds: 65_535 })],
  ['MQTT-3.1.2-9', 'a will with an empty payload', will({})],
  ['3.1.3.3', 'a will of 65,535 bytes and QoS 2', will({ payload: zeros(65_535), qos: 2, retain: true })],
  ['3.1.3.4', 'an empty user name', connect({ userName: '' })],
  ['3.1.3.5', 'an empty password', connect({ userName: '', password: '' })],
  ['3.1.3.5', 'an empty binary password', connect({ userName: 'a', password: zeros(0) })],
  ['3.1.3.5', 'a binary password of 65,535 bytes', connect({ userName: 'a', password: zeros(65_535).fill(0xff) })],
  [
    '3.1.3.5',
    'a password text of 65,535 bytes with U+0000',
    connect({ userName: 'a', password: `${'é'.repeat(32_767)}\0` }),
  ],
];

for (const [clause, what, packet] of legal) {
  test(`[${clause}] ${what} may be sent`, () => {
    check(packet, LARGEST);
    const seen: string[] = [];
    const theirs = parser({ protocolVersion: 4 });
    theirs.on('packet', ({ cmd }) => seen.push(cmd));
    theirs.parse(Buffer.from(framing.encode(packet)));
    assert.equal(seen.length, 1);
  });
}

/** The size that checkOutgoing sees: it passes this limit, and not the next lower one. */
function hasSize(packet: Outgoing, size: number): void {
  check(packet, size);
  assert.throws(() => check(packet, size - 1), { code: 'packet-too-large' });
}

test('[2.2.3] the size that is checked is the size that is encoded', () => {
  fc.assert(
    fc.property(outgoing, (packet) => hasSize(packet, framing.encode(packet).length)),
    { numRuns: 1_000 },
  );
});

test('[2.2.3] the Remaining Length takes one to four bytes, each as long as it can', () => {
  for (const [remaining, header] of [
    [127, 2],
    [128, 3],
    [16_383, 3],
    [16_384, 4],
    [2_097_151, 4],
    [2_097_152, 5],
    [268_435_455, 5],
  ] as const) {
    hasSize(publish({ payload: zeros(remaining - 3) }), header + remaining);
  }
  const tooLong = publish({ payload: zeros(268_435_456 - 3) });
  assert.throws(() => check(tooLong, LARGEST), { code: 'packet-too-large' });
});

test('a packet identifier is not looked at, since a packet is checked before it gets one', () => {
  check(publish({ qos: 1, packetId: 0 }), LARGEST);
});

test('[4.7.1] a filter is checked by itself as in a packet', () => {
  assert.throws(() => topicFilter('a/#/b'), { code: 'bad-filter', clause: 'MQTT-4.7.1-2' });
  assert.throws(() => topicFilter(''), { code: 'bad-filter', clause: 'MQTT-4.7.3-1' });
  topicFilter('a/+/~');
});

test('a topic that was found good is known by its text alone, and no other is taken for it', () => {
  const known = { topic: '', topicSize: 0 };
  const sizeOf = (fields: object) => checkOutgoing(publish(fields), LARGEST, known);
  assert.equal(sizeOf({ topic: 'é/a', payload: zeros(3) }), 2 + 4 + 3);
  assert.deepEqual(known, { topic: 'é/a', topicSize: 2 + 4 });
  assert.equal(sizeOf({ topic: 'é/a', payload: zeros(5), qos: 1 }), 2 + 4 + 2 + 5);
  assert.equal(sizeOf({ topic: ['é', 'a'].join('/') }), 2 + 4);
  for (const topic of ['', '#', 'é/+', 'é/\ud800', undefined, null, 7, ['é/a']]) {
    assert.throws(() => sizeOf({ topic }), { code: 'bad-topic' }, String(topic));
    assert.throws(() => sizeOf({ topic }), { code: 'bad-topic' }, `${topic} again`);
    assert.throws(() => sizeOf({ topic: 'é/a', qos: 3 }), { code: 'bad-packet' });
    assert.throws(() => sizeOf({ topic: 'é/a', payload: 'text' }), { code: 'bad-packet' });
  }
  assert.equal(sizeOf({ topic: 'other' }), 2 + 5);
  assert.equal(
    checkOutgoing(will({ topic: 'other' }), LARGEST, known),
    checkOutgoing(will({ topic: 'other' }), LARGEST, { topic: '', topicSize: 0 }),
  );
});

test('where no topic is known yet, an empty one is refused like any other bad one', () => {
  assert.throws(() => check(publish({ topic: '' }), LARGEST), { code: 'bad-topic', clause: 'MQTT-4.7.3-1' });
});
