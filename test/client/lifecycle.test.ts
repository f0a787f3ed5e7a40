// connect, close, abort and the rest in any order: everything settles, nothing is left behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlackBox } from '../../src/black-box.ts';
import { Client, type MqttError, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

test('[MQTT-3.14.4-1] close() says DISCONNECT, closes, calls back and leaves no timer', () => {
  const it = world();
  let closed = 0;
  it.connect();
  it.client.close(() => closed++);
  it.settle();
  assert.equal(closed, 1);
  assert.equal(it.server.current.received.at(-1)?.cmd, 'disconnect');
  assert.ok(it.server.current.closed);
  assert.equal(it.time.pending(), 0);
  assert.deepEqual(
    it.disconnects.map(({ code, error }) => [code, error]),
    [['closed', undefined]],
  );
});

test('[pain 13] close() settles in every state: never connected, dialling, waiting, closing already', () => {
  for (const prepare of [
    () => {},
    (it: ReturnType<typeof world>) => it.client.connect(),
    (it: ReturnType<typeof world>) => {
      it.server.listening = false;
      it.connect();
    },
    (it: ReturnType<typeof world>) => {
      it.connect();
      it.client.close();
    },
  ]) {
    const it = world();
    let closed = 0;
    prepare(it);
    it.client.close(() => closed++);
    it.client.close(() => closed++);
    it.settle();
    assert.equal(closed, 2);
    assert.equal(it.time.pending(), 0);
    assert.equal(it.client.stats().state, 'idle');
  }
});

test('close() gives up waiting for a peer that does not let go', () => {
  const it = world({ closeTimeoutMillis: 3_000 });
  let closed = false;
  it.connect();
  it.server.current.peer.allow(0);
  it.client.close(() => {
    closed = true;
  });
  it.time.advance(2_999);
  assert.ok(!closed);
  it.time.advance(1);
  assert.ok(closed);
  assert.equal(it.time.pending(), 0);
});

test('every operation settles exactly once with closed', () => {
  const it = world();
  const ends: string[] = [];
  const end = (name: string) => (error?: MqttError) => ends.push(`${name} ${error?.code}`);
  it.connect();
  it.client.publish('t', 'in flight', { qos: 1 }, end('in flight'));
  it.client.subscribe('a', {}, end('subscribe'));
  it.client.unsubscribe('b', end('unsubscribe'));
  it.settle();
  it.server.current.peer.close();
  it.settle();
  it.client.publish('t', 'queued', { qos: 1 }, end('queued'));
  it.client.publish('t', 'queued', { qos: 0 }, end('queued 0'));
  it.client.close();
  it.client.close();
  assert.deepEqual(ends.sort(), [
    'in flight closed',
    'queued 0 closed',
    'queued closed',
    'subscribe closed',
    'unsubscribe closed',
  ]);
  it.server.respond = obligingly;
  it.connect();
  assert.equal(ends.length, 5);
});

test('[MQTT-3.1.2-4] [pain 9] the session stays: what was in flight at close() is sent again by the next connect()', () => {
  const it = world();
  it.connect();
  it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  it.client.close();
  it.settle();
  it.server.respond = (packet, connection) =>
    packet.cmd === 'connect' && connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
  it.connect();
  const [first, again] = it.server.connections.map((connection) => connection.of('publish')[0]);
  assert.equal(again?.dup, true);
  assert.equal(again?.messageId, first?.messageId);
});

test('[MQTT-3.14.4-3] abort() drops the link without DISCONNECT, at once', () => {
  const it = world();
  it.connect();
  it.client.abort();
  assert.equal(it.client.stats().state, 'idle');
  it.settle();
  assert.deepEqual(
    it.server.current.received.map(({ cmd }) => cmd),
    ['connect'],
  );
  assert.ok(it.server.current.closed);
  assert.equal(it.time.pending(), 0);
});

test('connect() after close() connects again, also while closing', () => {
  const it = world();
  it.connect();
  it.client.close();
  it.client.connect();
  it.settle();
  assert.equal(it.connects, 2);
  it.client.close();
  it.settle();
  it.connect();
  assert.equal(it.connects, 3);
});

test('[pain 14] calling connect() often dials once', () => {
  const it = world();
  for (let n = 0; n < 5; n++) it.client.connect();
  it.settle();
  for (let n = 0; n < 5; n++) it.client.connect();
  it.settle();
  assert.equal(it.server.connections.length, 1);
});

test('close() inside any listener is safe', () => {
  for (const name of ['connected', 'disconnected', 'message'] as const) {
    const it = world();
    it.client.on(name, () => it.client.close());
    it.connect();
    if (name === 'disconnected') it.server.current.peer.close();
    if (name === 'message') {
      it.server.current.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false });
    }
    it.time.advance(600_000);
    assert.equal(it.client.stats().state, 'idle', name);
    assert.equal(it.time.pending(), 0, name);
    assert.equal(it.server.connections.length, 1, name);
  }
});

test('events of a connection that was given up are not heard', () => {
  const it = world();
  it.connect();
  const old = it.server.current.peer;
  it.client.abort();
  it.connect();
  old.close();
  old.send(Uint8Array.of(0xff));
  it.settle();
  assert.equal(it.client.stats().state, 'connected');
});

test('a listener that throws harms nobody: a warning tells, the message is acknowledged, the rest goes on', () => {
  const it = world();
  it.server.respond = obligingly;
  let calls = 0;
  it.client.on('message', () => {
    calls++;
    throw new Error('mine');
  });
  it.connect();
  for (const messageId of [1, 2]) {
    it.server.current.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 1, messageId, dup: false, retain: false });
  }
  it.settle();
  assert.equal(calls, 2);
  assert.deepEqual(
    it.warnings.map(({ code, cause }) => [code, (cause as Error).message]),
    [
      ['listener-failed', 'mine'],
      ['listener-failed', 'mine'],
    ],
  );
  assert.equal(it.server.current.of('puback').length, 2);
});

test('without a listener for warnings the host gets what a listener threw, and no command throws it', () => {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const reported: string[] = [];
  const report = (error: unknown) => void reported.push((error as Error).message);
  const client = new Client({
    adapter: memoryAdapter({ time, accept: server.accept, report }),
    endpoints: [{ host: 'server', port: 1 }],
    identity: plainIdentity({ clientId: 'c' }),
  });
  new BlackBox(client); // Looks on, and deals with nothing.
  client.connect();
  time.advance(0);
  const fail = () => {
    throw new Error('mine');
  };
  client.publish('t', 'x', {}, fail);
  client.on('state', fail);
  client.close();
  time.advance(0);
  assert.deepEqual(reported, ['mine', 'mine', 'mine']);
  client.on('warning', fail);
  client.publish('t', 'y', {}, fail);
  client.abort();
  assert.equal(reported.length, 4, 'a listener for warnings that throws itself is reported too');
});

test('a listener that was taken off is not called; one that is added twice is called twice', () => {
  const it = world();
  let calls = 0;
  const listener = () => {
    calls++;
  };
  it.client.on('connected', listener);
  it.client.on('connected', listener);
  it.connect();
  assert.equal(calls, 2);
  it.client.off('connected', listener);
  it.client.off('message', listener);
  it.client.close();
  it.settle();
  it.connect();
  assert.equal(calls, 2);
});

test('once CONNECT has left, the client holds no password: it is asked for anew at the next dial', () => {
  const password = ['not', 'to', 'be', 'kept'].join(' ');
  let asked = 0;
  const credentials = () => {
    asked++;
    return { clientId: 'device', userName: 'user', password };
  };
  const it = world({ identity: { credentials } });
  it.connect();
  assert.equal(it.server.current.received[0]?.cmd, 'connect');
  void it.client.publish('held/until/acknowledged', '', { qos: 1 });
  const holds = (text: string): boolean => {
    const seen = new Set<unknown>([it.client.options.adapter, it.server.current]); // Beyond them is the server.
    const below = (value: unknown): boolean => {
      if (typeof value !== 'object' || value === null) return value === text;
      if (seen.has(value)) return false;
      seen.add(value);
      return Object.values(value).some(below);
    };
    return below(it.client);
  };
  assert.equal(holds('held/until/acknowledged'), true);
  assert.equal(holds(password), false);
  assert.equal(asked, 1);
});
