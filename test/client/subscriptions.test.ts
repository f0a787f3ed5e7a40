// Subscriptions as desired state: asked for again only when the session is gone, in batches, with an answer for each filter.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import type { MqttError } from '../../src/index.ts';
import { obligingly, type ServerConnection } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const MINUTE = 60_000;

/** Accepts CONNECT with or without the session, and everything else as asked. */
const accepting = (sessionPresent: boolean) => (packet: Packet, connection: ServerConnection) => {
  if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent });
  else obligingly(packet, connection);
};

const asked = (it: World) =>
  it.server.current
    .of('subscribe')
    .map(({ subscriptions }) => subscriptions.map(({ topic, qos }) => `${topic} ${qos}`));

function reconnect(it: World, sessionPresent: boolean): void {
  it.server.respond = accepting(sessionPresent);
  it.server.current.peer.close();
  it.time.advance(MINUTE);
}

test('[pain 21] filters travel together, at most maxFiltersPerSubscribe in a packet', () => {
  const it = world({ maxFiltersPerSubscribe: 3 });
  it.server.respond = obligingly;
  for (let n = 0; n < 7; n++) it.client.subscribe(`f/${n}`, { qos: (n % 2) as 0 | 1 });
  it.connect();
  assert.deepEqual(asked(it), [['f/0 0', 'f/1 1', 'f/2 0'], ['f/3 1', 'f/4 0', 'f/5 1'], ['f/6 0']]);
});

test('[pain 20] with its session present nothing is asked for again; without it, everything', () => {
  const it = world();
  it.server.respond = accepting(false);
  it.client.subscribe('a', { qos: 1 });
  it.client.subscribe('b');
  it.connect();
  reconnect(it, true);
  assert.deepEqual(asked(it), []);
  reconnect(it, false);
  assert.deepEqual(asked(it), [['a 1', 'b 0']]);
});

test('[pain 20] what was asked for and not answered before the loss is asked for again, session or not', () => {
  const it = world();
  it.connect();
  it.client.subscribe('lost');
  it.settle();
  reconnect(it, true);
  assert.deepEqual(asked(it), [['lost 0']]);
});

test('[MQTT-3.9.3-1] each filter gets its own answer: granted, lowered, refused', () => {
  const it = world();
  const ends: string[] = [];
  it.server.respond = (packet, connection) => {
    if (packet.cmd !== 'subscribe') return accepting(false)(packet, connection);
    connection.send({ cmd: 'suback', messageId: packet.messageId!, granted: [1, 0, 128] });
  };
  for (const filter of ['a', 'b', 'c']) {
    it.client.subscribe(filter, { qos: 1 }, (error, granted) => ends.push(`${filter} ${error?.code ?? granted}`));
  }
  it.connect();
  assert.deepEqual(ends, ['a 1', 'b 0', 'c subscription-refused']);
  reconnect(it, false);
  assert.deepEqual(asked(it), [['a 1', 'b 1']]);
});

test('a refusal that nobody waits for is a warning', () => {
  const it = world();
  it.server.respond = (packet, connection) => {
    if (packet.cmd !== 'subscribe') return accepting(false)(packet, connection);
    connection.send({ cmd: 'suback', messageId: packet.messageId!, granted: [128] });
  };
  it.client.subscribe('theirs');
  it.connect();
  assert.deepEqual(
    it.warnings.map(({ code, message }) => `${code}: ${message}`),
    ['subscription-refused: the server refused theirs'],
  );
});

test('[MQTT-3.8.4-3] the same filter again replaces the wish before: its caller is told, the new QoS is asked for', () => {
  const it = world();
  const ends: string[] = [];
  const end = (name: string) => (error?: MqttError, granted?: number) => ends.push(`${name} ${error?.code ?? granted}`);
  it.server.respond = obligingly;
  it.client.subscribe('a', { qos: 0 }, end('first'));
  it.client.subscribe('a', { qos: 1 }, end('second'));
  it.connect();
  assert.deepEqual(ends, ['first closed', 'second 1']);
  assert.deepEqual(asked(it), [['a 1']]);
});

test('[MQTT-3.10.4-1] filters are compared character by character: A, a and a/ are three', () => {
  const it = world();
  it.server.respond = obligingly;
  for (const filter of ['A', 'a', 'a/']) it.client.subscribe(filter);
  it.client.unsubscribe('a');
  it.connect();
  assert.deepEqual(asked(it).flat().sort(), ['A 0', 'a/ 0']);
});

test('unsubscribe() while offline is carried out where the session is kept, and done at once where it is gone', () => {
  for (const sessionPresent of [true, false]) {
    const it = world();
    it.server.respond = obligingly;
    it.client.subscribe('a');
    it.connect();
    it.server.listening = false;
    it.server.current.peer.close();
    it.settle();
    let done = 0;
    it.client.unsubscribe('a', () => done++);
    it.server.listening = true;
    it.server.respond = accepting(sessionPresent);
    it.time.advance(MINUTE);
    assert.equal(done, 1);
    assert.equal(it.server.current.of('unsubscribe').length, sessionPresent ? 1 : 0);
    assert.deepEqual(asked(it), []);
  }
});

test('a SUBACK that comes after the filter was given up changes nothing', () => {
  const it = world();
  it.connect();
  it.client.subscribe('a');
  it.settle();
  it.client.unsubscribe('a');
  it.server.current.send({ cmd: 'suback', messageId: 1, granted: [0] });
  it.settle();
  reconnect(it, false);
  assert.deepEqual(asked(it), []);
});
