import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/error.ts';
import { Guard } from '../../src/framing/guard.ts';
import { bytewise, hex, unhex } from './bytes.ts';

const PINGRESP = 'd000';

/** What the guard tells of a packet: its first byte, and all from its variable header on. Length bytes were read, and are not kept. */
const told = (packet: Uint8Array, start: number) => `${hex(packet.subarray(0, 1))} ${hex(packet.subarray(start))}`;

/** What is told of a packet in hexadecimal digits. */
function toldOf(digits: string): string {
  const bytes = unhex(digits);
  let last = 1;
  while (bytes[last]! & 0x80) last++;
  return told(bytes, last + 1);
}

/** A guard, the packets that it has let through, and `push` for hexadecimal digits. */
function guarded(maxPacketSize = 1_000) {
  const guard = new Guard(maxPacketSize);
  const seen: string[] = [];
  const push = (digits: string) => guard.push(unhex(digits), (...packet) => seen.push(told(...packet)));
  return { guard, seen, push };
}

/** The shortest beginning of a stream that must be refused, as hexadecimal digits. */
type Refusal = readonly [clause: string, what: string, digits: string, code?: ErrorCode];

/** The first bytes that a server may send (2.2). */
const FIRST_BYTES = '20 30 31 32 33 34 35 3a 3b 3c 3d 40 50 62 70 90 b0 d0'.split(' ');

const illegalFirstBytes = Array.from({ length: 256 }, (_, first): Refusal => {
  const digits = first.toString(16).padStart(2, '0');
  const what = `the first byte ${digits}`;
  if ('018ace'.includes(digits[0]!) || digits[0] === 'f') return ['MQTT-4.8.0-1', what, digits, 'unexpected-packet'];
  if (digits[0] !== '3') return ['MQTT-2.2.2-2', what, digits];
  return [(first & 6) === 6 ? 'MQTT-3.3.1-4' : 'MQTT-3.3.1-2', what, digits];
}).filter(([, , digits]) => !FIRST_BYTES.includes(digits));

const topic = (clause: string, what: string, bytes: string): Refusal => {
  const size = bytes.length / 2;
  return [clause, `a topic with ${what}`, `30 ${hex(Uint8Array.of(size + 2, 0, size))} ${bytes}`];
};

const refusals: Refusal[] = [
  ...illegalFirstBytes,

  ...['2000', '2001', '2003', '4000', '4001', '4003', '5003', '6201', '7003', 'b003', 'd001'].map(
    (it): Refusal => ['2.2.3', `the header ${it}, whose Remaining Length is fixed`, it],
  ),
  ...['3000', '3002', '3200', '3204', '3404', '9000', '9002'].map(
    (it): Refusal => ['2.2.3', `the header ${it}, too short`, it],
  ),
  ['2.2.3', 'a Remaining Length of more than four bytes', '30 80 80 80 80'],
  ['2.2.3', 'a Remaining Length of 2 where 0 must be, in four bytes', 'd0 82 80 80 00'],

  ['3.2.2.1', 'CONNACK with a reserved flag', '20 02 02 00'],
  ['3.2.2.1', 'CONNACK with the highest reserved flag', '20 02 80 00'],
  ['3.2.2.3', 'CONNACK with return code 6', '20 02 00 06'],
  ['3.2.2.3', 'CONNACK with return code 255', '20 02 00 ff'],
  ['MQTT-3.2.2-4', 'a refusal with Session Present', '20 02 01 05'],

  ...['PUBACK 40', 'PUBREC 50', 'PUBREL 62', 'PUBCOMP 70', 'UNSUBACK b0'].map((it): Refusal => {
    const [name, first] = it.split(' ');
    return ['MQTT-2.3.1-1', `a ${name} with packet identifier 0`, `${first} 02 00 00`];
  }),
  ['MQTT-2.3.1-1', 'a SUBACK with packet identifier 0', '90 03 00 00 01'],
  ['MQTT-2.3.1-1', 'a PUBLISH of QoS 1 with packet identifier 0', '32 06 00 01 61 00 00 78'],
  ['MQTT-2.3.1-1', 'a PUBLISH of QoS 2 with packet identifier 0', '34 05 00 01 61 00 00'],
  ['MQTT-3.9.3-2', 'a SUBACK with return code 3', '90 03 00 01 03'],
  ['MQTT-3.9.3-2', 'a SUBACK with return code 0x7f', '90 04 00 01 00 7f'],
  ['MQTT-3.9.3-2', 'a SUBACK with return code 0x81', '90 05 00 01 80 02 81'],

  ['MQTT-4.7.3-1', 'an empty topic', '30 03 00 00 61'],
  ['3.3.2', 'a topic that is longer than the packet', '30 04 00 03 61 62'],
  ['3.3.2', 'a topic of 65,535 bytes in a short packet', '30 04 ff ff 61 62'],
  ['3.3.2', 'a PUBLISH of QoS 1 that ends with its topic', '32 05 00 03 61 62 63'],
  ['3.3.2', 'a PUBLISH of QoS 1 with half a packet identifier', '32 05 00 02 61 62 01'],
  topic('MQTT-1.5.3-1', 'a stray continuation byte', '80'),
  topic('MQTT-1.5.3-1', 'an overlong U+0000', 'c080'),
  topic('MQTT-1.5.3-1', 'an overlong slash of three bytes', 'e080af'),
  topic('MQTT-1.5.3-1', 'an overlong character of four bytes', 'f08fbfbf'),
  topic('MQTT-1.5.3-1', 'an encoded surrogate', '61eda080'),
  topic('MQTT-1.5.3-1', 'a pair of encoded surrogates', 'eda080edb080'),
  topic('MQTT-1.5.3-1', 'a character above U+10FFFF', 'f4908080'),
  topic('MQTT-1.5.3-1', 'the byte ff', 'ff'),
  ['MQTT-1.5.3-1', 'a topic whose last character goes on in the payload', '30 05 00 02 e2 82 ac'],
  topic('MQTT-1.5.3-2', 'U+0000', '6100'),
  topic('MQTT-3.3.2-2', '+', '612f2b'),
  topic('MQTT-3.3.2-2', '#', '23'),
];

for (const [clause, what, digits, code = 'malformed-packet'] of refusals) {
  test(`[${clause}] ${what} is refused, no byte later than possible, and nothing is read after it`, () => {
    const { guard, seen, push } = guarded();
    const bytes = unhex(digits);
    push(PINGRESP + hex(bytes.subarray(0, -1))); // Not refused yet.
    assert.throws(() => push(hex(bytes.subarray(-1))), { code, clause });
    assert.equal(guard.held, undefined);
    push(PINGRESP);
    assert.deepEqual(seen, [toldOf(PINGRESP)]);

    const other = guarded();
    assert.throws(() => other.push(PINGRESP + digits + PINGRESP), { code, clause }); // In one chunk.
    for (const byte of bytewise(unhex(PINGRESP))) other.push(hex(byte));
    assert.deepEqual(other.seen, [toldOf(PINGRESP)]);
  });
}

const legal: readonly (readonly [clause: string, what: string, digits: string])[] = [
  ['3.13', 'PINGRESP', 'd0 00'],
  ['2.2.3', 'PINGRESP with a Remaining Length in two bytes', 'd0 80 00'],
  ['2.2.3', 'PUBACK with a Remaining Length in four bytes', '40 82 80 80 00 00 01'],
  ['3.2.2.3', 'CONNACK with return code 5', '20 02 00 05'],
  ['3.2.2.2', 'CONNACK with Session Present', '20 02 01 00'],
  ['2.3.1', 'packet identifier 1', '40 02 00 01'],
  ['2.3.1', 'packet identifier 256', '62 02 01 00'],
  ['2.3.1', 'packet identifier 65,535', 'b0 02 ff ff'],
  ['3.9.3', 'SUBACK with every return code', '90 06 00 01 00 01 02 80'],
  ['3.3.3', 'PUBLISH without a payload', '30 03 00 01 61'],
  ['3.3.2', 'PUBLISH of QoS 1 without a payload', '3a 05 00 01 61 00 01'],
  ['3.3.2', 'PUBLISH of QoS 2 and retained', '35 06 00 01 61 01 00 78'],
  ['3.3.3', 'a payload that is neither text nor free of wildcards', '30 06 00 01 61 ff 23 00'],
  ['MQTT-1.5.3-3', 'a topic with U+FEFF', '30 06 00 04 ef bb bf 61'],
  ['1.5.3', 'a topic with a control character and a non-character', '30 07 00 04 01 ef bf bf 78'],
  ['MQTT-1.5.3-1', 'a topic with U+10FFFF', '30 06 00 04 f4 8f bf bf'],
];

for (const [clause, what, digits] of legal) {
  test(`[${clause}] ${what} is let through, however it is cut`, () => {
    const { seen, push } = guarded();
    const packet = hex(unhex(digits));
    push(packet + packet);
    for (const byte of bytewise(unhex(packet))) push(hex(byte));
    for (let at = 2; at < packet.length; at += 2) {
      push(packet.slice(0, at));
      push(packet.slice(at));
    }
    assert.deepEqual(seen, Array(2 + packet.length / 2).fill(toldOf(packet)));
  });
}

test('a packet is let through with its last byte, not with the next one', () => {
  const { seen, push } = guarded();
  push('d0');
  push('00');
  assert.deepEqual(seen, [toldOf(PINGRESP)]);
});

test('a packet of the largest size is taken, and one byte more is refused from the header', () => {
  const { guard, seen, push } = guarded(300);
  const body = `000161${'00'.repeat(297 - 3)}`;
  push(`30a902${body}`);
  assert.equal(seen[0], toldOf(`30a902${body}`));
  push('30a902');
  assert.equal(guard.held?.length, 300);
  const other = guarded(300);
  assert.throws(() => other.push('30aa02'), { code: 'malformed-packet', reason: 'too-large' });
  assert.equal(other.guard.held, undefined);
});

test('an announcement of 256 MB is refused from its header, and nothing is allocated for it', () => {
  const { guard, push } = guarded(266_240);
  push('30 ff ff ff');
  assert.equal(guard.held, undefined);
  assert.throws(() => push('7f'), { code: 'malformed-packet', reason: 'too-large' });
  assert.equal(guard.held, undefined);
});

test('a chunk may be used again once it was pushed', () => {
  const { guard, seen } = guarded();
  for (const byte of bytewise(unhex('30040001617830040001'))) {
    const chunk = Uint8Array.from(byte);
    guard.push(chunk, (...packet) => seen.push(told(...packet)));
    chunk.fill(0xff);
  }
  guard.push(unhex('6178'), (...packet) => seen.push(told(...packet)));
  assert.deepEqual(seen, Array(2).fill(toldOf('300400016178')));
});

test('an error of whoever takes the packets goes through, and nothing more is read', () => {
  for (const chunks of [[PINGRESP + PINGRESP], ['d0', `00${PINGRESP}`]]) {
    const { guard, seen, push } = guarded();
    const bad = () => {
      throw new Error('not mine');
    };
    assert.throws(() => {
      for (const it of chunks) guard.push(unhex(it), bad);
    }, /not mine/);
    push(PINGRESP);
    assert.deepEqual(seen, []);
  }
});

test('no view is asked to go beyond the end of a chunk: Espruino would make one that does', () => {
  const { guard, seen } = guarded();
  const bytes = unhex(`30 0a 0001 74 00010203040506 ${PINGRESP}`);
  for (const chunk of [bytes.subarray(0, 3), bytes.subarray(3, 8), bytes.subarray(8)]) {
    const { subarray } = chunk;
    chunk.subarray = (begin, end) => {
      assert.ok(end !== undefined && end <= chunk.length);
      return subarray.call(chunk, begin, end);
    };
    guard.push(chunk, (...packet) => seen.push(told(...packet)));
  }
  assert.deepEqual(seen, ['300a00017400010203040506', PINGRESP].map(toldOf));
});
