// Data representation (1.5): strings and integers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex } from '../framing/bytes.ts';
import { world } from '../support/world.ts';
import { assertRefused, connectBytes, connected, faultInConnect, faultOf, message, online, sent } from './support.ts';

const utf8Hex = (text: string) => hex(Buffer.from(text));

/** A QoS 0 PUBLISH of the server without a payload: its topic in hexadecimal digits. */
const publishOf = (topic: string) => {
  const size = topic.length / 2;
  return hex(Uint8Array.of(0x30, size + 2, 0, size)) + topic;
};

/** Why a text is refused wherever a string can stand. */
function faultsOf(text: string): string[] {
  const { client } = world();
  return [
    faultOf(() => client.publish(text, 'x')),
    faultOf(() => client.subscribe(text)),
    faultOf(() => client.unsubscribe(text)),
    faultOf(() => world({ will: message({ topic: text }) })),
    faultInConnect({ clientId: text }),
    faultInConnect({ userName: text }),
    faultInConnect({ will: message({ topic: text }) }),
  ];
}

const CODES = ['bad-topic', 'bad-filter', 'bad-filter', 'bad-topic', 'bad-packet', 'bad-packet', 'bad-topic'];

const everywhere = (clause: string) => CODES.map((code) => `${code} ${clause}`);

test('[MQTT-1.5.3-1] a string with a lone surrogate is refused before anything is sent', () => {
  for (const text of ['\ud800', 'a\udfff', '\udc00\ud800', 'a\ud83d']) {
    assert.deepEqual(faultsOf(text), everywhere('MQTT-1.5.3-1'));
  }
  const it = online();
  assert.equal(
    faultOf(() => it.client.publish('\ud800', 'x')),
    'bad-topic MQTT-1.5.3-1',
  );
  it.settle();
  assert.deepEqual(sent(it), []);
});

test('[MQTT-1.5.3-1] a received topic that is not well-formed UTF-8 closes the connection', () => {
  for (const topic of ['80', 'c0af', 'eda080', 'eda0bdedb880', 'e282', 'f4908080', '61ff']) {
    assertRefused(publishOf(topic), 'malformed-packet MQTT-1.5.3-1');
  }
});

/** The topic goes both ways as its UTF-8 bytes. */
function assertCarried(topic: string): void {
  const it = connected();
  assert.deepEqual(it.publish({ topic, qos: 0 }), [publishOf(utf8Hex(topic)), 'settled']);
  assert.deepEqual(it.feed(publishOf(utf8Hex(topic))), [`message ${topic}`]);
}

test('[MQTT-1.5.3-1] characters of one to four bytes go both ways unchanged', () => {
  assertCarried('a/ü/€/😀/\u{10fffd}');
});

test('[MQTT-1.5.3-2] U+0000 in a string is refused before anything is sent', () => {
  assert.deepEqual(faultsOf('a\0b'), everywhere('MQTT-1.5.3-2'));
});

test('[MQTT-1.5.3-2] U+0000 in a received topic closes the connection', () => {
  for (const topic of ['00', '610062']) assertRefused(publishOf(topic), 'malformed-packet MQTT-1.5.3-2');
});

test('[MQTT-1.5.3-3] U+FEFF is sent and received as a character, wherever it stands', () => {
  for (const topic of ['\ufeff', '\ufeffa', 'a\ufeff/b']) assertCarried(topic);
  assert.equal(utf8Hex('\ufeff'), 'efbbbf');
});

test('[1.5.3 (SHOULD NOT)] control characters and non-characters are refused on sending and taken on receipt', () => {
  for (const text of ['\u0001', 'a\u001f', '\u007f', '\u009f', '\ufdd0', '\ufdef', '\ufffe', '\uffff', '\u{1fffe}']) {
    assert.deepEqual(faultsOf(text), everywhere('1.5.3'));
    assert.deepEqual(connected().feed(publishOf(utf8Hex(text))), [`message ${text}`]);
  }
});

test('[1.5.3 (limit)] a string holds 65,535 bytes of UTF-8, not characters, and no byte more', () => {
  const full = '€'.repeat(21_845);
  assert.deepEqual(
    faultsOf(`${full}a`).map((fault) => fault.split(' ')[0]),
    CODES,
  );
  assert.deepEqual(
    faultsOf(full),
    CODES.map(() => 'none'),
  );
  assert.equal(connected().publish({ topic: full, qos: 0 })[0]?.slice(0, 12), '30818004ffff');
});

test('[1.5.2] integers of two bytes are big-endian both ways', () => {
  assert.equal(connectBytes({ keepAliveSeconds: 0x0102 }), '100d00044d51545404000102000163');
  const it = connected();
  it.connection.lastPacketId = 0x0101;
  assert.deepEqual(it.publish(), ['32050001740102']);
  assert.deepEqual(it.feed('40020201'), []);
  assert.deepEqual(it.feed('40020102'), ['settled']);
});
