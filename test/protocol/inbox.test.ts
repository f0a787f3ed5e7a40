// The receiver's side (4.3, 4.6) through the whole machine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeastOnce } from '../../src/protocol/delivery.ts';
import { serverBytes } from '../simulation/wire.ts';
import { type Bench, bench, messageOf, publish, pubrel } from './machine.ts';

/** The app is done with its n-th message. */
function done(it: Bench, index: number): string[] {
  it.connection.acknowledge(it.messages[index]!, it.now);
  return it.drain();
}

test('[MQTT-3.3.4-1] a message is answered once the app is done with it: QoS 1 with PUBACK, QoS 2 with PUBREC', () => {
  const it = bench();
  it.connect();
  assert.deepEqual(it.receive(publish(0, 0, 'a'), publish(5, 1, 'b'), publish(5, 2, 'c')), [
    'message a',
    'message b',
    'message c',
  ]);
  assert.equal(it.connection.inbox.held(), 2);
  assert.deepEqual(done(it, 0), []);
  assert.deepEqual(done(it, 1), ['PUBACK packetId=5']);
  assert.deepEqual(done(it, 2), ['PUBREC packetId=5']);
  assert.deepEqual(it.receive(pubrel(5)), ['PUBCOMP packetId=5']);
  assert.equal(it.connection.receipts.length, 0);
});

test('[MQTT-4.6.0-2] [MQTT-4.6.0-3] answers leave in the order of arrival, whatever order the app is done in', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'), publish(2, 2, 'b'), publish(3, 1, 'c'));
  assert.deepEqual(done(it, 2), []);
  assert.deepEqual(done(it, 1), []);
  assert.deepEqual(done(it, 0), ['PUBACK packetId=1', 'PUBREC packetId=2', 'PUBACK packetId=3']);
});

test('[MQTT-4.3.3-2] a repeated QoS 2 PUBLISH is acknowledged and not delivered again', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 2, 'a'));
  assert.deepEqual(it.receive(publish(1, 2, 'a', true)), []);
  assert.deepEqual(done(it, 0), ['PUBREC packetId=1']);
  assert.deepEqual(it.receive(publish(1, 2, 'a', true)), ['PUBREC packetId=1']);
  it.close();
  it.connect(true);
  assert.deepEqual(it.receive(publish(1, 2, 'a', true)), ['PUBREC packetId=1']);
  it.receive(pubrel(1));
  assert.deepEqual(it.receive(publish(1, 2, 'b')), ['message b']);
});

test('[MQTT-4.3.3-2] a repeated QoS 2 PUBLISH whose PUBREC waits for its turn is answered once, when its turn comes', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'), publish(2, 2, 'b'));
  done(it, 1);
  assert.deepEqual(it.receive(publish(2, 2, 'b', true)), []);
  assert.deepEqual(done(it, 0), ['PUBACK packetId=1', 'PUBREC packetId=2']);
});

test('[MQTT-4.3.2-2] after PUBACK an identifier means a new message, with DUP as well', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'));
  done(it, 0);
  assert.deepEqual(it.receive(publish(1, 1, 'b', true)), ['message b']);
});

test('[edge 4] the late acknowledgement of a QoS 1 message of a lost connection is not sent on the next', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'));
  it.close();
  it.connect(true);
  assert.deepEqual(done(it, 0), []);
  it.receive(publish(1, 1, 'a', true));
  assert.deepEqual(done(it, 0), []);
  assert.deepEqual(done(it, 1), ['PUBACK packetId=1']);
});

test('[MQTT-4.3.3-2] a QoS 2 message that the app finishes after the connection was lost is answered when it comes again', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 2, 'a'), publish(2, 2, 'b'), publish(3, 2, 'c'), publish(4, 1, 'd'));
  done(it, 2);
  done(it, 3);
  assert.deepEqual(it.close(), []);
  assert.deepEqual(done(it, 0), []);
  it.connect(true);
  assert.deepEqual(it.receive(publish(1, 2, 'a', true)), ['PUBREC packetId=1']);
  assert.deepEqual(it.receive(publish(2, 2, 'b', true), publish(3, 2, 'c', true)), []);
  assert.deepEqual(done(it, 1), ['PUBREC packetId=2', 'PUBREC packetId=3']);
});

test('[edge 5] answers that were not written when the connection was lost are not sent on the next', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'), publish(2, 2, 'b'));
  for (const message of it.messages) it.connection.acknowledge(message, 0);
  assert.deepEqual(it.close(), []);
  assert.deepEqual(it.connect(true), ['connected true']);
});

test('[MQTT-4.3.3-2] PUBREL for an unknown identifier is answered; before PUBREC was sent it closes the connection', () => {
  const it = bench();
  it.connect();
  assert.deepEqual(it.receive(pubrel(9)), ['PUBCOMP packetId=9']);
  it.receive(publish(1, 2, 'a'));
  assert.deepEqual(it.receive(pubrel(1)), ['close unexpected-packet']);
});

test('[MQTT-4.8.0-1] a client without QoS 2 closes when it gets a QoS 2 PUBLISH, and answers PUBREL', () => {
  const it = bench({ delivery: atLeastOnce });
  it.connect();
  assert.deepEqual(it.receive(pubrel(1)), ['PUBCOMP packetId=1']);
  assert.deepEqual(it.receive(publish(1, 2, 'a')), ['close unexpected-packet']);
});

test('[MQTT-3.2.2-3] without a session the identifiers that the server sent mean nothing any more', () => {
  const it = bench();
  const gone: number[] = [];
  it.connection.changed = ({ packetId }, kept) => kept || gone.push(packetId);
  it.connect();
  it.receive(publish(1, 2, 'a'));
  it.close();
  it.connect(false);
  assert.deepEqual(gone, [1]);
  assert.deepEqual(it.receive(publish(1, 2, 'b')), ['message b']);
});

test('[4.3.3] whatever keeps sessions hears of an identifier before PUBREC leaves, and of its end', () => {
  const it = bench();
  const changes: string[] = [];
  it.connection.changed = ({ packetId }, kept) => changes.push(`${packetId} ${kept}`);
  it.connect();
  it.receive(publish(1, 2, 'a'));
  it.connection.acknowledge(it.messages[0]!, 0);
  assert.deepEqual(changes, ['1 true']);
  it.drain();
  it.receive(pubrel(1));
  assert.deepEqual(changes, ['1 true', '1 false']);
});

test('a message that is not held, or not any more, is acknowledged without effect', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 1, 'a'));
  it.connection.acknowledge(messageOf('a', 1), 0);
  assert.deepEqual(it.drain(), []);
  done(it, 0);
  assert.deepEqual(done(it, 0), []);
});

test('[MQTT-4.3.3-2] a store that fails at a PUBREL costs the connection; the identifier is released by the next one', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 2, 'a'));
  it.connection.acknowledge(it.messages[0]!, 0);
  it.drain();
  it.connection.changed = () => {
    throw new Error('EIO');
  };
  assert.deepEqual(it.receive(pubrel(1)), ['close host-failed']);
  it.close();
  const changes: string[] = [];
  it.connection.changed = (entry, kept) => changes.push(`${entry.packetId} ${kept}`);
  it.connect(true);
  assert.deepEqual(it.receive(pubrel(1)), ['PUBCOMP packetId=1']);
  assert.deepEqual(changes, ['1 false']);
});

test('[MQTT-4.3.3-2] a store that fails when the app is done costs the connection, and holds nothing up on the next one', () => {
  const it = bench();
  it.connect();
  it.receive(publish(1, 2, 'a'));
  it.connection.changed = () => {
    throw new Error('ENOSPC');
  };
  assert.throws(() => it.connection.acknowledge(it.messages[0]!, 0), { message: 'ENOSPC' });
  assert.deepEqual(it.drain(), [], 'no PUBREC for what is not kept');
  it.connection.changed = undefined;
  it.close();
  it.connect(true);
  assert.deepEqual(it.receive(publish(1, 2, 'a', true)), ['PUBREC packetId=1']);
  assert.deepEqual(it.receive(publish(2, 1, 'b')), ['message b']);
  it.connection.acknowledge(it.messages[1]!, 0);
  assert.deepEqual(it.drain(), ['PUBACK packetId=2']);
});

test('a message that came just before the connection went is delivered all the same', () => {
  const it = bench();
  it.connect();
  it.connection.input(serverBytes(publish(1, 1, 'a')), 0);
  assert.deepEqual(it.close(), ['message a']);
});

test('messages of QoS 1 are not kept: they come again as they are', () => {
  const it = bench();
  const changes: number[] = [];
  it.connection.changed = ({ packetId }) => changes.push(packetId);
  it.connect();
  it.receive(publish(1, 1, 'a'), publish(2, 2, 'b'));
  for (const message of it.messages) it.connection.acknowledge(message, 0);
  assert.deepEqual(changes, [2]);
});
