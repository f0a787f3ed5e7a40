// What simulated runs have found, each as a test of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, type Packet } from 'mqtt-packet';
import { mqttError } from '../../src/error.ts';
import { exactlyOnce } from '../../src/index.ts';
import { obligingly, type ServerConnection } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

/** As obligingly, with a session that was kept. */
function resuming(packet: Packet, connection: ServerConnection): void {
  if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
  else obligingly(packet, connection);
}

for (const end of ['abort', 'close'] as const) {
  test(`a client on which ${end}() is called as an unsubscription ends on connecting can connect again`, () => {
    const it = world();
    it.server.respond = obligingly;
    it.client.subscribe('a');
    it.client.unsubscribe('b', () => it.client[end]());
    it.connect();
    assert.equal(it.client.stats().state, 'idle');
    assert.equal(it.time.pending(), 0);
    it.connect();
    assert.equal(it.client.stats().state, 'connected');
  });

  test(`after ${end}() is called as an unsubscription ends on connecting, connected does not follow disconnected`, () => {
    const it = world();
    const events: string[] = [];
    it.server.respond = obligingly;
    it.client.on('connected', () => events.push('connected'));
    it.client.on('disconnected', () => events.push('disconnected'));
    it.client.unsubscribe('b', () => it.client[end]());
    it.connect();
    assert.equal(events.at(-1), 'disconnected');
  });
}

test('[MQTT-4.3.3-2] a client whose app holds more than maxHeld QoS 2 messages of a lost connection connects again', () => {
  const it = world({ delivery: exactlyOnce, maxHeld: 1, keepAliveSeconds: 10, reconnect: { minMillis: 100 } });
  it.server.respond = obligingly;
  it.client.on('message', (message) => it.client.hold(message));
  it.connect();
  const fields = { cmd: 'publish', topic: 'a', payload: 'x', qos: 2, dup: false, retain: false } as const;
  it.server.current.send(Buffer.concat([1, 2].map((messageId) => generate({ ...fields, messageId }))));
  it.settle();
  it.server.respond = resuming;
  it.server.current.peer.close(mqttError('tcp', 'cut'));
  it.time.advance(300_000);
  assert.equal(it.server.connections.length, 2);
  assert.equal(it.client.stats().state, 'connected');
});

test('[MQTT-3.2.2-3] a subscription is not forgotten where abort() is called as a lost session settles a message', () => {
  const it = world({ delivery: exactlyOnce });
  it.client.subscribe('a');
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'pubrel')
      connection.peer.close(); // The client has PUBREC, and gets no PUBCOMP.
    else obligingly(packet, connection);
  };
  it.client.publish('b', 'x', { qos: 2 }, () => it.client.abort());
  it.connect();
  it.time.advance(200_000);
  assert.equal(it.client.stats().state, 'idle');
  it.server.respond = resuming;
  it.connect();
  assert.equal(it.server.current.of('subscribe').length, 1);
});

for (const end of ['abort', 'close'] as const) {
  test(`${end}() comes to an end where every publish that fails is tried again at once`, () => {
    const it = world();
    let tried = 0;
    const publish = () => {
      if (++tried > 50) throw new Error('tried again and again');
      it.client.publish('a', 'x', {}, publish);
    };
    publish();
    it.client.connect();
    it.client[end]();
    assert.equal(tried, 2);
  });
}

test('a QoS 0 message that was only partly written when the connection was lost ends with an error', () => {
  const it = world();
  const ends: (string | undefined)[] = [];
  it.connect();
  it.server.current.peer.allow(3);
  it.client.publish('a', 'a payload that does not fit', {}, (error) => ends.push(error?.code));
  it.server.current.peer.close(mqttError('tcp', 'cut'));
  it.client.abort();
  it.settle();
  assert.deepEqual(ends, ['closed']);
});

test('abort() in a listener for the state dialing leaves no connection behind', () => {
  const it = world();
  it.server.respond = obligingly;
  it.client.on('state', (state) => state === 'dialing' && it.client.abort());
  it.connect();
  assert.equal(it.client.stats().state, 'idle');
  assert.equal(it.server.connections.filter(({ closed }) => !closed).length, 0);
});

test('[MQTT-3.1.2-23] a connection on which CONNACK is awaited is not silent for longer than the keep-alive', () => {
  const it = world({ keepAliveSeconds: 4, connectTimeoutMillis: 30_000 });
  it.server.respond = () => {};
  it.connect();
  it.time.advance(4_000);
  const [first] = it.server.connections;
  assert.ok(first?.closed || first?.of('pingreq').length);
});

test('disconnected from a connection follows connected, also where an unsubscription ends on connecting and aborts', () => {
  const it = world();
  const events: string[] = [];
  it.server.respond = obligingly;
  it.client.on('connected', () => events.push('connected'));
  it.client.on('disconnected', ({ wasConnected }) => events.push(`disconnected ${wasConnected}`));
  it.client.unsubscribe('b', () => it.client.abort());
  it.connect();
  assert.ok(['connected,disconnected true', 'disconnected false'].includes(events.join()), events.join());
});
