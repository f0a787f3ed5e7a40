// Promises, signals, time-outs and asynchronous iteration: everything settles, nothing leaks.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { exactlyOnce } from '../../src/index.ts';
import { PromiseClient, type RoutedMessage } from '../../src/promises.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

function promised(options: Parameters<typeof world>[0] = {}): World & { device: PromiseClient } {
  const it = world(options);
  it.server.respond = obligingly;
  return { ...it, device: new PromiseClient(it.client) };
}

/** Lets the virtual network settle, then the promises. */
async function settle(it: World, millis = 0): Promise<void> {
  it.time.advance(millis);
  await turn();
  it.time.advance(0);
}

function deliver(it: World, topic: string, payload: string, messageId: number): void {
  it.server.current.send({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false });
  it.settle();
}

const text = ({ payload }: { payload: Uint8Array }) => Buffer.from(payload).toString();
const acknowledged = (it: World) => it.server.current.of('puback').map(({ messageId }) => messageId);

test('connect, subscribe, publish, unsubscribe and close resolve', async () => {
  const it = promised();
  const connecting = it.device.connect();
  it.settle();
  assert.equal((await connecting).sessionPresent, false);
  const subscribing = it.device.subscribe('t', { qos: 1 });
  const publishing = it.device.publish('t', 'x', { qos: 1 });
  const unsubscribing = it.device.unsubscribe('t');
  it.settle();
  assert.equal(await publishing, undefined);
  await assert.rejects(subscribing, { code: 'closed' }); // Replaced by the later unsubscribe.
  await unsubscribing;
  const closing = it.device.close();
  it.settle();
  await closing;
  assert.equal(it.time.pending(), 0);
});

test('connect() waits through failures, and rejects when trying ends', async () => {
  const it = promised();
  it.server.listening = false;
  const connecting = it.device.connect();
  await settle(it, 1_000);
  it.server.listening = true;
  await settle(it, 10_000);
  await connecting;
  it.client.abort();
  it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode: 2, sessionPresent: false });
  const refused = it.device.connect();
  it.settle();
  await assert.rejects(refused, { code: 'refused', returnCode: 2 });
  it.server.respond = () => {};
  const closed = it.device.connect();
  it.settle();
  it.client.close();
  await assert.rejects(closed, { code: 'closed' });
});

test('connect() given up by a time-out or a signal closes the client', async () => {
  for (const code of ['timeout', 'cancelled'] as const) {
    const it = promised();
    it.server.listening = false;
    const controller = new AbortController();
    const options = code === 'timeout' ? { timeoutMillis: 5_000 } : { signal: controller.signal };
    const connecting = it.device.connect(options);
    it.time.advance(5_000);
    controller.abort();
    await assert.rejects(connecting, { code });
    assert.equal(it.client.stats().state, 'idle');
    assert.equal(it.time.pending(), 0);
  }
});

test('[pain 8] a publish that nobody acknowledges times out on the clock of the client, and is settled once', async () => {
  const it = promised();
  it.server.respond = politely;
  it.connect();
  const publishing = it.device.publish('t', 'x', { qos: 1, timeoutMillis: 2_000 });
  it.time.advance(2_000);
  await assert.rejects(publishing, { code: 'timeout', message: 'not done within 2000 ms' });
  it.server.current.send({ cmd: 'puback', messageId: 1 });
  it.settle();
  assert.equal(it.client.stats().inFlight, 0);
});

test('a signal takes back a publish that waits, and one that has fired lets nothing begin', async () => {
  const it = promised();
  const controller = new AbortController();
  const publishing = it.device.publish('t', 'x', { qos: 1, signal: controller.signal });
  assert.equal(it.client.stats().queued, 1);
  controller.abort(new Error('enough'));
  await assert.rejects(publishing, (error: Error & { code: string }) => {
    return error.code === 'cancelled' && (error.cause as Error).message === 'enough';
  });
  assert.equal(it.client.stats().queued, 0);
  await assert.rejects(it.device.publish('t', 'y', { signal: controller.signal }), { code: 'cancelled' });
  assert.equal(it.client.stats().queued, 0);
});

test('bad input rejects instead of throwing, and leaves no timer', async () => {
  const it = promised();
  await assert.rejects(it.device.publish('a/#', 'x', { timeoutMillis: 1_000 }), { code: 'bad-topic' });
  await assert.rejects(it.device.subscribe('a#'), { code: 'bad-filter' });
  assert.equal(it.time.pending(), 0);
});

test('a subscription given up is unsubscribed', async () => {
  const it = promised();
  it.server.respond = politely;
  it.connect();
  const subscribing = it.device.subscribe('t', { timeoutMillis: 1_000 });
  it.time.advance(1_000);
  await assert.rejects(subscribing, { code: 'timeout' });
  it.settle();
  assert.equal(it.server.current.of('unsubscribe').length, 1);
});

test('messages() yields what comes, acknowledges when the next is asked for, and unsubscribes when it is left', async () => {
  const it = promised();
  it.connect();
  const got: string[] = [];
  const loop = (async () => {
    for await (const message of it.device.messages('a/+', { qos: 1 })) {
      got.push(`${text(message)} ${message.captured}`);
      if (got.length === 3) break;
    }
  })();
  it.settle();
  deliver(it, 'a/x', 'one', 1);
  assert.deepEqual(acknowledged(it), []);
  await settle(it);
  assert.deepEqual(acknowledged(it), [1]);
  deliver(it, 'a/y', 'two', 2);
  deliver(it, 'a/z', 'three', 3);
  await settle(it);
  await loop;
  it.settle();
  assert.deepEqual(got, ['one x', 'two y', 'three z']);
  assert.deepEqual(acknowledged(it), [1, 2, 3]);
  assert.equal(it.server.current.of('unsubscribe').length, 1);
});

test('what the loop does not keep up with stays with the server: reading stops at maxHeld', async () => {
  const it = promised({ maxHeld: 2 });
  it.connect();
  const stream = it.device.messages('t', { qos: 1 });
  it.settle();
  for (let messageId = 1; messageId <= 8; messageId++) deliver(it, 't', String(messageId), messageId);
  assert.equal(it.client.stats().held, 3);
  const got: string[] = [];
  for (let n = 0; n < 8; n++) {
    const { value } = await stream.next();
    got.push(text(value as RoutedMessage));
    await settle(it);
  }
  assert.deepEqual(got, ['1', '2', '3', '4', '5', '6', '7', '8']);
  await stream.return?.();
});

test('messages() ends on its signal, on close(), and throws where the server refuses the filter', async () => {
  for (const how of ['signal', 'close', 'refused', 'before'] as const) {
    const it = promised();
    const controller = new AbortController();
    if (how === 'before') controller.abort();
    if (how === 'refused') {
      it.server.respond = (packet, connection) => {
        politely(packet, connection);
        const { messageId = 0 } = packet;
        if (packet.cmd === 'subscribe') connection.send({ cmd: 'suback', messageId, granted: [128] });
      };
    }
    it.connect();
    const stream = it.device.messages('t', { signal: controller.signal });
    const [first, second] = [stream.next(), stream.next()];
    it.settle();
    if (how === 'signal') controller.abort();
    if (how === 'close') it.client.close();
    it.settle();
    if (how === 'refused') await assert.rejects(first, { code: 'subscription-refused' });
    else assert.equal((await first).done, true);
    assert.equal((await second).done, true);
    assert.equal((await stream.next()).done, true);
    it.client.abort();
    it.settle();
    assert.equal(it.time.pending(), 0);
  }
});

test('connect() while connected resolves at once; after close() it waits for the new connection', async () => {
  const it = promised();
  it.connect();
  assert.equal((await it.device.connect({ timeoutMillis: 1_000 })).sessionPresent, false);
  assert.equal(it.time.pending(), 1);
  const closing = it.device.close();
  const connecting = it.device.connect();
  await settle(it);
  await closing;
  assert.equal((await connecting).sessionPresent, false);
  assert.equal(it.client.stats().state, 'connected');
});

test('connect() that times out names how the last dial failed, and leaves a client that was trying before alone', async () => {
  const it = promised();
  it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  it.connect();
  const connecting = it.device.connect({ timeoutMillis: 200_000 });
  it.time.advance(200_000);
  await assert.rejects(connecting, (error: Error & { code: string }) => {
    return error.code === 'timeout' && (error.cause as { returnCode: number }).returnCode === 5;
  });
  assert.equal(it.client.stats().state, 'waiting');
  await assert.rejects(it.device.connect({ timeoutMillis: Number.NaN }), { code: 'bad-option' });
});

test('a subscription that was granted before survives a later one that is given up', async () => {
  const it = promised();
  it.connect();
  const granted = it.device.subscribe('t', { qos: 1 });
  it.settle();
  await granted;
  it.server.respond = politely;
  const again = it.device.subscribe('t', { qos: 1, timeoutMillis: 100 });
  it.time.advance(100);
  await assert.rejects(again, { code: 'timeout' });
  it.settle();
  assert.equal(it.server.current.of('unsubscribe').length, 0);
});

test('messages() with a wrong option leaves nothing behind', () => {
  const it = promised();
  it.connect();
  assert.throws(() => it.device.messages('t', { qos: 3 as never }), { code: 'bad-packet' });
  assert.throws(() => it.device.messages('t', { maxBuffered: 0 }), { code: 'bad-option' });
  deliver(it, 't', 'x', 1);
  assert.deepEqual(acknowledged(it), [1]);
});

test('next() called twice at once acknowledges both messages', async () => {
  const it = promised();
  it.connect();
  const stream = it.device.messages('t', { qos: 1 });
  it.settle();
  const both = [stream.next(), stream.next()];
  deliver(it, 't', 'a', 1);
  deliver(it, 't', 'b', 2);
  await Promise.all(both);
  void stream.next();
  await settle(it);
  assert.deepEqual(acknowledged(it), [1, 2]);
});

test('what has come is handed out before the end when the client is closed', async () => {
  const it = promised();
  it.connect();
  const stream = it.device.messages('t', { qos: 1 });
  it.settle();
  deliver(it, 't', 'a', 1);
  deliver(it, 't', 'b', 2);
  it.client.close();
  it.settle();
  const got: string[] = [];
  for await (const message of stream) got.push(text(message));
  assert.deepEqual(got, ['a', 'b']);
});

test('QoS 0 that the loop does not keep up with is bounded: the oldest is dropped, and counted', async () => {
  const it = promised();
  it.connect();
  const stream = it.device.messages('t', { maxBuffered: 10 });
  it.settle();
  for (let n = 0; n < 100; n++) {
    it.server.current.send({ cmd: 'publish', topic: 't', payload: String(n), qos: 0, dup: false, retain: false });
  }
  it.settle();
  assert.equal(stream.dropped, 90);
  assert.equal(text((await stream.next()).value as RoutedMessage), '90');
});

test('two loops over one filter: the last one that is left unsubscribes', async () => {
  const it = promised();
  it.connect();
  const [one, two] = [it.device.messages('t', { qos: 1 }), it.device.messages('t', { qos: 1 })];
  it.settle();
  await one.return();
  it.settle();
  assert.equal(it.server.current.of('unsubscribe').length, 0);
  const next = two.next();
  deliver(it, 't', 'still here', 1);
  assert.equal(text((await next).value as RoutedMessage), 'still here');
  await two.return();
  it.settle();
  assert.equal(it.server.current.of('unsubscribe').length, 1);
});

/** How a promise ends, or `waits`. */
const endOf = (promise: Promise<unknown>): Promise<unknown> => {
  const ends = promise.then(
    (value) => value,
    (error) => (error as { code: string }).code,
  );
  return Promise.race([ends, turn().then(() => 'waits')]);
};

test('connect() while closing rejects where a later close() takes it back', async () => {
  const it = promised();
  it.connect();
  it.client.close();
  const connecting = it.device.connect();
  it.client.close();
  it.settle();
  assert.equal(await endOf(connecting), 'closed');
  assert.equal(it.client.stats().state, 'idle');
});

test('close() of a client that was never connected ends its iterations', async () => {
  const it = promised();
  const stream = it.device.messages('t');
  const next = stream.next();
  await it.device.close();
  assert.deepEqual(await endOf(next), { done: true, value: undefined });
});

test('a signal that had fired before leaves nothing behind for later loops over the filter', async () => {
  const it = promised();
  it.connect();
  const over = it.device.messages('t', { signal: AbortSignal.abort() });
  assert.equal((await over.next()).done, true);
  it.settle();
  const before = it.server.current.of('unsubscribe').length;
  const stream = it.device.messages('t');
  it.settle();
  await stream.return();
  it.settle();
  assert.equal(it.server.current.of('unsubscribe').length, before + 1);
});

test('a filter that the server refuses ends every loop over it', async () => {
  const it = promised();
  it.server.respond = (packet, connection) => {
    politely(packet, connection);
    const { messageId = 0 } = packet;
    if (packet.cmd === 'subscribe') connection.send({ cmd: 'suback', messageId, granted: [128] });
  };
  const other = it.device.messages('other').next();
  const both = [it.device.messages('t').next(), it.device.messages('t').next()];
  it.client.unsubscribe('other');
  it.connect();
  for (const next of both) assert.equal(await endOf(next), 'subscription-refused');
  assert.equal(await endOf(other), 'waits');
});

test('[MQTT-4.3.3-2] QoS 2 that waits for the loop survives a loss of the connection, and comes once', async () => {
  const it = promised({ delivery: exactlyOnce });
  it.connect();
  const stream = it.device.messages('t', { qos: 2, maxBuffered: 1 });
  it.settle();
  const send = (messageId: number, dup: boolean) => {
    it.server.current.send({
      cmd: 'publish',
      topic: 't',
      payload: `${messageId}`,
      qos: 2,
      messageId,
      dup,
      retain: false,
    });
    it.settle();
  };
  send(1, false);
  send(2, false);
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
    else obligingly(packet, connection);
  };
  it.server.current.peer.close();
  it.time.advance(10_000);
  send(1, true);
  send(2, true);
  send(3, false);
  const got: string[] = [];
  for (let n = 0; n < 3; n++) {
    const next = (await endOf(stream.next())) as IteratorResult<RoutedMessage>;
    got.push(text(next.value));
    await settle(it);
  }
  assert.deepEqual([got, stream.dropped], [['1', '2', '3'], 0]);
  assert.deepEqual(
    it.server.current.of('pubrec').map(({ messageId }) => messageId),
    [1, 2],
  );
});

test('what waits for the loop is bounded over sessions that are lost again and again', async () => {
  const it = promised({ delivery: exactlyOnce });
  it.connect();
  const stream = it.device.messages('t', { qos: 2, maxBuffered: 5 });
  for (let messageId = 1; messageId <= 20; messageId++) {
    it.server.current.send({ cmd: 'publish', topic: 't', payload: '', qos: 2, messageId, dup: false, retain: false });
    it.settle();
    it.server.current.peer.close();
    it.time.advance(120_000);
  }
  assert.equal(stream.dropped, 15);
});
