// SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK (3.8 to 3.11).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttPacketFraming } from '../../src/index.ts';
import { obligingly } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';
import { connected, ends, faultOf, online, publish, receive, reconnect, sent } from './support.ts';

/** A machine that has asked for the filters a and b. */
function asking() {
  const it = connected();
  it.connection.request(
    {
      filters: [
        { filter: 'a', qos: 1 },
        { filter: 'b', qos: 2 },
      ],
    },
    0,
  );
  return { ...it, request: it.drain() };
}

test('[MQTT-3.8.1-1] SUBSCRIBE has the flags 0010', () => {
  assert.deepEqual(asking().request, ['820a00010001610100016202']);
});

test('[MQTT-3.8.3-1] filters are UTF-8', () => {
  const it = connected();
  assert.deepEqual(it.subscribe('ü/+'), ['820900010004c3bc2f2b00']);
  assert.equal(
    faultOf(() => it.subscribe('\ud800/+')),
    'bad-filter MQTT-1.5.3-1',
  );
  assert.deepEqual(it.drain(), []);
});

test('[MQTT-3.8.3-3] SUBSCRIBE has at least one filter', () => {
  const it = connected();
  const fault = faultOf(() => it.connection.request({ filters: [] }, 0));
  assert.match(fault, /^bad-filter MQTT-3\.(8\.3-3|10\.3-2)$/);
  assert.deepEqual(it.drain(), []);
});

test('[MQTT-3.8.3-3] filters that do not fit into one packet together travel in several', () => {
  const it = world({ framing: mqttPacketFraming(128) });
  it.server.respond = obligingly;
  const granted: string[] = [];
  for (const name of ['a', 'b', 'c', 'd']) it.client.subscribe(name.repeat(60), {}, () => granted.push(name));
  it.connect();
  assert.deepEqual(granted.sort(), ['a', 'b', 'c', 'd']);
  assert.equal(it.server.current.of('subscribe').length, 4);
});

test('[MQTT-3.8.3-4] the QoS asked for is 0, 1 or 2, alone in its byte', () => {
  for (const qos of [0, 1, 2] as const) {
    const it = connected();
    it.connection.request({ filters: [{ filter: 'a', qos }] }, 0);
    assert.deepEqual(it.drain(), [`82060001000161 0${qos}`.replace(' ', '')]);
  }
  for (const qos of [3, -1, 0.5, Number.NaN]) {
    assert.equal(
      faultOf(() => world().client.subscribe('a', { qos: qos as 2 })),
      'bad-packet MQTT-3.8.3-4',
    );
  }
});

test('[MQTT-3.8.4-1] a message that a new subscription brings is taken before SUBACK has come', () => {
  const it = online();
  it.client.subscribe('t', { qos: 1 });
  receive(it, publish({ qos: 1, messageId: 1, retain: true }));
  assert.equal(it.messages.length, 1);
  assert.deepEqual(sent(it), ['subscribe 1', 'puback 1']);
});

test('[MQTT-3.8.4-2] SUBACK settles the subscription with its identifier', () => {
  assert.deepEqual(asking().feed('900400010102'), ['settled 1,2']);
});

test('[MQTT-3.8.4-3] a filter that is asked for again is sent again and replaces the earlier wish', () => {
  const it = online({}, obligingly);
  const told: string[] = [];
  it.client.subscribe('t', { qos: 0 }, (error, granted) => told.push(`first ${error?.code} ${granted}`));
  it.settle();
  it.client.subscribe('t', { qos: 1 }, (error, granted) => told.push(`second ${error?.code} ${granted}`));
  it.settle();
  assert.deepEqual(told, ['first undefined 0', 'second undefined 1']);
  reconnect(it, false, obligingly);
  assert.deepEqual(
    it.server.current.of('subscribe').map(({ subscriptions }) => subscriptions.map(({ topic, qos }) => [topic, qos])),
    [[['t', 1]]],
  );
});

test('[MQTT-3.8.4-3] a session that the server has kept is not subscribed again, so nothing retained comes twice', () => {
  const it = online({}, obligingly);
  it.client.subscribe('t');
  it.settle();
  reconnect(it, true, obligingly);
  assert.deepEqual(sent(it), []);
});

test('[MQTT-3.8.4-5] a SUBACK with more or fewer return codes than filters closes the connection', () => {
  for (const digits of ['9003000101', '90050001010200']) {
    assert.deepEqual(asking().feed(digits), ['close unexpected-packet MQTT-3.8.4-5']);
  }
});

test('[MQTT-3.9.3-1] return codes are told filter by filter, in the order of SUBSCRIBE', () => {
  const it = online();
  const told: string[] = [];
  it.server.respond = () => {};
  for (const filter of ['a', 'b', 'c']) {
    it.client.subscribe(filter, { qos: 2 }, (error, granted) => told.push(`${filter} ${error?.code} ${granted}`));
  }
  it.settle();
  reconnect(it, false);
  const [request] = it.server.current.of('subscribe');
  receive(it, { cmd: 'suback', messageId: request?.messageId ?? 0, granted: [2, 128, 0] });
  assert.deepEqual(told, ['a undefined 2', 'b subscription-refused undefined', 'c undefined 0']);
});

test('[MQTT-3.8.4-6] a QoS that the server has lowered is told', () => {
  const it = online();
  const granted: unknown[] = [];
  it.client.subscribe('t', { qos: 2 }, (error, qos) => granted.push(error, qos));
  it.settle();
  receive(it, { cmd: 'suback', messageId: 1, granted: [1] });
  assert.deepEqual(granted, [undefined, 1]);
});

test('[MQTT-3.9.3-2] return codes other than 0, 1, 2 and 0x80 close the connection', () => {
  for (let code = 0; code < 256; code++) {
    const [word] = asking().feed(`9004000100${code.toString(16).padStart(2, '0')}`);
    const legal = code < 3 || code === 0x80;
    assert.equal(word, legal ? `settled 0,${code}` : 'close malformed-packet MQTT-3.9.3-2');
  }
});

test('[MQTT-3.10.1-1] UNSUBSCRIBE has the flags 0010', () => {
  assert.deepEqual(connected().unsubscribe('a'), ['a2050001000161']);
});

test('[MQTT-3.10.3-1] filters of UNSUBSCRIBE are UTF-8', () => {
  const it = connected();
  assert.deepEqual(it.unsubscribe('ü'), ['a20600010002c3bc']);
  assert.equal(
    faultOf(() => it.unsubscribe('\udfff')),
    'bad-filter MQTT-1.5.3-1',
  );
});

test('[MQTT-3.10.3-2] UNSUBSCRIBE of no filter or of an illegal one is refused', () => {
  const { client } = world();
  for (const filter of ['', 'a#', 'a/#/b', '+a']) {
    assert.equal(faultOf(() => client.unsubscribe(filter)).slice(0, 10), 'bad-filter');
  }
});

test('[MQTT-3.10.4-1] filters are told apart character by character', () => {
  const it = online({}, obligingly);
  for (const filter of ['a/b', 'A/b', 'a/b/', 'a/+', 'u\u0308', 'ü']) it.client.subscribe(filter);
  it.settle();
  it.client.unsubscribe('a/b');
  it.client.unsubscribe('ü');
  it.settle();
  reconnect(it, false);
  const wanted = it.server.current
    .of('subscribe')
    .flatMap(({ subscriptions }) => subscriptions.map(({ topic }) => topic));
  assert.deepEqual(wanted, ['A/b', 'a/b/', 'a/+', 'u\u0308']);
});

test('[MQTT-3.10.4-2] messages that are still delivered after UNSUBSCRIBE are taken and answered', () => {
  const it = online();
  it.client.subscribe('t', { qos: 1 });
  it.settle();
  receive(it, { cmd: 'suback', messageId: 1, granted: [1] });
  it.client.unsubscribe('t');
  receive(it, publish({ qos: 1, messageId: 1 }), { cmd: 'unsuback', messageId: 2, granted: [] });
  receive(it, publish({ qos: 1, messageId: 2 }));
  assert.equal(it.messages.length, 2);
  assert.deepEqual(sent(it), ['subscribe 1', 'unsubscribe 2', 'puback 1', 'puback 2']);
});

test('[MQTT-3.10.4-3] a QoS 2 delivery under way at UNSUBACK is finished', () => {
  const it = online();
  receive(it, publish({ qos: 2, messageId: 7 }));
  it.client.unsubscribe('t');
  it.settle();
  receive(it, { cmd: 'unsuback', messageId: 1, granted: [] }, { cmd: 'pubrel', messageId: 7 });
  assert.deepEqual(sent(it), ['pubrec 7', 'unsubscribe 1', 'pubcomp 7']);
});

test('[MQTT-3.10.4-4] UNSUBACK settles the UNSUBSCRIBE with its identifier', () => {
  const it = connected();
  it.unsubscribe('a');
  assert.deepEqual(it.feed('b0020002'), []);
  assert.deepEqual(it.feed('b0020001'), ['settled']);
});

test('[MQTT-3.10.4-5] a filter that was never subscribed is unsubscribed all the same, and settles', () => {
  const it = online({}, obligingly);
  const done: unknown[] = [];
  it.client.unsubscribe('never', (error) => done.push(error));
  it.settle();
  assert.deepEqual(sent(it), ['unsubscribe 1']);
  assert.deepEqual(done, [undefined]);
});

test('[MQTT-3.10.4-6] several filters in one UNSUBSCRIBE are answered by one UNSUBACK', () => {
  const it = world();
  const done: string[] = [];
  it.server.respond = obligingly;
  it.connect();
  it.server.current.peer.allow(0);
  it.client.publish('t', 'stall');
  for (const filter of ['a', 'b', 'c']) it.client.unsubscribe(filter, () => done.push(filter));
  it.server.current.peer.allow(1_000);
  it.settle();
  assert.deepEqual(
    it.server.current.of('unsubscribe').map(({ unsubscriptions }) => unsubscriptions),
    [['a', 'b', 'c']],
  );
  assert.deepEqual(done, ['a', 'b', 'c']);
  assert.deepEqual(ends(it), []);
});
