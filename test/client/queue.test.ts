// What waits for a connection: bounds, policies for each topic filter, time to live.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MqttError } from '../../src/index.ts';
import { PolicyQueue, type QueueRule } from '../../src/policy-queue.ts';
import { obligingly } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

interface QueueWorld extends World {
  /** Name of each message and how it ended. */
  readonly ends: string[];
  /** Publishes a message whose payload is its name. */
  put(topic: string, name: string): void;
}

function offline(queue: ConstructorParameters<typeof PolicyQueue>[1], rules?: readonly QueueRule[]): QueueWorld {
  const it = world({ queue: rules ? new PolicyQueue(rules, queue) : queue });
  it.server.respond = obligingly;
  const ends: string[] = [];
  const end = (name: string) => (error?: MqttError) =>
    ends.push(error ? `${name} ${error.code} ${error.reason ?? ''}`.trim() : name);
  return { ...it, ends, put: (topic, name) => void it.client.publish(topic, name, { qos: 1 }, end(name)) };
}

/** Names of what the server got, in order. */
function sent(it: World): string[] {
  it.connect();
  return it.server.current.of('publish').map(({ payload }) => payload.toString());
}

test('[pain 7] the queue is bounded in messages: one more throws queue-full and changes nothing', () => {
  const it = offline({ messages: 2 });
  it.put('t', 'a');
  it.put('t', 'b');
  assert.throws(() => it.put('t', 'c'), { code: 'queue-full', message: '2 messages of 4 bytes wait' });
  assert.deepEqual(sent(it), ['a', 'b']);
  assert.deepEqual(it.ends, ['a', 'b']);
});

test('the queue is bounded in bytes, topics included', () => {
  const it = offline({ bytes: 10 });
  it.put('1234', '567890');
  assert.equal(it.client.stats().queuedBytes, 10);
  assert.throws(() => it.put('t', ''), { code: 'queue-full' });
});

test('with room for no message nothing waits', () => {
  const it = offline({ messages: 0 });
  assert.throws(() => it.put('t', 'a'), { code: 'queue-full' });
  it.connect();
  it.put('t', 'b');
  assert.deepEqual(sent(it), ['b']);
});

test('order is kept across the queue, the window and the wire', () => {
  const it = offline({ messages: 200 });
  const names = Array.from({ length: 150 }, (_, n) => String(n));
  for (const name of names) it.put('t', name);
  assert.deepEqual(sent(it), names);
  assert.deepEqual(it.ends, names);
});

test('what does not fit into the in-flight window waits', () => {
  const it = world({ maxInFlight: 3 });
  it.connect();
  for (let n = 0; n < 10; n++) it.client.publish('t', String(n), { qos: 1 });
  it.settle();
  assert.equal(it.server.current.of('publish').length, 3);
  assert.deepEqual([it.client.stats().inFlight, it.client.stats().queued], [3, 7]);
  it.server.current.send({ cmd: 'puback', messageId: it.server.current.of('publish')[0]!.messageId! });
  it.settle();
  assert.equal(it.server.current.of('publish').length, 4);
});

test('reject: the new message is refused', () => {
  const it = offline({ messages: 1 }, [{ filter: '#', policy: 'reject' }]);
  it.put('t', 'a');
  assert.throws(() => it.put('t', 'b'), { code: 'queue-full' });
});

test('drop-newest: the new message ends at once', () => {
  const it = offline({ messages: 1 }, [{ filter: '#', policy: 'drop-newest' }]);
  it.put('t', 'a');
  it.put('t', 'b');
  assert.deepEqual(it.ends, ['b dropped no-room']);
  assert.deepEqual(sent(it), ['a']);
});

test('drop-oldest: as many of the oldest as it takes, by number and by bytes', () => {
  const it = offline({ messages: 3, bytes: 12 }, [{ filter: '#', policy: 'drop-oldest' }]);
  for (const name of ['a', 'b', 'c', 'd']) it.put('t', name);
  assert.deepEqual(it.ends, ['a dropped no-room']);
  it.put('t', 'eight888');
  assert.deepEqual(it.ends, ['a dropped no-room', 'b dropped no-room', 'c dropped no-room']);
  assert.deepEqual(sent(it), ['d', 'eight888']);
});

test('latest: a message takes the place of one with the same topic, behind what came meanwhile', () => {
  const it = offline({}, [{ filter: '+/state', policy: 'latest' }]);
  it.put('1/state', 'old');
  it.put('event', 'between');
  it.put('2/state', 'other');
  it.put('1/state', 'new');
  assert.deepEqual(it.ends, ['old dropped replaced']);
  assert.deepEqual(sent(it), ['between', 'other', 'new']);
});

test('latest: where the room ends, the oldest under the rule goes', () => {
  const it = offline({ messages: 2 }, [{ filter: '+/state', policy: 'latest' }]);
  it.put('1/state', 'one');
  it.put('2/state', 'two');
  it.put('3/state', 'three');
  assert.deepEqual(it.ends, ['one dropped no-room']);
});

test('one rule never drops what another protects', () => {
  const rules: QueueRule[] = [
    { filter: 'alarm/#', policy: 'reject' },
    { filter: '#', policy: 'drop-oldest' },
  ];
  const it = offline({ messages: 2 }, rules);
  it.put('alarm/fire', 'fire');
  it.put('t', 'a');
  it.put('t', 'b');
  assert.deepEqual(it.ends, ['a dropped no-room']);
  it.put('t', 'c');
  assert.throws(() => it.put('alarm/flood', 'flood'), { code: 'queue-full' });
  assert.deepEqual(sent(it), ['fire', 'c']);
});

test('a rule has a limit of its own', () => {
  const it = offline({}, [{ filter: 'log', policy: 'drop-oldest', messages: 2 }]);
  for (const name of ['1', '2', '3']) it.put('log', name);
  it.put('other', 'x');
  assert.deepEqual(it.ends, ['1 dropped no-room']);
});

test('bounds hold where the end of a dropped message publishes again', () => {
  const it = offline({ messages: 2 }, [{ filter: '#', policy: 'drop-oldest' }]);
  let again = 3;
  const put = (name: string) =>
    void it.client.publish('t', name, { qos: 1 }, (error) => {
      if (error && again-- > 0) put(`again ${again}`);
    });
  for (const name of ['a', 'b', 'c']) put(name);
  assert.equal(it.client.stats().queued, 2);
});

test('time to live: a message that waits too long ends on time, connected or not', () => {
  const it = offline({}, [{ filter: 'tick', policy: 'reject', timeToLiveMillis: 5_000 }]);
  it.put('tick', 'short');
  it.put('other', 'long');
  it.time.advance(4_999);
  assert.deepEqual(it.ends, []);
  it.time.advance(1);
  assert.deepEqual(it.ends, ['short dropped expired']);
  assert.deepEqual(sent(it), ['long']);
  it.client.abort();
  it.settle();
  assert.equal(it.time.pending(), 0);
});

test('topics that no rule names are rejected when there is no room, those with $ included', () => {
  const it = offline({ messages: 1 }, [{ filter: 'a', policy: 'drop-oldest' }]);
  it.put('$x', '1');
  assert.throws(() => it.put('b', '2'), { code: 'queue-full' });
});

for (const rule of [
  { filter: 'a', policy: 'newest' },
  { filter: 'a', policy: 'reject', messages: 0 },
  { filter: 'a', policy: 'reject', timeToLiveMillis: 0 },
  { filter: 'a#', policy: 'reject' },
]) {
  test(`a rule that is not legal is refused: ${JSON.stringify(rule)}`, () => {
    assert.throws(() => new PolicyQueue([rule as QueueRule]), { code: /^bad-(option|filter)$/ });
  });
}

test('cancel() takes back what waits, settles what is in flight, and does nothing afterwards', () => {
  const it = world({ maxInFlight: 1 });
  const ends: string[] = [];
  it.connect();
  const end = (name: string) => (error?: MqttError) => ends.push(`${name} ${error?.code}`);
  const inFlight = it.client.publish('t', 'a', { qos: 1 }, end('in flight'));
  const waiting = it.client.publish('t', 'b', { qos: 1 }, end('waiting'));
  for (const operation of [waiting, inFlight, waiting, inFlight]) it.client.cancel(operation);
  assert.deepEqual(ends, ['waiting cancelled', 'in flight cancelled']);
  it.settle();
  it.server.current.send({ cmd: 'puback', messageId: it.server.current.of('publish')[0]!.messageId! });
  it.settle();
  assert.equal(it.server.current.of('publish').length, 1);
  assert.deepEqual([it.client.stats().inFlight, it.client.stats().queued, ends.length], [0, 0, 2]);
});

test('cancel() takes back also what nobody waits for', () => {
  const it = world();
  it.client.cancel(it.client.publish('t', 'x', { qos: 1 }));
  assert.equal(it.client.stats().queued, 0);
});
