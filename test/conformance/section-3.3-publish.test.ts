// PUBLISH (3.3), both ways: flags, topic, what is answered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unhex } from '../framing/bytes.ts';
import { obligingly } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';
import { assertRefused, connected, ends, faultOf, HOUR, online, publish, receive, reconnect, sent } from './support.ts';

test('[MQTT-3.3.1-1] a PUBLISH has DUP at every sending but the first', () => {
  const it = online();
  for (const qos of [1, 2] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  assert.deepEqual(sent(it), ['publish 1', 'publish 2']);
  for (let n = 0; n < 3; n++) {
    reconnect(it, true);
    assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2 dup']);
  }
});

test('[MQTT-3.3.1-1] a PUBLISH that found no room in the transport before the loss is sent again with DUP', () => {
  const it = online();
  it.server.current.peer.allow(2);
  it.client.publish('t', 'cut', { qos: 1 });
  it.client.publish('t', 'waiting', { qos: 1 });
  it.settle();
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2']);
});

test('[MQTT-3.3.1-2] a PUBLISH of QoS 0 never has DUP', () => {
  const it = online();
  it.server.current.peer.allow(0);
  for (let n = 0; n < 3; n++) it.client.publish('t', 'x');
  reconnect(it, true);
  it.client.publish('t', 'x');
  it.settle();
  assert.ok(it.server.connections.every((connection) => connection.of('publish').every(({ dup }) => !dup)));
  assert.ok(it.server.current.of('publish').length > 0);
});

test('[MQTT-3.3.1-2] a received PUBLISH of QoS 0 with DUP closes the connection', () => {
  for (const first of ['38', '39']) assertRefused(`${first}03000161`, 'malformed-packet MQTT-3.3.1-2');
});

test('[MQTT-3.3.1-3] a received message that is published again goes out without DUP', () => {
  const it = connected();
  it.feed('3a05000174000a');
  const [received] = it.messages;
  assert.equal(received?.dup, true);
  assert.deepEqual(it.publish(received), ['32050001740001']);
});

test('[MQTT-3.3.1-4] QoS 3 is refused before anything is sent, and closes the connection on receipt', () => {
  const it = online();
  assert.equal(
    faultOf(() => it.client.publish('t', 'x', { qos: 3 as 2 })),
    'bad-packet MQTT-3.3.1-4',
  );
  it.settle();
  assert.deepEqual(sent(it), []);
  for (const first of ['36', '37', '3e', '3f']) assertRefused(first, 'malformed-packet MQTT-3.3.1-4');
});

test('[MQTT-3.3.1-5] RETAIN is passed through, and a retained message of no bytes is really empty', () => {
  const it = connected();
  assert.deepEqual(it.publish({ qos: 0, retain: true }), ['3103000174', 'settled']);
  assert.deepEqual(it.publish({ qos: 1, retain: true, payload: unhex('78') }), ['3306000174000178']);
});

test('[MQTT-3.3.1-8] a message that the server had retained says so', () => {
  const it = online();
  receive(it, publish({ retain: true, qos: 1, messageId: 1 }));
  assert.deepEqual(
    it.messages.map(({ retain }) => retain),
    [true],
  );
});

test('[MQTT-3.3.1-9] a message that comes as it is published is not taken for a retained one', () => {
  const it = online();
  receive(it, publish());
  assert.deepEqual(
    it.messages.map(({ retain }) => retain),
    [false],
  );
});

test('[MQTT-3.3.2-1] the topic name is the first field, both ways', () => {
  const it = connected();
  assert.deepEqual(it.publish({ topic: 'a/ü', payload: unhex('ff') }), ['32090004612fc3bc0001ff']);
  assert.deepEqual(it.feed('32090004612fc3bc0001ff'), ['message a/ü']);
  assert.deepEqual([...it.messages[0]!.payload], [0xff]);
});

test('[MQTT-3.3.2-1] a topic that does not fit into its packet closes the connection', () => {
  for (const digits of ['3004000361 62', '3004ffff6162', '32050003616263', '320500026162 01']) {
    assertRefused(digits.replace(' ', ''), 'malformed-packet 3.3.2');
  }
});

test('[MQTT-3.3.2-2] a topic with a wildcard is refused before anything is sent, and closes the connection on receipt', () => {
  const { client } = world();
  for (const topic of ['#', '+', 'a/+', 'a/#', 'a+b', 'a#']) {
    assert.equal(
      faultOf(() => client.publish(topic, 'x')),
      'bad-topic MQTT-3.3.2-2',
    );
  }
  for (const topic of ['0001 23', '0001 2b', '0003 612f2b', '0003 612362']) {
    const field = topic.replace(' ', '');
    assertRefused(`300${field.length / 2}${field}`, 'malformed-packet MQTT-3.3.2-2');
  }
});

test('[MQTT-3.3.2-3] a message whose topic matches no subscription is delivered like any other', () => {
  const it = online({}, obligingly);
  it.client.subscribe('a', { qos: 1 });
  receive(it, publish({ topic: 'rewritten/b', qos: 1, messageId: 1 }));
  assert.equal(it.messages[0]?.topic, 'rewritten/b');
  assert.deepEqual(sent(it), ['subscribe 1', 'puback 1']);
});

test('[MQTT-3.3.4-1] QoS 0 is not answered, QoS 1 with PUBACK, QoS 2 with PUBREC', () => {
  const it = online();
  receive(it, publish({ messageId: 1 }));
  assert.deepEqual(sent(it), []);
  receive(it, publish({ qos: 1, messageId: 2 }));
  assert.deepEqual(sent(it), ['puback 2']);
  receive(it, publish({ qos: 2, messageId: 3 }));
  assert.deepEqual(sent(it), ['puback 2', 'pubrec 3']);
  assert.equal(it.messages.length, 3);
});

test('[MQTT-3.3.5-1] each copy that overlapping subscriptions bring is delivered and answered', () => {
  const it = online();
  receive(it, publish({ qos: 1, messageId: 1 }), publish({ qos: 2, messageId: 2 }), publish());
  assert.equal(it.messages.length, 3);
  assert.deepEqual(sent(it), ['puback 1', 'pubrec 2']);
});

test('[MQTT-3.3.5-2] a message that gets the connection closed whenever it is sent does not make a storm', () => {
  const it = online({}, (packet, connection) => {
    if (packet.cmd === 'publish') connection.peer.close();
    else obligingly(packet, connection);
  });
  it.client.publish('forbidden', 'x', { qos: 1 });
  it.time.advance(HOUR);
  assert.ok(ends(it).length < 80, `${ends(it).length} connections in an hour`);
});
