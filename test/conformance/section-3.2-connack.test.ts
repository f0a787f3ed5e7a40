// CONNACK (3.2): the first packet, the session, refusals.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { politely } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';
import {
  accepting,
  bench,
  connected,
  ends,
  HOUR,
  MINUTE,
  online,
  publish,
  receive,
  reconnect,
  refusing,
  sent,
} from './support.ts';

/** A machine that awaits CONNACK. */
function waiting(cleanSession = false) {
  const it = bench();
  it.connection.opened({ clientId: 'c', cleanSession, keepAliveSeconds: 0 }, 0);
  it.drain();
  return it;
}

test('[MQTT-3.2.0-1] anything but CONNACK as the first packet closes the connection', () => {
  for (const digits of [
    '3003000161',
    '40020001',
    '50020001',
    '62020001',
    '70020001',
    '9003000100',
    'b0020001',
    'd000',
  ]) {
    assert.deepEqual(waiting().feed(`${digits}20020000`), ['close unexpected-packet MQTT-3.2.0-1']);
  }
});

test('[3.2.0 (SHOULD)] a CONNACK that does not come in time ends the attempt', () => {
  const it = world({ connectTimeoutMillis: 5_000 });
  it.server.respond = () => {};
  it.connect();
  it.time.advance(4_999);
  assert.deepEqual(ends(it), []);
  it.time.advance(1);
  assert.deepEqual(ends(it), ['connect-timeout']);
  it.settle();
  assert.ok(it.server.connections[0]?.closed);
});

test('[3.2.0 (SHOULD)] the time runs from the dial: a network that never opens ends the attempt too', () => {
  const it = world({ connectTimeoutMillis: 5_000 }, { latency: () => 2 * MINUTE });
  it.connect();
  it.time.advance(5_000);
  assert.deepEqual(ends(it), ['connect-timeout']);
});

test('[3.2.x] a second CONNACK closes the connection', () => {
  assert.deepEqual(connected().feed('20020000d000'), ['close unexpected-packet 3.2']);
  assert.deepEqual(waiting().feed('2002000020020000'), ['connected', 'close unexpected-packet 3.2']);
});

test('[3.2.2.1] CONNACK flags other than Session Present close the connection', () => {
  for (let flags = 2; flags < 256; flags++) {
    const digits = `2002${flags.toString(16).padStart(2, '0')}00`;
    assert.deepEqual(waiting().feed(digits), ['close malformed-packet 3.2.2.1']);
  }
});

test('[MQTT-3.2.2-1] Session Present after Clean Session closes the connection', () => {
  assert.deepEqual(waiting(true).feed('20020100'), ['close unexpected-packet MQTT-3.2.2-1']);
  assert.deepEqual(waiting(true).feed('20020000'), ['connected']);
});

test('[MQTT-3.2.2-2] where the server has kept the session, the client sends again what was not acknowledged', () => {
  const it = online();
  const present: boolean[] = [];
  it.client.on('connected', (event) => present.push(event.sessionPresent));
  it.client.subscribe('a', { qos: 1 });
  for (const qos of [1, 2, 2] as const) it.client.publish('t', 'x', { qos });
  receive(it, { cmd: 'suback', messageId: 1, granted: [1] }, { cmd: 'pubrec', messageId: 3 });
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 2 dup', 'pubrel 3', 'publish 4 dup']);
  assert.deepEqual(present, [true]);
});

test('[MQTT-3.2.2-3] where the server has lost the session, messages go out as new ones in the old order', () => {
  const it = online();
  it.client.subscribe('a', { qos: 1 });
  const texts = ['one', 'two', 'three', 'four'];
  for (const text of texts) it.client.publish('t', text, { qos: text.startsWith('t') ? 2 : 1 });
  receive(it, { cmd: 'suback', messageId: 1, granted: [1] });
  reconnect(it, false);
  assert.deepEqual(sent(it), ['subscribe 10', 'publish 6', 'publish 7', 'publish 8', 'publish 9']);
  assert.deepEqual(
    it.server.current.of('publish').map(({ payload }) => payload.toString()),
    texts,
  );
});

test('[MQTT-3.2.2-3] where the server has lost the session, received QoS 2 identifiers are forgotten', () => {
  const it = online();
  receive(it, publish({ qos: 2, messageId: 5, payload: 'old' }));
  reconnect(it, false);
  receive(it, publish({ qos: 2, messageId: 5, payload: 'new' }));
  assert.deepEqual(
    it.messages.map(({ payload }) => Buffer.from(payload).toString()),
    ['old', 'new'],
  );
});

test('[MQTT-3.2.2-3] where the server has lost the session, a message that it had taken over is not sent twice', () => {
  const it = online();
  const done: (string | undefined)[] = [];
  it.client.publish('t', 'x', { qos: 2 }, (error) => done.push(error?.code));
  it.settle();
  receive(it, { cmd: 'pubrec', messageId: 1 });
  reconnect(it, false);
  assert.deepEqual(sent(it), []);
  assert.deepEqual(done, [undefined]);
});

test('[MQTT-3.2.2-4] a refusal with Session Present closes the connection as malformed', () => {
  for (let code = 1; code <= 5; code++) {
    assert.deepEqual(waiting().feed(`2002010${code}`), ['close malformed-packet MQTT-3.2.2-4']);
  }
});

test('[MQTT-3.2.2-5] after a refusal nothing more is sent, and the client closes its side', () => {
  for (let code = 1; code <= 5; code++) {
    const it = world({ reconnect: false });
    it.client.subscribe('a');
    it.client.publish('t', 'x', { qos: 1 });
    it.server.respond = refusing(code);
    it.connect();
    receive(it, publish({ qos: 1, messageId: 1 }));
    assert.deepEqual(sent(it), []);
    assert.ok(it.server.current.closed);
    assert.deepEqual(ends(it), ['refused MQTT-3.2.2-5']);
    assert.equal(it.disconnects[0]?.error?.returnCode, code);
    assert.equal(it.connects, 0);
  }
});

test('[3.2.2.3] the reserved return codes 6 to 255 close the connection, and the client dials again', () => {
  for (let code = 6; code < 256; code++) {
    const digits = `200200${code.toString(16).padStart(2, '0')}`;
    assert.deepEqual(waiting().feed(digits), ['close malformed-packet 3.2.2.3']);
  }
  const it = online({}, (_, connection) => connection.send(Uint8Array.of(0x20, 2, 0, 6)));
  it.server.respond = politely;
  it.time.advance(MINUTE);
  assert.equal(it.connects, 1);
});

test('[3.2.2.3] a server that is unavailable is asked again, ever more seldom', () => {
  const it = online({}, refusing(3));
  it.time.advance(24 * HOUR);
  const dials = it.server.connections.length;
  assert.ok(dials > 24 && dials < 24 * 60 + 10, `${dials} dials in a day`);
  it.server.respond = accepting(false);
  it.time.advance(3 * MINUTE);
  assert.equal(it.connects, 1);
});
