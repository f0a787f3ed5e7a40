// Handlers for filters: matching, captured levels, acknowledgement after asynchronous handlers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceivedMessage } from '../../src/index.ts';
import { Router } from '../../src/router.ts';
import { obligingly } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

function routed(): World & { router: Router } {
  const it = world();
  it.server.respond = obligingly;
  return { ...it, router: new Router(it.client) };
}

function deliver(it: World, topic: string, messageId = 1): void {
  it.server.current.send({ cmd: 'publish', topic, payload: 'x', qos: 1, messageId, dup: false, retain: false });
  it.settle();
}

const acknowledged = (it: World) => it.server.current.of('puback').map(({ messageId }) => messageId);

/** A promise that the test settles; what waits on it goes on at once, so that no turn has to be waited for. */
function later(): {
  then: (done: () => void, failed: (error: unknown) => void) => void;
  resolve: () => void;
  reject: (error: unknown) => void;
} {
  let onDone = () => {};
  let onFailed: (error: unknown) => void = () => {};
  return {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    then: (done, failed) => {
      onDone = done;
      onFailed = failed;
    },
    resolve: () => onDone(),
    reject: (error) => onFailed(error),
  };
}

test('[pain 22] a message goes to every handler whose filter matches, with what the wildcards stood for', () => {
  const it = routed();
  const calls: [string, readonly string[]][] = [];
  for (const filter of ['a/+/c', 'a/#', '+/+/+', 'x', '#']) {
    it.router.subscribe(filter, { qos: 1 }, (_, captured) => void calls.push([filter, captured]));
  }
  it.connect();
  deliver(it, 'a/b/c');
  assert.deepEqual(calls, [
    ['a/+/c', ['b']],
    ['a/#', ['b/c']],
    ['+/+/+', ['a', 'b', 'c']],
    ['#', ['a/b/c']],
  ]);
  assert.deepEqual(acknowledged(it), [1]);
});

test('what no filter matches goes to otherwise: a platform delivers what nobody subscribed to', () => {
  const it = routed();
  const strays: string[] = [];
  it.router.otherwise = ({ topic }) => strays.push(topic);
  it.router.handle('known', () => {});
  it.connect();
  deliver(it, 'known');
  deliver(it, 'unknown', 2);
  assert.deepEqual(strays, ['unknown']);
});

test('[MQTT-4.6.0-2] [pain 23] asynchronous handlers run side by side, acknowledgements leave in the order of arrival', () => {
  const it = routed();
  const works = [later(), later(), later()];
  let next = 0;
  it.router.subscribe('t', { qos: 1 }, () => works[next++]);
  it.connect();
  for (const messageId of [7, 8, 9]) deliver(it, 't', messageId);
  assert.deepEqual(acknowledged(it), []);
  works[2]!.resolve();
  works[1]!.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), []);
  works[0]!.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), [7, 8, 9]);
});

test('two asynchronous handlers of one message: it is acknowledged when both are done', () => {
  const it = routed();
  const works = [later(), later()];
  it.router.handle('t', () => works[0]);
  it.router.handle('+', () => works[1]);
  it.connect();
  deliver(it, 't');
  works[0]!.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), []);
  works[1]!.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), [1]);
});

test('a handler that fails, now or later, is reported, and the message is acknowledged', () => {
  const it = routed();
  const work = later();
  it.router.handle('now', () => {
    throw new Error('now');
  });
  it.router.handle('later', () => work);
  it.connect();
  deliver(it, 'now', 1);
  deliver(it, 'later', 2);
  work.reject(new Error('later'));
  it.settle();
  assert.deepEqual(
    it.warnings.map(({ code, cause }) => [code, (cause as Error).message]),
    [
      ['listener-failed', 'now'],
      ['listener-failed', 'later'],
    ],
  );
  assert.deepEqual(acknowledged(it), [1, 2]);
});

test('[edge 4] a late acknowledgement of an old connection does not go out on the new one', () => {
  const it = routed();
  const works = [later(), later()];
  let next = 0;
  it.router.subscribe('t', { qos: 1 }, () => works[next++]);
  it.connect();
  deliver(it, 't', 5);
  it.server.current.peer.close();
  it.time.advance(60_000);
  works[0]!.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), []);
  deliver(it, 't', 5);
  works[1]!.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), [5]);
});

test('[pain 24] reading stops above maxHeld messages and goes on below it, while pings go on', () => {
  const it = world({ maxHeld: 3, keepAliveSeconds: 60, pingTimeoutMillis: 5_000 });
  const held: ReceivedMessage[] = [];
  it.client.on('message', (message) => {
    held.push(message);
    it.client.hold(message);
  });
  it.connect();
  for (let messageId = 1; messageId <= 10; messageId++) deliver(it, 't', messageId);
  assert.equal(held.length, 4);
  it.time.advance(10 * 60_000);
  assert.ok(it.server.current.of('pingreq').length >= 10);
  assert.equal(it.disconnects.length, 0);
  while (held.length < 10) {
    const before = held.length;
    for (const message of held) it.client.acknowledge(message);
    it.settle();
    assert.ok(held.length > before);
  }
  for (const message of held) it.client.acknowledge(message);
  it.settle();
  assert.deepEqual(acknowledged(it), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('handlers come and go: handle() returns how, unsubscribe() takes those of its filter', () => {
  const it = routed();
  let calls = 0;
  const stop = it.router.handle('t', () => void calls++);
  it.router.subscribe('t', {}, () => void calls++);
  it.connect();
  deliver(it, 't', 1);
  assert.equal(calls, 2);
  stop();
  deliver(it, 't', 2);
  assert.equal(calls, 3);
  it.router.unsubscribe('t');
  deliver(it, 't', 3);
  assert.equal(calls, 3);
  assert.deepEqual(
    it.server.current.of('unsubscribe').map(({ unsubscriptions }) => unsubscriptions),
    [['t']],
  );
});

test('a filter that is not legal adds no handler', () => {
  const it = routed();
  assert.throws(() => it.router.subscribe('a#', {}, () => {}), { code: 'bad-filter' });
});

test('subscribe() with a handler that is none, or a QoS that is none, changes nothing', () => {
  const it = routed();
  let calls = 0;
  assert.throws(() => it.router.subscribe('t', {}, 5 as never), { code: 'bad-option' });
  assert.throws(() => it.router.subscribe('t', { qos: 3 as never }, () => calls++), { code: 'bad-packet' });
  it.connect();
  deliver(it, 't');
  assert.deepEqual([it.server.current.of('subscribe').length, calls], [0, 0]);
});

test('a thenable that throws, or calls back twice, ends once', () => {
  const it = routed();
  const held = later();
  it.router.handle('t', () => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    then(done: () => void) {
      done();
      done();
      throw new Error('mine');
    },
  }));
  it.router.handle('t', () => held);
  it.connect();
  deliver(it, 't');
  assert.deepEqual([acknowledged(it), it.warnings.map(({ code }) => code)], [[], ['listener-failed']]);
  held.resolve();
  it.settle();
  assert.deepEqual(acknowledged(it), [1]);
});
