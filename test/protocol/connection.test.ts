// The machine around delivery: phases, requests, keep-alive, refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttPacketFraming } from '../../src/index.ts';
import { Connection } from '../../src/protocol/connection.ts';
import {
  type Bench,
  bench,
  codeOf,
  connack,
  FIELDS,
  messageOf,
  pingresp,
  puback,
  publish,
  published,
  suback,
  unsuback,
} from './machine.ts';

const CONNECT = 'CONNECT clientId="device" cleanSession=false keepAliveSeconds=100';
const filters = [{ filter: 'a', qos: 1 }] as const;

function request(it: Bench): string[] {
  it.connection.request({ filters }, it.now);
  it.connection.request({ filters: ['b'] }, it.now);
  return it.drain();
}

test('[MQTT-3.1.0-1] CONNECT is the first packet, and nothing else is sent before CONNACK', () => {
  const it = bench();
  assert.deepEqual(it.open(), [CONNECT]);
  for (const call of [() => it.connection.publish(messageOf('a', 1), 0), () => it.connection.request({ filters }, 0)]) {
    assert.equal(codeOf(call), 'not-connected');
  }
  assert.equal(it.connection.nextTimeout(), undefined);
  it.connection.timeout(0);
  assert.deepEqual(it.drain(), []);
});

test('CONNECT with fields that are not legal is thrown at once, and nothing is opened', () => {
  const it = bench();
  assert.equal(
    codeOf(() => it.open({ clientId: '' })),
    'bad-packet',
  );
  it.connection.input(Uint8Array.of(0x20, 2, 0, 0), 0);
  assert.deepEqual(it.drain(), []);
});

for (const [title, packet] of [
  ['[MQTT-3.2.0-1] another packet than CONNACK at first', pingresp],
  ['[MQTT-3.2.2-1] Session Present after a clean session', connack(true)],
] as const) {
  test(`${title} closes the connection`, () => {
    const it = bench();
    it.open({ cleanSession: true });
    assert.deepEqual(it.receive(packet, connack(false)), ['close unexpected-packet']);
    assert.deepEqual(it.receive(connack(false)), []);
  });
}

test('[3.2] a second CONNACK closes the connection', () => {
  const it = bench();
  it.connect();
  assert.deepEqual(it.receive(connack(false)), ['close unexpected-packet']);
});

test('[MQTT-3.2.2-5] a refusal closes the connection with its code', () => {
  const it = bench();
  it.connection.opened(FIELDS, 0);
  it.drain();
  it.connection.input(Uint8Array.of(0x20, 2, 0, 5), 0);
  const action = it.connection.poll();
  assert.equal(action?.kind === 'close' && action.error?.returnCode, 5);
});

test('[MQTT-3.8.4-2] [MQTT-3.10.4-4] SUBACK and UNSUBACK settle the request with their identifier', () => {
  const it = bench();
  it.connect();
  assert.deepEqual(request(it), [
    'SUBSCRIBE packetId=1 filters=[{"filter":"a","qos":1}]',
    'UNSUBSCRIBE packetId=2 filters=["b"]',
  ]);
  assert.deepEqual(it.receive(unsuback(2), suback(1, 128)), ['settled no b', 'settled a 128']);
  assert.deepEqual(it.receive(suback(1, 0), unsuback(7)), []);
  assert.equal(it.connection.unknown, 2);
});

for (const [title, packet] of [
  ['[MQTT-2.3.1-7] UNSUBACK for SUBSCRIBE', unsuback(1)],
  ['[MQTT-2.3.1-7] SUBACK for UNSUBSCRIBE', suback(2, 0)],
  ['[MQTT-3.8.4-5] SUBACK with a code too many', suback(1, 0, 0)],
] as const) {
  test(`${title} closes the connection`, () => {
    const it = bench();
    it.connect();
    request(it);
    assert.deepEqual(it.receive(packet), ['close unexpected-packet']);
  });
}

test('[edge 7] requests end with the connection and are not sent again', () => {
  const it = bench();
  it.connect();
  request(it);
  assert.deepEqual(it.close(), ['settled a closed', 'settled no b closed']);
  assert.deepEqual(it.connect(true), ['connected true']);
});

test('[MQTT-4.3.1-1] QoS 0 is sent without an identifier and settled when written', () => {
  const it = bench();
  it.connect();
  assert.equal(it.connection.publish(messageOf('a', 0), 0), 0);
  assert.deepEqual(it.drain(), [published('a', 0, 0), 'settled a']);
});

test('[MQTT-4.3.1-1] QoS 0 that was not written when the connection was lost ends with an error', () => {
  const it = bench();
  it.connect();
  it.connection.publish(messageOf('a', 0), 0);
  assert.deepEqual(it.close(), ['settled a closed']);
});

test('[MQTT-3.14.4-2] after DISCONNECT nothing is read and nothing is sent', () => {
  const it = bench();
  it.connect();
  it.publish('a', 1);
  it.connection.disconnect(0);
  assert.deepEqual(it.drain(), ['DISCONNECT', 'close']);
  it.connection.disconnect(0);
  assert.deepEqual(it.receive(puback(1), publish(1, 1, 'b')), []);
  assert.equal(
    codeOf(() => it.publish('c', 0)),
    'not-connected',
  );
  it.connection.timeout(1_000_000);
  assert.deepEqual(it.drain(), []);
});

test('[MQTT-3.1.0-1] before CONNACK a connection is closed without DISCONNECT, and a closed one not at all', () => {
  const it = bench();
  it.connection.disconnect(0);
  assert.deepEqual(it.drain(), []);
  it.open();
  it.connection.disconnect(0);
  assert.deepEqual(it.drain(), ['close']);
});

test('[MQTT-4.8.0-1] what follows a bad packet in the same chunk is not read, nor are answers sent after it', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'));
  it.connection.input(Uint8Array.of(0xd0, 1), 0);
  it.connection.acknowledge(it.messages[0]!, 0);
  it.connection.input(Uint8Array.of(0xd0, 0), 0);
  assert.deepEqual(it.drain(), ['close malformed-packet']);
});

test('[MQTT-4.8.0-1] a packet that breaks the protocol and bytes that cannot be read close once', () => {
  const it = bench();
  it.connect();
  it.connection.input(Uint8Array.of(0x20, 2, 0, 0, 0xd0, 1), 0);
  assert.deepEqual(it.drain(), ['close unexpected-packet']);
});

test('[MQTT-3.1.2-23] a ping leaves before the keep-alive ends, and an answer puts the next one off', () => {
  const it = bench();
  it.connect();
  assert.equal(it.connection.nextTimeout(), 95_000);
  it.connection.timeout(94_999);
  assert.deepEqual(it.drain(), []);
  it.connection.timeout(95_000);
  assert.deepEqual(it.drain(), ['PINGREQ']);
  it.now = 95_100;
  assert.deepEqual(it.receive(pingresp), []);
  assert.equal(it.connection.nextTimeout(), 190_000);
});

test('[3.1.2.10] a ping without an answer closes the connection, unless the driver has stopped reading', () => {
  for (const unread of [false, true]) {
    const it = bench({ pingTimeoutMillis: 1_000 });
    it.connect();
    it.connection.timeout(95_000);
    it.connection.unread = unread;
    it.connection.timeout(96_000);
    assert.deepEqual(it.drain(), ['PINGREQ', unread ? 'PINGREQ' : 'close pingresp-timeout']);
  }
});

test('without options a client does QoS 0 and 1, twenty messages at once', () => {
  const connection = new Connection({ framing: mqttPacketFraming() });
  assert.equal(
    codeOf(() => connection.checkMessage(messageOf('a', 2))),
    'bad-packet',
  );
  assert.equal(
    codeOf(() => connection.checkFilter({ filter: 'a', qos: 2 })),
    'bad-packet',
  );
  connection.opened(FIELDS, 0);
  connection.input(Uint8Array.of(0x20, 2, 0, 0), 0);
  while (connection.poll());
  const sent = Array.from({ length: 20 }, () => {
    const packetId = connection.publish(messageOf('a', 1), 0);
    connection.poll();
    return packetId;
  });
  assert.equal(sent.at(-1), 20);
  assert.equal(
    codeOf(() => connection.publish(messageOf('a', 1), 0)),
    'window-full',
  );
});

test('[MQTT-4.7] messages and filters that are not legal are refused before anything changes', () => {
  const it = bench();
  it.connect();
  assert.equal(
    codeOf(() => it.connection.publish({ ...messageOf('a', 1), topic: 'a/#' }, 0)),
    'bad-topic',
  );
  assert.equal(
    codeOf(() => it.connection.checkFilter({ filter: 'a#', qos: 0 })),
    'bad-filter',
  );
  assert.equal(
    codeOf(() => it.connection.request({ filters: [] }, 0)),
    'bad-filter',
  );
  it.connection.checkFilter({ filter: 'a/#', qos: 2 });
  assert.deepEqual(it.drain(), []);
  assert.equal(it.connection.lastPacketId, 0);
});

test('[4.1] what was not polled when the connection went: packets are dropped, what they settled is lost or done', () => {
  const it = bench();
  it.connect();
  it.publish('first', 1);
  it.connection.input(Uint8Array.of(0x40, 2, 0, 1), 0);
  it.connection.publish(messageOf('never', 0), 0);
  assert.deepEqual(it.close(), ['settled first', 'settled never closed']);
});

test('a request is taken while connected, where an identifier is free and its filters fit into a packet', () => {
  const it = bench({ framing: mqttPacketFraming(128) });
  const filters = (length: number) => ({ filters: [{ filter: 'x'.repeat(length), qos: 0 } as const] });
  assert.equal(it.connection.canRequest(filters(1)), false, 'not connected');
  it.connect();
  assert.equal(it.connection.canRequest(filters(121)), true, 'just fits');
  assert.equal(it.connection.canRequest(filters(122)), false, 'too large');
  it.connection.reserved = Array.from({ length: 65_535 }, (_, index) => index + 1);
  assert.equal(it.connection.canRequest(filters(1)), false, 'no identifier');
});
