// Messages that get the connection closed each time they are sent, and connections that close for other reasons.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MqttError } from '../../src/index.ts';
import { quarantine } from '../../src/quarantine.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const HOUR = 3_600_000;

interface Watched extends World {
  readonly ends: string[];
  readonly setAside: string[];
  put(name: string): void;
}

function watched(): Watched {
  const it = world();
  const ends: string[] = [];
  const setAside: string[] = [];
  quarantine(it.client, { setAside: ({ topic }) => setAside.push(topic) });
  const put = (name: string) =>
    void it.client.publish(name, name, { qos: 1 }, (error?: MqttError) =>
      ends.push(`${name} ${error?.code ?? 'done'}`),
    );
  return { ...it, ends, setAside, put };
}

test('a message that gets the connection closed every time is set aside, the others arrive in order', () => {
  const it = watched();
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'publish' && packet.topic === 'poison') connection.peer.close();
    else obligingly(packet, connection);
  };
  it.connect();
  for (const name of ['a', 'poison', 'b', 'c']) it.put(name);
  it.time.advance(HOUR);
  assert.deepEqual(it.setAside, ['poison']);
  assert.deepEqual(it.ends, ['a done', 'poison set-aside', 'b done', 'c done']);
  assert.equal(it.client.stats().state, 'connected');
});

test('[fault] a takeover does not condemn the message that happens to be first', () => {
  const it = watched();
  it.server.respond = (packet, connection) => {
    politely(packet, connection);
    if (packet.cmd === 'connect') connection.peer.close();
  };
  it.put('innocent');
  it.connect();
  it.time.advance(HOUR);
  assert.deepEqual(it.setAside, []);
  it.server.respond = obligingly;
  it.time.advance(HOUR);
  assert.deepEqual(it.ends, ['innocent done']);
});

test('a message is acquitted where the trial connection holds, and everything goes on', () => {
  const it = watched();
  let closings = 0;
  it.server.respond = (packet, connection) => {
    const closes = packet.cmd === 'publish' && packet.topic === 'suspect' && closings++ < 3;
    if (closes) connection.peer.close();
    else obligingly(packet, connection);
  };
  it.connect();
  it.put('suspect');
  it.put('next');
  it.time.advance(HOUR);
  assert.deepEqual(it.setAside, []);
  assert.deepEqual(it.ends, ['suspect done', 'next done']);
});

test('a connection that lasted does not count against what was in flight when it closed', () => {
  const it = watched();
  it.connect();
  it.put('slow');
  for (let n = 0; n < 6; n++) {
    it.time.advance(120_000);
    it.server.current.peer.close();
    it.time.advance(120_000);
  }
  assert.deepEqual(it.setAside, []);
});

test('close() and connect() of the app count for nothing', () => {
  const it = watched();
  it.put('patient');
  for (let n = 0; n < 6; n++) {
    it.connect();
    it.client.close();
    it.settle();
  }
  assert.deepEqual(it.setAside, []);
  assert.equal(it.time.pending(), 0);
});

for (const options of [{ strikes: 0 }, { probationMillis: 0 }, { verdictMillis: -1 }]) {
  test(`an option out of range is refused: ${JSON.stringify(options)}`, () => {
    assert.throws(() => quarantine(world().client, options), { code: 'bad-option' });
  });
}
