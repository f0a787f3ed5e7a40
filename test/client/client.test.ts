import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactlyOnce } from '../../src/index.ts';
import { obligingly } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

test('a client connects, subscribes, publishes and receives', () => {
  const it = world({ delivery: exactlyOnce });
  it.server.respond = obligingly;
  const ends: string[] = [];
  it.client.subscribe('a/+', { qos: 1 }, (error, granted) => ends.push(`subscribed ${error?.code} ${granted}`));
  for (const qos of [0, 1, 2] as const) it.client.publish('a/b', 'x', { qos }, (error) => ends.push(`${qos} ${error}`));
  it.connect();
  it.server.current.send({
    cmd: 'publish',
    topic: 'a/c',
    payload: 'hello',
    qos: 1,
    messageId: 9,
    dup: false,
    retain: false,
  });
  it.settle();
  assert.deepEqual(ends.sort(), ['0 undefined', '1 undefined', '2 undefined', 'subscribed undefined 1']);
  assert.equal(it.messages[0]?.topic, 'a/c');
  assert.deepEqual(
    it.server.current.of('puback').map((packet) => packet.messageId),
    [9],
  );
  let closed = false;
  it.client.close(() => {
    closed = true;
  });
  it.settle();
  assert.ok(closed);
  assert.equal(it.server.current.received.at(-1)?.cmd, 'disconnect');
  assert.equal(it.time.pending(), 0);
});
