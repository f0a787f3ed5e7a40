// What users of other clients suffer from, by the numbers of the survey. Those that a test elsewhere covers bear the number
// there: `[pain 5]` and so on. The table in test/conformance lists all of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, exactlyOnce, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { obligingly, politely, ScriptedServer } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

const MINUTE = 60_000;

test('[pain 2] the time-out of PINGRESP is its own, and any byte that comes counts as life', () => {
  const it = world({ keepAliveSeconds: 600, pingTimeoutMillis: 5_000 });
  it.connect();
  it.server.respond = () => {};
  const message = { cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false } as const;
  it.time.advance(596_000);
  assert.equal(it.server.current.of('pingreq').length, 1);
  it.server.current.send(message); // No PINGRESP, but it speaks.
  it.time.advance(4_500);
  assert.equal(it.disconnects.length, 0);
  it.time.advance(11_000);
  assert.equal(it.disconnects[0]?.code, 'pingresp-timeout');
});

test('[pain 5] a thousand clients that are dropped at once come back spread out', () => {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const arrivals: number[] = [];
  const accept: ScriptedServer['accept'] = (peer) => {
    arrivals.push(time.now());
    return server.accept(peer);
  };
  for (let n = 0; n < 1_000; n++) {
    const client = new Client({
      adapter: memoryAdapter({ time, accept, random }),
      endpoints: [{ host: 'server', port: 1 }],
      identity: plainIdentity({ clientId: String(n) }),
      keepAliveSeconds: 0,
      reconnect: { minMillis: 5_000 },
    });
    client.connect();
  }
  time.advance(0);
  const start = time.now();
  for (const { peer } of server.connections.slice()) peer.close();
  arrivals.length = 0;
  time.advance(MINUTE);
  assert.equal(arrivals.length, 1_000);
  const buckets = new Map<number, number>();
  for (const at of arrivals) {
    const bucket = Math.floor((at - start) / 100);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  assert.ok(Math.max(...buckets.values()) < 60, `${Math.max(...buckets.values())} in 100 ms`);
});

test('[pain 10] 100,000 messages of QoS 1: every identifier is free when it is given, none is 0', () => {
  const it = world({ maxInFlight: 50, keepAliveSeconds: 0 });
  const inUse = new Set<number>();
  let highest = 0;
  it.server.respond = (packet, connection) => {
    politely(packet, connection);
    if (packet.cmd !== 'publish') return;
    const id = packet.messageId!;
    assert.ok(id > 0 && !inUse.has(id), `identifier ${id}`);
    inUse.add(id);
    highest = Math.max(highest, id);
    if (inUse.size < 30) return;
    for (const messageId of inUse) connection.send({ cmd: 'puback', messageId });
    inUse.clear();
  };
  it.connect();
  for (let n = 0; n < 100_020; n += 30) {
    for (let k = 0; k < 30; k++) it.client.publish('t', '', { qos: 1 });
    it.settle();
  }
  assert.equal(highest, 65_535);
});

test('[pain 11] after a reconnect everything in flight is sent again at once, in order, and new messages follow', () => {
  const it = world({ delivery: exactlyOnce });
  it.connect();
  for (let n = 0; n < 10; n++) it.client.publish(String(n), '', { qos: n % 2 === 0 ? 1 : 2 });
  it.settle();
  it.server.current.peer.close();
  it.settle();
  for (let n = 10; n < 15; n++) it.client.publish(String(n), '', { qos: 1 });
  it.server.respond = (packet, connection) =>
    packet.cmd === 'connect' && connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
  it.time.advance(MINUTE);
  assert.deepEqual(
    it.server.current.of('publish').map(({ topic, dup }) => `${topic} ${dup}`),
    Array.from({ length: 15 }, (_, n) => `${n} ${n < 10}`),
  );
});

test('[pain 12] the server loses the session with messages in every state: no livelock, all come to an end', () => {
  const it = world({ delivery: exactlyOnce });
  const ends: string[] = [];
  it.connect();
  for (const qos of [1, 2, 2] as const) {
    it.client.publish(`q${qos}`, '', { qos }, (error) => ends.push(`${qos} ${error?.code ?? 'done'}`));
  }
  it.settle();
  it.server.current.send({ cmd: 'pubrec', messageId: 2 });
  it.settle();
  it.server.respond = obligingly;
  it.server.current.peer.close();
  it.time.advance(MINUTE);
  assert.deepEqual(ends.sort(), ['1 done', '2 done', '2 done']);
  assert.deepEqual(
    it.server.current.of('publish').map(({ topic, dup }) => `${topic} ${dup}`),
    ['q1 false', 'q2 false'],
  );
  assert.equal(it.client.stats().inFlight, 0);
});

test('[pain 8] [pain 13] offline, every operation still ends: when the client is closed', () => {
  const it = world();
  it.server.listening = false;
  const ends: (string | undefined)[] = [];
  it.client.publish('t', 'x', { qos: 1 }, (error) => ends.push(error?.code));
  it.client.subscribe('t', {}, (error) => ends.push(error?.code));
  it.connect();
  it.time.advance(10 * MINUTE);
  assert.deepEqual(ends, []);
  let closed = false;
  it.client.close(() => {
    closed = true;
  });
  assert.deepEqual([ends, closed], [['closed', 'closed'], true]);
});

test('[pain 7] a million messages over a flapping link stay inside the bounds', () => {
  const it = world({
    queue: { messages: 50, bytes: 5_000 },
    keepAliveSeconds: 0,
    reconnect: { minMillis: 100, maxMillis: 100 },
  });
  it.server.respond = obligingly;
  it.connect();
  let refused = 0;
  for (let n = 0; n < 100_000; n++) {
    for (let k = 0; k < 10; k++) {
      try {
        it.client.publish('t', 'payload', { qos: 1 });
      } catch {
        refused++;
      }
    }
    if (n % 100 === 0) it.server.current.peer.close();
    if (n % 10 === 0) it.time.advance(20);
    const { queued, queuedBytes, inFlight } = it.client.stats();
    assert.equal(queued <= 50 && queuedBytes <= 5_000 && inFlight <= 20, true);
    if (n % 1_000 === 0) for (const connection of it.server.connections) connection.received.length = 0;
  }
  assert.equal(refused > 0, true);
});
