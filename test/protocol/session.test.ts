// Packet identifiers (2.3.1).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { State } from '../../src/protocol/delivery.ts';
import { indexOf, Session } from '../../src/protocol/session.ts';
import { codeOf, messageOf } from './machine.ts';

const message = messageOf('x', 1);

function take(session: Session, packetId: number): void {
  session.deliveries.push({ packetId, state: State.AwaitingPuback, message, sent: true });
}

test('[MQTT-2.3.1-1] identifiers begin with 1, and 1 follows 65535', () => {
  const session = new Session();
  assert.equal(session.nextPacketId(), 1);
  assert.equal(session.nextPacketId(), 2);
  session.lastPacketId = 65_534;
  assert.equal(session.nextPacketId(), 65_535);
  assert.equal(session.nextPacketId(), 1);
});

test('[MQTT-2.3.1-2] identifiers of messages and of requests in flight are passed over, also across the wrap', () => {
  const session = new Session();
  for (const packetId of [65_535, 1, 3]) take(session, packetId);
  session.requests = [{ packetId: 2, operation: { filters: ['a'] }, answer: 11 }];
  session.lastPacketId = 65_534;
  assert.equal(session.nextPacketId(), 4);
});

test('[MQTT-2.3.1-2] with all 65535 identifiers taken there is an error, and one that becomes free is found', () => {
  const session = new Session();
  for (let packetId = 1; packetId <= 65_535; packetId++) take(session, packetId);
  session.lastPacketId = 5;
  assert.equal(session.hasPacketId(), false);
  assert.equal(
    codeOf(() => session.nextPacketId()),
    'window-full',
  );
  assert.equal(session.lastPacketId, 5);
  session.deliveries.splice(8, 1);
  assert.equal(session.hasPacketId(), true);
  assert.equal(session.nextPacketId(), 9);
});

test('an entry is found by its identifier, and -1 stands for none', () => {
  assert.equal(indexOf([{ packetId: 5 }, { packetId: 6 }], 6), 1);
  assert.equal(indexOf([{ packetId: 5 }], 7), -1);
});

test('[MQTT-2.3.1-2] identifiers of messages, of requests and of what was given up count together', () => {
  const session = new Session();
  session.reserved = Array.from({ length: 65_533 }, (_, index) => index + 1);
  session.deliveries.push({ packetId: 65_534 } as Session['deliveries'][number]);
  assert.equal(session.hasPacketId(), true);
  session.requests = [{ packetId: 65_535 } as Session['requests'][number]];
  assert.equal(session.hasPacketId(), false);
});
