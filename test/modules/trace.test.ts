// A trace from the field, played again bit for bit through the core.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactlyOnce, plainIdentity, type QoS } from '../../src/index.ts';
import { abandon, limitSending } from '../../src/protocol/set-aside.ts';
import { persistSession, type SessionStore } from '../../src/store.ts';
import { recordTrace, replayTrace } from '../../src/trace.ts';
import { obligingly } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

const PASSWORD = 'hüsh-hüsh';
const identity = plainIdentity({ clientId: 'device', userName: 'user', password: PASSWORD });
const options = { delivery: exactlyOnce, maxInFlight: 3 };

/** An eventful life: QoS 0, 1 and 2 both ways, losses, a refused subscription, late acknowledgements. */
function record(): string[] {
  const will = { topic: 'will', payload: Uint8Array.of(1), qos: 1, retain: true } as const;
  const it = world({ delivery: exactlyOnce, maxInFlight: 3, maxHeld: 1, identity, will });
  const lines: string[] = [];
  recordTrace(it.client, (line) => lines.push(line));
  it.server.respond = obligingly;
  it.client.on('message', (message) => {
    if (message.topic !== 'held') return;
    it.client.hold(message);
    it.client.alarm(() => it.client.acknowledge(message)).set(3_000);
  });
  it.client.subscribe('held', { qos: 2 });
  it.connect();
  for (let n = 0; n < 40; n++) {
    it.client.publish(`t/${n}`, `payload ${n}`, { qos: (n % 3) as QoS });
    const qos = (n % 3) as QoS;
    const topic = n % 4 === 0 ? 'held' : 'd';
    it.server.current.send({ cmd: 'publish', topic, payload: '🙂', qos, messageId: n + 1, dup: false, retain: false });
    it.time.advance(500);
    if (n % 9 === 5) it.server.current.peer.close();
    if (n % 11 === 7) it.client.unsubscribe('x');
    if (n === 30) limitSending(it.client.connection, 1);
    if (n === 31) limitSending(it.client.connection, Number.POSITIVE_INFINITY);
    it.time.advance(n % 7 === 0 ? 400_000 : 0);
  }
  it.server.current.send(Uint8Array.of(0x36, 0));
  it.time.advance(1_000);
  it.client.close();
  it.settle();
  return lines;
}

test('a recorded life replays with every action the same', () => {
  const lines = record();
  const polls = lines.filter((line) => line.includes('"poll"')).length;
  assert.ok(polls > 150, `${polls} actions`);
  assert.equal(replayTrace(lines, options), polls);
});

test('a trace that was tampered with fails at its line', () => {
  const lines = record();
  const at = lines.findIndex((line) => line.includes('"publish"'));
  const changed = lines.map((line, n) => (n === at ? line.replace('t/0', 't/1') : line));
  assert.throws(() => replayTrace(changed, options), { code: 'unexpected-packet', message: /^line \d+: / });
});

test('passwords are in no trace', () => {
  const lines = record();
  const text = lines.join('\n');
  assert.ok(text.includes('xxxxxxxxx') && text.includes('user'), 'the CONNECT is there');
  for (const secret of ['hüsh', Buffer.from(PASSWORD).toString('hex')]) assert.ok(!text.includes(secret), secret);
});

test('recording stops when it is told to', () => {
  const it = world();
  const lines: string[] = [];
  const stop = recordTrace(it.client, (line) => lines.push(line));
  it.connect();
  stop();
  const { length } = lines;
  it.client.publish('t', 'x');
  assert.equal(lines.length, length);
});

test('which operation has ended is compared, too', () => {
  const it = world();
  const lines: string[] = [];
  recordTrace(it.client, (line) => lines.push(line));
  it.connect();
  for (const topic of ['a', 'b']) it.client.publish(topic, 'x', { qos: 1 });
  it.server.current.send({ cmd: 'puback', messageId: 1 });
  it.settle();
  const other = lines.map((line) => line.replace('40020001', '40020002'));
  assert.notDeepEqual(other, lines);
  assert.equal(replayTrace(lines) > 0, true);
  assert.throws(() => replayTrace(other), { message: /settled was recorded, settled came/ });
});

test('a life that began with a session from a store replays, too', () => {
  const records = new Map<string, Uint8Array>();
  const store: SessionStore = {
    put: (key, record) => void records.set(key, record.slice()),
    remove: (key) => void records.delete(key),
    each: (visit) => records.forEach((record, key) => void visit(key, record)),
  };
  const lines: string[] = [];
  for (const isSecond of [false, true]) {
    const it = world(options);
    assert.equal(persistSession(it.client, store), isSecond ? 2 : 0);
    if (isSecond) {
      recordTrace(it.client, (line) => lines.push(line));
      abandon(it.client.connection, it.client.connection.deliveries[0]!.message, 0);
    }
    it.server.respond = (packet, connection) => {
      if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: isSecond });
      else if (isSecond) obligingly(packet, connection);
    };
    it.connect();
    if (!isSecond) for (const qos of [1, 2] as const) it.client.publish('before', 'x', { qos });
    it.server.current.send({
      cmd: 'publish',
      topic: 't',
      payload: 'x',
      qos: 2,
      messageId: 9,
      dup: isSecond,
      retain: false,
    });
    it.settle();
    it.client.publish('after', 'x', { qos: isSecond ? 1 : 0 });
    it.settle();
  }
  assert.equal(replayTrace(lines, options), lines.filter((line) => line.includes('"poll"')).length);
});
