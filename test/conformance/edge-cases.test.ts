// The edge cases that follow from the standard without a number of their own: identifiers after a loss, late
// acknowledgements, limits, time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttPacketFraming } from '../../src/index.ts';
import { VirtualTime } from '../../src/memory.ts';
import { after } from '../../src/time.ts';
import { hex, unhex } from '../framing/bytes.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import {
  accepting,
  assertRefused,
  bench,
  connected,
  ends,
  HOUR,
  MINUTE,
  message,
  online,
  publish,
  receive,
  reconnect,
  sent,
} from './support.ts';

test('[edge 1] a PUBREC that comes again is answered with PUBREL again, and changes nothing', () => {
  const it = online();
  let done = 0;
  it.client.publish('t', 'x', { qos: 2 }, () => done++);
  it.settle();
  for (let n = 0; n < 3; n++) receive(it, { cmd: 'pubrec', messageId: 1 });
  assert.deepEqual(sent(it), ['publish 1', 'pubrel 1', 'pubrel 1', 'pubrel 1']);
  assert.equal(done, 0);
  receive(it, { cmd: 'pubcomp', messageId: 1 });
  assert.equal(done, 1);
  assert.equal(it.client.stats().unknownAcknowledgements, 0);
});

test('[edge 2] a PUBREC of an unknown identifier is answered with PUBREL and counted, so that the server can finish', () => {
  const it = online({}, accepting(true));
  receive(it, { cmd: 'pubrec', messageId: 77 }, { cmd: 'pubcomp', messageId: 77 });
  assert.deepEqual(sent(it), ['pubrel 77']);
  assert.equal(it.client.stats().unknownAcknowledgements, 2);
  assert.equal(it.client.stats().state, 'connected');
});

test('[edge 3] a PUBACK of an unknown identifier is ignored and counted, and settles nothing else', () => {
  const it = online();
  let done = 0;
  it.client.publish('t', 'x', { qos: 1 }, () => done++);
  it.client.subscribe('a', {}, () => done++);
  it.settle();
  receive(it, { cmd: 'puback', messageId: 99 });
  assert.equal(done, 0);
  assert.equal(it.client.stats().unknownAcknowledgements, 1);
  assert.equal(it.client.stats().state, 'connected');
});

test('[edge 4] a message that the app finishes after its connection was lost is not acknowledged on the next one', () => {
  const it = online();
  it.client.on('message', (received) => it.client.hold(received));
  receive(it, publish({ qos: 1, messageId: 5 }));
  reconnect(it, true);
  it.client.acknowledge(it.messages[0]!);
  it.settle();
  assert.deepEqual(sent(it), []);
  receive(it, publish({ qos: 1, messageId: 5, dup: true }));
  it.client.acknowledge(it.messages[0]!);
  it.settle();
  assert.deepEqual(sent(it), []);
  it.client.acknowledge(it.messages[1]!);
  it.settle();
  assert.deepEqual(sent(it), ['puback 5']);
});

test('[edge 5] acknowledgements that were not written when the link dropped are not sent on the next one', () => {
  const it = online();
  it.client.on('message', (received) => it.client.hold(received));
  receive(it, publish({ qos: 1, messageId: 1 }), publish({ qos: 2, messageId: 2 }), publish({ qos: 1, messageId: 3 }));
  it.server.current.peer.allow(1);
  for (const held of it.messages) it.client.acknowledge(held);
  reconnect(it, true);
  assert.deepEqual(sent(it), []);
});

test('[edge 6] a device that has lost its store finishes what the server remembers', () => {
  const it = online({}, accepting(true));
  receive(it, { cmd: 'pubrel', messageId: 12 }, { cmd: 'pubrec', messageId: 13 }, { cmd: 'puback', messageId: 14 });
  assert.deepEqual(sent(it), ['pubcomp 12', 'pubrel 13']);
  assert.equal(it.messages.length, 0);
  assert.equal(it.client.stats().state, 'connected');
});

test('[edge 7] SUBSCRIBE and UNSUBSCRIBE that were lost are asked anew, with new identifiers and no DUP', () => {
  for (const sessionPresent of [true, false]) {
    const it = online();
    const done: unknown[] = [];
    it.client.unsubscribe('b', (error) => done.push(error));
    it.settle();
    it.client.subscribe('a', {}, (error) => done.push(error));
    it.settle();
    assert.deepEqual(sent(it), ['unsubscribe 1', 'subscribe 2']);
    reconnect(it, sessionPresent, obligingly);
    // A server without a session has no subscription to take back.
    assert.deepEqual(sent(it), sessionPresent ? ['unsubscribe 3', 'subscribe 4'] : ['subscribe 3']);
    assert.deepEqual(done, [undefined, undefined]);
    assert.ok(hex(it.server.current.bytes).includes('8206'));
  }
});

/** A client whose packet identifiers are all in use. */
function exhausted() {
  const it = online({ maxInFlight: 65_535 });
  const { deliveries, outbox } = it.client.connection;
  for (let packetId = 1; packetId <= 65_535; packetId++) {
    deliveries.push({ packetId, state: 0, message: message(), sent: true });
  }
  outbox.cursor = 65_535;
  return it;
}

test('[edge 8] with all 65,535 identifiers taken the machine says window-full, and goes on when one is free', () => {
  const { connection } = exhausted().client;
  assert.throws(() => connection.publish(message(), 0), { code: 'window-full' });
  assert.throws(() => connection.request({ filters: ['a'] }, 0), { code: 'window-full' });
  connection.input(unhex('40028000'), 0);
  assert.equal(connection.request({ filters: ['a'] }, 0), 0x8000);
});

test('[edge 8] with all 65,535 identifiers taken the client waits, and goes on when one is free', () => {
  const it = exhausted();
  it.client.subscribe('a');
  it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  assert.deepEqual(sent(it), []);
  receive(it, { cmd: 'puback', messageId: 500 }, { cmd: 'puback', messageId: 600 });
  assert.deepEqual(sent(it).sort(), ['publish 600', 'subscribe 500']);
});

test('[edge 8] identifiers that a store brought back are reserved before a new one is given', () => {
  const it = connected();
  const { deliveries, outbox } = it.connection;
  for (const packetId of [1, 2, 4]) deliveries.push({ packetId, state: 0, message: message(), sent: true });
  outbox.cursor = 3;
  assert.deepEqual(it.publish(), ['32050001740003']);
  assert.deepEqual(it.publish(), ['32050001740005']);
});

test('[edge 9] a packet that is too large is refused from its header, before anything is stored', () => {
  const it = connected({ framing: mqttPacketFraming(1_000) });
  assert.deepEqual(it.feed('30ffffff'), []);
  assert.deepEqual(it.feed('7f'), ['close malformed-packet']);
  const client = online({ framing: mqttPacketFraming(128) });
  receive(client, unhex('307f'));
  assert.equal(client.disconnects[0]?.error?.reason, 'too-large');
});

test('[edge 9] a message that is too large is refused before it is taken', () => {
  const it = online({ framing: mqttPacketFraming(128) });
  assert.throws(() => it.client.publish('t', new Uint8Array(126)), { code: 'packet-too-large' });
  it.client.publish('t', new Uint8Array(123));
  it.settle();
  assert.equal(it.server.current.of('publish').length, 1);
});

test('[edge 10] bytes behind a violation are not read, neither on this connection nor on the next', () => {
  assertRefused('3003000023', 'malformed-packet MQTT-4.7.3-1');
  assertRefused('20020000', 'unexpected-packet 3.2');
  const it = online();
  receive(it, unhex('36043003000161'), publish({ qos: 1, messageId: 1 }));
  it.time.advance(MINUTE);
  receive(it, publish({ topic: 'fresh' }));
  assert.deepEqual(
    it.messages.map(({ topic }) => topic),
    ['fresh'],
  );
});

test('[edge 11] a flow of received QoS 0 messages does not keep the client from pinging', () => {
  const it = online({ keepAliveSeconds: 60 });
  for (let n = 0; n < 300; n++) {
    receive(it, publish());
    it.time.advance(1_000);
  }
  assert.equal(it.server.current.of('pingreq').length, 5);
});

test('[edge 11] a dead peer is found while the client does nothing but send', () => {
  const it = online({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 }, accepting(false));
  for (let n = 0; n < 65; n++) {
    it.client.publish('t', 'x');
    it.time.advance(1_000);
  }
  assert.deepEqual(ends(it), ['pingresp-timeout 3.1.2.10']);
});

test('[edge 11] a listener that blocks longer than the keep-alive is followed by a ping, not by a loss', () => {
  const it = online({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 });
  it.client.on('message', () => it.time.jump(5 * MINUTE));
  receive(it, publish({ qos: 1, messageId: 1 }));
  it.time.advance(MINUTE);
  assert.deepEqual(sent(it).slice(0, 2), ['puback 1', 'pingreq']);
  assert.deepEqual(ends(it), []);
});

test('[edge 11] a clock that jumps, or wraps, costs a ping and no connection', () => {
  for (const start of [0, 2 ** 31 - 30_000, 2 ** 32 - 30_000]) {
    const it = online({ keepAliveSeconds: 60 }, politely, {}, new VirtualTime(start));
    for (const days of [1, 7, 20]) {
      const before = it.server.current.of('pingreq').length;
      it.time.jump(days * 24 * HOUR);
      it.client.poke();
      it.settle();
      assert.equal(it.server.current.of('pingreq').length, before + 1, `${days} days`);
      it.time.advance(MINUTE);
    }
    assert.deepEqual(ends(it), []);
    assert.equal(it.connects, 1);
  }
});

test('[edge 11] a sleep of more than half the range of the clock, 24.8 days, is followed by a ping', () => {
  const { connection, drain, feed } = bench();
  connection.opened({ clientId: 'c', cleanSession: true, keepAliveSeconds: 60 }, 0);
  drain();
  feed('20020000');
  let now = 0;
  for (const days of [20, 30, 45]) {
    now = after(now, days * 24 * HOUR);
    connection.timeout(now);
    assert.deepEqual(drain(), ['c000'], `${days} days`);
    connection.input(unhex('d000'), now);
  }
});

test('[edge 11] a host that was suspended while a PINGREQ was out asks again before it gives up', () => {
  const it = online({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 }, accepting(false));
  it.time.advance(55_000);
  it.time.jump(HOUR);
  it.server.respond = politely;
  it.client.poke();
  it.time.advance(1_000);
  assert.deepEqual(sent(it), ['pingreq', 'pingreq']);
  assert.deepEqual(ends(it), []);
});

test('[edge 11] a host that wakes up to a dead link finds it out within one PINGRESP time-out', () => {
  const it = online({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 }, accepting(false));
  it.time.jump(HOUR);
  it.client.poke();
  it.time.advance(10_000);
  assert.deepEqual(ends(it), ['pingresp-timeout 3.1.2.10']);
});

test('[edge 12] QoS 1, 2, 1 sent, both QoS 1 acknowledged, QoS 2 at PUBREL: only its PUBREL is sent again', () => {
  const it = online();
  for (const qos of [1, 2, 1] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  receive(it, { cmd: 'puback', messageId: 1 }, { cmd: 'puback', messageId: 3 }, { cmd: 'pubrec', messageId: 2 });
  reconnect(it, true);
  assert.deepEqual(sent(it), ['pubrel 2']);
});
