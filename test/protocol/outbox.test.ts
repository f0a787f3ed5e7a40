// The sender's side (4.3, 4.4, 4.6) through the whole machine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeastOnce, State } from '../../src/protocol/delivery.ts';
import { abandon, limitSending } from '../../src/protocol/set-aside.ts';
import { bench, connack, messageOf, puback, pubcomp, published, pubrec } from './machine.ts';

test('[MQTT-4.3.3-1] a QoS 2 message goes through PUBREC, PUBREL and PUBCOMP before it is settled', () => {
  const it = bench();
  it.connect();
  assert.deepEqual(it.publish('a', 2), [published('a', 2, 1)]);
  assert.deepEqual(it.receive(pubrec(1)), ['PUBREL packetId=1']);
  assert.deepEqual(it.receive(pubrec(1)), ['PUBREL packetId=1']);
  assert.deepEqual(it.receive(pubcomp(1)), ['settled a']);
});

test('[MQTT-4.4.0-1] [MQTT-4.6.0-1] after a reconnect everything in flight is sent again, in order, with DUP or as PUBREL', () => {
  const it = bench();
  it.connect();
  for (const [name, qos] of [
    ['a', 1],
    ['b', 2],
    ['c', 1],
    ['d', 2],
  ] as const)
    it.publish(name, qos);
  it.receive(pubrec(2), puback(3));
  assert.deepEqual(it.close(), []);
  const lines = ['connected true', published('a', 1, 1, true), 'PUBREL packetId=2', published('d', 2, 4, true)];
  assert.deepEqual(it.connect(true).slice(-lines.length), lines);
});

test('[MQTT-4.6.0-1] nothing new is sent before everything old was sent again', () => {
  const it = bench();
  it.connect();
  it.publish('a', 1);
  it.close();
  it.open();
  it.connection.input(Uint8Array.of(0x20, 2, 1, 0), 0);
  for (const qos of [0, 1] as const) assert.equal(it.connection.canPublish(qos), false);
  it.drain();
  for (const qos of [0, 1] as const) assert.equal(it.connection.canPublish(qos), true);
});

test('[MQTT-3.2.2-3] without a session messages are sent as new ones, and what PUBREC took over is settled', () => {
  const it = bench();
  it.connect();
  for (const [name, qos] of [
    ['a', 2],
    ['b', 1],
    ['c', 2],
  ] as const)
    it.publish(name, qos);
  it.receive(pubrec(1));
  it.close();
  assert.deepEqual(it.connect(false), ['connected false', 'settled a', published('b', 1, 4), published('c', 2, 5)]);
});

test('[MQTT-2.3.1-6] acknowledgements of unknown identifiers settle nothing; PUBREC is answered, so that the server can finish', () => {
  const it = bench();
  it.connect();
  it.publish('a', 1);
  assert.deepEqual(it.receive(puback(9), pubrec(9), pubcomp(9)), ['PUBREL packetId=9']);
  assert.equal(it.connection.unknown, 3);
});

test('[MQTT-2.3.1-6] what was not sent yet cannot be acknowledged', () => {
  const it = bench();
  it.connect();
  it.connection.publish(messageOf('a', 1), 0);
  it.connection.input(Uint8Array.of(0x40, 2, 0, 1), 0);
  assert.deepEqual(it.drain(), [published('a', 1, 1)]);
  assert.equal(it.connection.unknown, 1);
});

for (const [title, qos, packet] of [
  ['PUBREC for QoS 1', 1, pubrec(1)],
  ['PUBCOMP for QoS 1', 1, pubcomp(1)],
  ['PUBACK for QoS 2', 2, puback(1)],
  ['PUBCOMP before PUBREL', 2, pubcomp(1)],
] as const) {
  test(`[MQTT-4.8.0-1] ${title} closes the connection and changes nothing`, () => {
    const it = bench();
    it.connect();
    it.publish('a', qos);
    assert.deepEqual(it.receive(packet, puback(1)), ['close unexpected-packet']);
    assert.equal(it.connection.deliveries.length, 1);
  });
}

test('[MQTT-4.3.3-1] a client without QoS 2 answers PUBREC of an unknown identifier, and closes when it is one of QoS 1', () => {
  const it = bench({ delivery: atLeastOnce });
  it.connect();
  assert.deepEqual(it.receive(pubrec(9)), ['PUBREL packetId=9']);
  it.publish('a', 1);
  assert.deepEqual(it.receive(pubrec(1)), ['close unexpected-packet']);
});

test('[4.6] a window of one message sends the next when the first was acknowledged', () => {
  const it = bench({ maxInFlight: 1 });
  it.connect();
  it.publish('a', 1);
  assert.equal(it.connection.canPublish(1), false);
  assert.equal(it.connection.canPublish(0), true);
  it.receive(puback(1));
  assert.deepEqual(it.publish('b', 1), [published('b', 1, 2)]);
});

test('an acknowledgement for a later message while others are sent again skips none of them', () => {
  const it = bench();
  it.connect();
  for (const name of ['a', 'b', 'c']) it.publish(name, 1);
  it.close();
  it.open();
  it.connection.input(Uint8Array.of(0x20, 2, 1, 0), 0);
  it.connection.poll();
  it.connection.poll();
  assert.deepEqual(it.receive(puback(1), puback(3)), ['settled a', 'settled c', published('b', 1, 2, true)]);
});

test('a limit on sending holds back what is behind it', () => {
  const it = bench();
  it.connect();
  for (const name of ['a', 'b', 'c']) it.publish(name, 1);
  it.close();
  limitSending(it.connection, 1);
  assert.deepEqual(it.connect(true), ['connected true', published('a', 1, 1, true)]);
  assert.equal(it.connection.canPublish(0), false);
  limitSending(it.connection, 2);
  assert.deepEqual(it.drain(), [published('b', 1, 2, true)]);
  limitSending(it.connection, Number.POSITIVE_INFINITY);
  assert.deepEqual(it.drain(), [published('c', 1, 3, true)]);
});

test('a message that is set aside is not sent again, and one that is not in flight is left alone', () => {
  const it = bench();
  it.connect();
  const poison = messageOf('poison', 1);
  it.connection.publish(poison, 0);
  it.drain();
  it.publish('b', 1);
  abandon(it.connection, poison, 0);
  abandon(it.connection, poison, 0);
  assert.deepEqual(it.drain(), ['settled poison set-aside']);
  it.close();
  assert.deepEqual(it.connect(true), ['connected true', published('b', 1, 2, true)]);
});

test('[MQTT-4.3.3-2] the identifier of a QoS 2 message that was set aside is not used again: the server may hold it', () => {
  const it = bench();
  it.connect();
  const poison = messageOf('poison', 2);
  it.connection.publish(poison, 0);
  it.drain();
  abandon(it.connection, poison, 0);
  it.drain();
  it.connection.lastPacketId = 0; // After the wrap.
  assert.notEqual(it.connection.publish(messageOf('b', 2), 0), 1);
});

test('whatever keeps sessions hears of a message in flight before its packet leaves, and of its end', () => {
  const it = bench();
  const changes: string[] = [];
  it.connection.changed = (entry, kept) => changes.push(`${entry.packetId} ${kept ? entry.state : 'gone'}`);
  it.connect();
  it.publish('a', 2);
  it.receive(pubrec(1));
  it.receive(pubcomp(1));
  it.publish('b', 1);
  it.close();
  it.connect(false);
  assert.deepEqual(changes, ['1 1', '1 2', '1 gone', '2 0', '3 0', '2 gone']);
});

test('[MQTT-3.2.2-5] a refused connection changes nothing of the session', () => {
  const it = bench();
  it.connect();
  it.publish('a', 1);
  it.close();
  it.open();
  assert.deepEqual(it.receive(connack(false, 3)), ['close refused']);
  it.close();
  assert.deepEqual(it.connect(true), ['connected true', published('a', 1, 1, true)]);
});

test('without a connection nothing can be published', () => {
  const it = bench();
  for (const qos of [0, 1, 2] as const) assert.equal(it.connection.canPublish(qos), false);
});

test('messages of QoS 0 that nobody polls are bounded, those of QoS 1 by the window', () => {
  const it = bench();
  it.connect();
  let taken = 0;
  while (it.connection.canPublish(0) && taken < 1_000) {
    it.connection.publish(messageOf('x', 0), 0);
    taken++;
  }
  assert.equal(taken, 16);
  assert.equal(it.connection.canPublish(1), true);
  it.drain();
  assert.equal(it.connection.canPublish(0), true);
});

test('what is done by functions is overheard, where somebody listens', () => {
  const it = bench();
  const heard: string[] = [];
  it.connection.overheard = ({ call }) => heard.push(call);
  limitSending(it.connection, 1);
  abandon(it.connection, messageOf('x', 1), 0);
  assert.deepEqual(heard, ['limitSending', 'setAside']);
});

test('a store that fails at an acknowledgement costs the connection, and leaves every state as it was', () => {
  const it = bench();
  it.connect();
  for (const [name, qos] of [
    ['a', 1],
    ['b', 2],
    ['c', 2],
  ] as const)
    it.publish(name, qos);
  it.receive(pubrec(3));
  for (const packet of [puback(1), pubrec(2), pubcomp(3)]) {
    it.connection.changed = () => {
      throw new Error('EIO');
    };
    assert.deepEqual(it.receive(packet), ['close host-failed']);
    it.connection.changed = undefined;
    it.close();
    const again = [published('a', 1, 1, true), published('b', 2, 2, true), 'PUBREL packetId=3'];
    assert.deepEqual(it.connect(true), ['connected true', ...again]);
  }
});

test('[MQTT-3.2.2-3] a store that fails while a lost session is renewed costs neither a message nor the order', () => {
  const it = bench();
  it.connect();
  for (const name of ['a', 'b', 'c']) it.publish(name, 1);
  it.close();
  let writes = 0;
  it.connection.changed = (_, kept) => {
    if (kept && ++writes === 2) throw new Error('ENOSPC');
  };
  assert.deepEqual(it.connect(false).slice(-1), ['close host-failed']);
  it.close();
  const again = [published('a', 1, 6), published('b', 1, 7), published('c', 1, 8)];
  assert.deepEqual(it.connect(false), ['connected false', ...again]);
});

test('[MQTT-3.2.2-3] with every identifier in use a lost session is renewed all the same', () => {
  const { connection, connect } = bench({ maxInFlight: 1 });
  for (let packetId = 1; packetId <= 65_535; packetId++) {
    connection.deliveries.push({ packetId, state: State.AwaitingPuback, message: messageOf('a', 1), sent: true });
  }
  assert.deepEqual(connect(false), ['connected false', published('a', 1, 1)]);
  assert.equal(connection.deliveries.length, 65_535);
});

test('what is sent again keeps to the window, also when a store brought back more', () => {
  const it = bench({ maxInFlight: 2 });
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    const delivery = { packetId: index + 1, state: State.AwaitingPuback, message: messageOf(name, 1), sent: true };
    it.connection.deliveries.push(delivery);
  }
  assert.deepEqual(it.connect(true), ['connected true', published('a', 1, 1, true), published('b', 1, 2, true)]);
  assert.deepEqual(it.receive(puback(1)), ['settled a', published('c', 1, 3, true)]);
});

test('the identifier of a QoS 1 message that was set aside is free', () => {
  const it = bench();
  it.connect();
  const message = messageOf('a', 1);
  it.connection.publish(message, 0);
  it.drain();
  abandon(it.connection, message, 0);
  assert.deepEqual(it.connection.reserved, []);
});
