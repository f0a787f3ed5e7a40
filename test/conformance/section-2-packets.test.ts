// Control packet format (2): fixed header, Remaining Length, packet identifiers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttPacketFraming } from '../../src/index.ts';
import { hex, unhex } from '../framing/bytes.ts';
import { assertRefused, type Bench, connected, online, publish, receive, reconnect, sent } from './support.ts';

const byte = (value: number) => hex(Uint8Array.of(value));

test('[MQTT-2.2.2-1] every packet that the client sends has the flags of its type', () => {
  const it = connected();
  const words = [...it.publish(), ...it.publish({ qos: 2 }), ...it.subscribe('a'), ...it.unsubscribe('a')];
  words.push(...it.feed('50020002'), ...it.feed('3205000174000134050001740002'));
  for (const received of it.messages) it.connection.acknowledge(received, 0);
  words.push(...it.drain(), ...it.feed('62020002'));
  it.connection.disconnect(0);
  words.push(...it.drain());
  const firstBytes = words.filter((word) => /^[0-9a-f]+$/.test(word)).map((word) => word.slice(0, 2));
  assert.deepEqual(firstBytes.sort(), ['32', '34', '40', '50', '62', '70', '82', 'a2', 'e0']);
  const idle = online({ keepAliveSeconds: 60 });
  idle.time.advance(60_000);
  assert.equal(idle.server.current.bytes[0], 0x10);
  assert.deepEqual([...idle.server.current.bytes.subarray(-2)], [0xc0, 0]);
});

test('[MQTT-2.2.2-2] wrong reserved flags close the connection', () => {
  for (const type of [2, 4, 5, 6, 7, 9, 11, 13]) {
    for (let flags = 0; flags < 16; flags++) {
      if (flags !== (type === 6 ? 2 : 0)) assertRefused(byte((type << 4) | flags), 'malformed-packet MQTT-2.2.2-2');
    }
  }
});

test('[2.2.3] the Remaining Length is sent in as few bytes as can be', () => {
  for (const [size, header] of [
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
  ] as const) {
    const it = connected({ framing: mqttPacketFraming(3_000_000) });
    if (size === 0) it.connection.disconnect(0);
    const [first] = size === 0 ? it.drain() : it.publish({ qos: 0, payload: new Uint8Array(size - 3) });
    assert.equal(first?.slice(2, 2 + header.length), header);
    assert.equal(first.length, 2 * (1 + size) + header.length);
  }
});

test('[2.2.3] a Remaining Length of up to four bytes is read, a needlessly long one too; a fifth byte is malformed', () => {
  for (const length of ['03', '8300', '838000', '83808000']) {
    assert.deepEqual(connected().feed(`30${length}000161`), ['message a']);
  }
  const payload = '00'.repeat(16_384 - 3);
  assert.deepEqual(connected().feed(`30808001000161${payload}`), ['message a']);
  for (const digits of ['3080808080', '30ffffffff', '4082808080']) assertRefused(digits, 'malformed-packet 2.2.3');
});

test('[2.2.1] the reserved packet types 0 and 15 close the connection', () => {
  for (const first of [0x00, 0x0f, 0xf0, 0xff]) assertRefused(byte(first), 'unexpected-packet MQTT-4.8.0-1');
});

test('[2.2.1] a packet that only a client sends closes the connection', () => {
  for (const digits of ['100d00044d5154540400000a000163', '82060001000161 00', 'a2050001000161', 'c000', 'e000']) {
    assertRefused(digits.replace(' ', ''), 'unexpected-packet MQTT-4.8.0-1');
  }
});

test('[2.x] a packet of fixed length must have exactly that length', () => {
  const headers = ['2001', '2003', '4000', '4001', '4003', '5001', '5003', '6201', '6203', '7001', '7003', 'b001'];
  for (const header of [...headers, 'b003', 'd001', '9002']) assertRefused(header, 'malformed-packet 2.2.3');
});

test('[MQTT-2.3.1-1] packet identifiers that are sent are never 0, also after 65535', () => {
  const it = connected();
  it.connection.lastPacketId = 65_534;
  assert.deepEqual(it.publish(), ['3205000174ffff']);
  assert.deepEqual(it.publish({ qos: 2 }), ['34050001740001']);
  assert.deepEqual(it.subscribe('a'), ['8206000200016100']);
  assert.deepEqual(it.unsubscribe('a'), ['a2050003000161']);
});

test('[MQTT-2.3.1-1] packet identifier 0 closes the connection, whichever packet brings it', () => {
  for (const digits of ['40020000', '50020000', '62020000', '70020000', '9003000000', 'b0020000', '32050001740000']) {
    assertRefused(digits, 'malformed-packet MQTT-2.3.1-1');
  }
});

/** The identifier that comes first after 65535. */
function nextId({ connection }: Bench): number {
  connection.lastPacketId = 65_535;
  return connection.nextPacketId();
}

test('[MQTT-2.3.1-2] an identifier in use is passed over, whatever uses it', () => {
  const it = connected();
  it.publish();
  it.publish({ qos: 2 });
  it.subscribe('a');
  it.unsubscribe('a');
  assert.equal(nextId(it), 5);
});

test('[MQTT-2.3.1-3] a PUBLISH that is sent again keeps its identifier', () => {
  const it = online();
  for (const qos of [1, 2] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  assert.deepEqual(sent(it), ['publish 1', 'publish 2']);
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2 dup']);
});

test('[MQTT-2.3.1-3] an identifier is free again after PUBACK, PUBCOMP, SUBACK or UNSUBACK, and not before', () => {
  for (const [begin, ...answers] of [
    [(it: Bench) => it.publish(), '40020001'],
    [(it: Bench) => it.publish({ qos: 2 }), '50020001', '70020001'],
    [(it: Bench) => it.subscribe('a'), '9003000100'],
    [(it: Bench) => it.unsubscribe('a'), 'b0020001'],
  ] as const) {
    const it = connected();
    begin(it);
    for (const answer of answers) {
      assert.equal(nextId(it), 2);
      it.feed(answer);
    }
    assert.equal(nextId(it), 1);
  }
});

test('[MQTT-2.3.1-4] the same identifier may be in flight both ways at once', () => {
  const it = online();
  it.client.on('message', (received) => it.client.hold(received));
  for (const qos of [1, 2] as const) it.client.publish('t', 'x', { qos });
  receive(it, publish({ qos: 1, messageId: 1 }), publish({ qos: 2, messageId: 2 }));
  assert.equal(it.client.stats().inFlight, 2);
  for (const held of it.messages) it.client.acknowledge(held);
  it.settle();
  assert.equal(it.client.stats().inFlight, 2);
  receive(it, { cmd: 'puback', messageId: 1 }, { cmd: 'pubrec', messageId: 2 }, { cmd: 'pubrel', messageId: 2 });
  receive(it, { cmd: 'pubcomp', messageId: 2 });
  assert.deepEqual(sent(it).slice(2), ['puback 1', 'pubrec 2', 'pubrel 2', 'pubcomp 2']);
  assert.equal(it.client.stats().inFlight, 0);
  assert.equal(it.client.stats().unknownAcknowledgements, 0);
});

test('[MQTT-2.3.1-5] a PUBLISH of QoS 0 carries no identifier', () => {
  const it = connected();
  assert.deepEqual(it.publish({ qos: 0, payload: unhex('78') }), ['300400017478', 'settled']);
});

test('[MQTT-2.3.1-6] PUBACK, PUBREC, PUBREL and PUBCOMP carry the identifier of their PUBLISH', () => {
  const it = connected();
  it.feed('3205000174030134050001740302');
  for (const received of it.messages) it.connection.acknowledge(received, 0);
  assert.deepEqual(it.drain(), ['40020301', '50020302']);
  assert.deepEqual(it.feed('62020302'), ['70020302']);
  it.connection.lastPacketId = 0x0400;
  it.publish({ qos: 2 });
  assert.deepEqual(it.feed('50020401'), ['62020401']);
});

test('[MQTT-2.3.1-7] SUBACK and UNSUBACK settle the request with their identifier, in any order', () => {
  const it = online();
  const ends: string[] = [];
  it.client.subscribe('a', { qos: 1 }, (error, granted) => ends.push(`a ${error?.code} ${granted}`));
  it.settle();
  it.client.unsubscribe('b', (error) => ends.push(`b ${error?.code}`));
  it.settle();
  assert.deepEqual(sent(it), ['subscribe 1', 'unsubscribe 2']);
  receive(it, { cmd: 'unsuback', messageId: 2, granted: [] });
  receive(it, { cmd: 'suback', messageId: 1, granted: [1] });
  assert.deepEqual(ends, ['b undefined', 'a undefined 1']);
});

test('[MQTT-2.3.1-7] a SUBACK or UNSUBACK of an unknown identifier is counted, and settles nothing', () => {
  const it = online();
  let settled = 0;
  it.client.subscribe('a', {}, () => settled++);
  it.settle();
  receive(it, { cmd: 'suback', messageId: 7, granted: [0] }, { cmd: 'unsuback', messageId: 8, granted: [] });
  assert.equal(settled, 0);
  assert.equal(it.client.stats().unknownAcknowledgements, 2);
  assert.equal(it.client.stats().state, 'connected');
});

test('[MQTT-2.3.1-7] UNSUBACK for a SUBSCRIBE, or SUBACK for an UNSUBSCRIBE, closes the connection', () => {
  const subscribed = connected();
  subscribed.subscribe('a');
  assert.deepEqual(subscribed.feed('b0020001'), ['close unexpected-packet MQTT-2.3.1-7']);
  const unsubscribed = connected();
  unsubscribed.unsubscribe('a');
  assert.deepEqual(unsubscribed.feed('9003000100'), ['close unexpected-packet MQTT-2.3.1-7']);
});
