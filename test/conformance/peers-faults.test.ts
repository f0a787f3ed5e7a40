// Faults that were read in other clients: each is a test here, named after where it was found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceSecret, type Identity } from '../../src/index.ts';
import { unhex } from '../framing/bytes.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';
import {
  accepting,
  connected,
  ends,
  faultOf,
  HOUR,
  MINUTE,
  online,
  publish,
  receive,
  reconnect,
  refusing,
  sent,
} from './support.ts';

test('[fault] identifier 0 after the wrap (Moddable, u8-mqtt): 1 follows 65535', () => {
  const it = online({}, obligingly);
  it.client.connection.lastPacketId = 65_534;
  for (let n = 0; n < 3; n++) it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  assert.deepEqual(sent(it), ['publish 65535', 'publish 1', 'publish 2']);
});

test('[fault] a repeated QoS 2 PUBLISH delivered twice (rumqttc, Moddable, Espruino): delivered once', () => {
  const it = online();
  receive(it, publish({ qos: 2, messageId: 3 }), publish({ qos: 2, messageId: 3, dup: true }));
  reconnect(it, true);
  receive(it, publish({ qos: 2, messageId: 3, dup: true }));
  assert.equal(it.messages.length, 1);
});

test('[fault] inbound QoS 2 identifiers forgotten over a reconnect, a repeated PUBREL an error (rumqttc)', () => {
  const it = online();
  receive(it, publish({ qos: 2, messageId: 3 }));
  for (let n = 0; n < 2; n++) {
    reconnect(it, true);
    receive(it, publish({ qos: 2, messageId: 3, dup: true }));
  }
  receive(it, { cmd: 'pubrel', messageId: 3 }, { cmd: 'pubrel', messageId: 3 });
  assert.equal(it.messages.length, 1);
  assert.deepEqual(sent(it), ['pubrec 3', 'pubcomp 3', 'pubcomp 3']);
  assert.equal(it.client.stats().state, 'connected');
});

test('[fault] Session Present thrown away (Moddable, Espruino, opifex): told, and acted upon', () => {
  for (const sessionPresent of [true, false]) {
    const it = online({}, obligingly);
    const told: boolean[] = [];
    it.client.on('connected', (event) => told.push(event.sessionPresent));
    it.client.subscribe('a');
    it.settle();
    reconnect(it, sessionPresent, obligingly);
    assert.deepEqual(told, [sessionPresent]);
    assert.equal(it.server.current.of('subscribe').length, sessionPresent ? 0 : 1);
  }
});

test('[fault] re-delivery without DUP (MQTT.js 5.16, rumqttc, opifex): DUP is set', () => {
  const it = online();
  it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup']);
});

test('[fault] re-delivery of one per round trip, connect reported only after the last (MQTT.js): at once, and before', () => {
  const it = online();
  for (let n = 0; n < 10; n++) it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  const order: string[] = [];
  it.client.on('connected', () => order.push('connected'));
  reconnect(it, true, ({ cmd }) => order.push(cmd)); // No PUBACK comes.
  assert.deepEqual(order, ['connected', ...Array(10).fill('publish')]);
});

test('[fault] 65,600 unacknowledged publishes reuse 65 identifiers (MQTT.js): no identifier is used twice', () => {
  const it = connected({ maxInFlight: 65_535 });
  const { connection } = it;
  const used = new Set<number>();
  let refused = 0;
  for (let n = 0; n < 65_600; n++) {
    if (connection.canPublish(1)) {
      used.add(connection.publish({ topic: 't', payload: unhex(''), qos: 1, retain: false }, 0));
      it.drain();
    } else refused++;
  }
  assert.equal(used.size, 65_535);
  assert.equal(refused, 65);
  assert.ok(!used.has(0));
});

test('[fault] no PINGRESP check (u8-mqtt, opifex, Espruino): a silent server is given up', () => {
  const it = online({ keepAliveSeconds: 30 }, accepting(false));
  it.time.advance(MINUTE);
  assert.equal(ends(it)[0], 'pingresp-timeout 3.1.2.10');
});

test('[fault] keep-alive driven by received packets (MQTT.js): only what is sent counts', () => {
  const it = online({ keepAliveSeconds: 10 });
  for (let n = 0; n < 40; n++) {
    receive(it, publish());
    it.time.advance(500);
  }
  assert.equal(it.server.current.of('pingreq').length, 2);
});

test('[fault] a PINGRESP time-out tied to half the keep-alive (MQTT.js): it is what the app says', () => {
  const it = online({ keepAliveSeconds: 20, pingTimeoutMillis: 15_000 }, politely, { latency: () => 7_000 });
  it.time.advance(HOUR);
  assert.equal(it.connects, 1);
  assert.deepEqual(ends(it), []);
  const slower = online({ keepAliveSeconds: 20, pingTimeoutMillis: 3_000 }, politely);
  slower.server.respond = () => {};
  slower.time.advance(18_000 + 3_000);
  assert.equal(ends(slower).length, 1);
});

test('[fault] an empty payload wedges the parser (Moddable): the next packet is read', () => {
  const it = online();
  for (const qos of [0, 1, 2] as const) receive(it, publish({ qos, messageId: 1 + qos, payload: '' }));
  receive(it, publish({ topic: 'next' }));
  assert.deepEqual(
    it.messages.map(({ topic, payload }) => `${topic} ${payload.length}`),
    ['t 0', 't 0', 't 0', 'next 1'],
  );
});

test('[fault] a refused CONNACK reported as connected (Espruino): reported as refused', () => {
  const it = online({}, refusing(5));
  assert.equal(it.connects, 0);
  assert.equal(it.disconnects[0]?.code, 'refused');
  assert.equal(it.disconnects[0]?.wasConnected, false);
});

test('[fault] a keep-alive of 4 s gives a negative interval (Espruino): it pings in time, and so does one of 1 s', () => {
  for (const keepAliveSeconds of [1, 2, 3, 4, 5]) {
    const it = online({ keepAliveSeconds });
    it.time.advance(MINUTE);
    const pings = it.server.current.of('pingreq').length;
    const least = MINUTE / 1_000 / keepAliveSeconds;
    assert.ok(pings >= least && pings <= 2 * least, `${pings} pings at ${keepAliveSeconds} s`);
    assert.equal(it.connects, 1);
  }
});

test('[fault] a QoS 3 PUBLISH leaves the link open (MQTT.js): it is closed', () => {
  const it = online();
  receive(it, unhex('3605000174 0001'.replace(' ', '')));
  assert.deepEqual(ends(it), ['malformed-packet MQTT-3.3.1-4']);
  assert.ok(it.server.connections[0]?.closed);
});

test('[fault] end() never calls back (MQTT.js): close() does, whatever the client is about', () => {
  const states = {
    idle: () => world(),
    connected: () => online(),
    refused: () => online({}, refusing(2)),
    stalled: () => {
      const it = online({ closeTimeoutMillis: 1_000 });
      it.server.current.peer.allow(0);
      it.client.publish('t', 'x');
      return it;
    },
    waiting: () => {
      const it = online();
      it.server.listening = false;
      it.server.current.peer.close();
      it.settle();
      return it;
    },
    dialling: () => online({}, () => {}),
  };
  for (const [state, make] of Object.entries(states)) {
    const it = make();
    let closed = 0;
    it.client.close(() => closed++);
    it.time.advance(1_000);
    assert.equal(closed, 1, state);
    assert.equal(it.time.pending(), 0, state);
  }
});

test('[fault] a publish promise that never settles (u8-mqtt): every publish ends, once', () => {
  for (const qos of [0, 1, 2] as const) {
    for (const end of ['close', 'abort', 'refused'] as const) {
      const it = online({ maxInFlight: 1 });
      let settled = 0;
      it.server.current.peer.allow(0);
      for (let n = 0; n < 3; n++) it.client.publish('t', 'x', { qos }, () => settled++);
      if (end === 'refused') {
        it.server.respond = refusing(2);
        it.server.current.peer.close();
      } else it.client[end]();
      it.time.advance(MINUTE);
      assert.equal(settled, 3, `QoS ${qos}, ${end}`);
    }
  }
});

test('[fault] unbounded offline queue (MQTT.js): messages and bytes have a limit, and nothing is dropped silently', () => {
  const it = world({ queue: { messages: 3, bytes: 100 } });
  const say = (text: string) => faultOf(() => it.client.publish('t', text, { qos: 1 }));
  assert.deepEqual([say('a'), say('b'.repeat(96)), say('c'), say('')], ['none', 'none', 'queue-full', 'none']);
  assert.equal(say(''), 'queue-full');
  it.server.respond = obligingly;
  it.connect();
  assert.equal(it.server.current.of('publish').length, 3);
});

test('[fault] fixed-period reconnect without jitter (MQTT.js, esp-mqtt): a fleet does not come back in step', () => {
  const delays = Array.from({ length: 50 }, (_, n) => {
    const it = online({}, politely, { random: () => n / 50 });
    it.server.listening = false;
    it.server.current.peer.close();
    it.settle();
    return it.disconnects[0]?.retryInMillis ?? -1;
  });
  assert.equal(new Set(delays).size, 50);
  assert.ok(Math.max(...delays) - Math.min(...delays) > 1_500, `${delays}`);
});

test('[fault] backoff reset by a connect that is kicked at once: delays go on growing', () => {
  const it = online({}, (packet, connection) => {
    politely(packet, connection);
    connection.peer.close();
  });
  it.time.advance(10 * MINUTE);
  const delays = it.disconnects.map(({ retryInMillis }) => retryInMillis);
  assert.deepEqual(delays.slice(0, 6), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]);
});

test('[fault] backoff reset by a connect that is kicked at once: one that lasted does reset it, were it 30 days', () => {
  for (const days of [1, 20, 30, 45]) {
    const it = online({}, refusing(3));
    it.time.advance(10 * MINUTE);
    it.server.respond = accepting(true, politely);
    it.time.advance(10 * MINUTE);
    for (let day = 0; day < days; day++) it.time.advance(24 * HOUR);
    it.server.current.peer.close();
    it.settle();
    assert.equal(it.disconnects.at(-1)?.retryInMillis, 1_000, `${days} days`);
  }
});

test('[fault] payloads resent on a healthy link (esp-mqtt, Aliyun Link SDK): they are not', () => {
  const it = online();
  it.client.publish('t', 'x', { qos: 1 });
  it.time.advance(6 * HOUR);
  assert.equal(it.server.current.of('publish').length, 1);
});

test('[fault] livelock after the server lost the session (rumqttc): everything ends, and new messages pass', () => {
  const it = online();
  const done: (string | undefined)[] = [];
  for (const qos of [1, 2, 2] as const) it.client.publish('t', 'x', { qos }, (error) => done.push(error?.code));
  it.settle();
  receive(it, { cmd: 'pubrec', messageId: 3 }, publish({ qos: 2, messageId: 3 }));
  for (let n = 0; n < 3; n++) reconnect(it, false);
  reconnect(it, false, obligingly);
  it.client.publish('t', 'new', { qos: 2 }, (error) => done.push(error?.code));
  it.settle();
  assert.deepEqual(done, Array(4).fill(undefined));
  assert.equal(it.client.stats().inFlight, 0);
  receive(it, { cmd: 'pubrel', messageId: 3 });
  assert.equal(it.client.stats().state, 'connected');
});

test('[fault] credentials signed once and expired at reconnect (Tuya SDK): signed anew for every dial', () => {
  let clock = 1_000;
  const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret', timestamp: () => clock++ };
  const identity: Identity = deviceSecret(device);
  const it = online({ identity });
  reconnect(it, true);
  const [first, second] = it.server.connections.map((connection) => connection.of('connect')[0]);
  assert.notDeepEqual(first?.password, second?.password);
  assert.match(second?.clientId ?? '', /timestamp=1001\|$/);
});
