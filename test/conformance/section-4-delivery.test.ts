// Operational behaviour (4.1 to 4.6, 4.8, 7): session state, the three deliveries, order, errors.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceivedMessage } from '../../src/index.ts';
import { VirtualTime } from '../../src/memory.ts';
import { hex } from '../framing/bytes.ts';
import { obligingly, type ScriptedServer } from '../support/scripted-server.ts';
import type { World } from '../support/world.ts';
import { connected, ends, HOUR, MINUTE, online, publish, receive, reconnect, sent } from './support.ts';

const textOf = ({ payload }: { payload: Uint8Array | string }) => Buffer.from(payload as Uint8Array).toString();

/** Received messages are held until the test acknowledges them. */
const holding = (it: World): World => {
  it.client.on('message', (received) => it.client.hold(received));
  return it;
};

test('[MQTT-4.1.0-1] what is not acknowledged and not released is kept over any number of connections', () => {
  const it = online();
  for (const qos of [1, 2, 2] as const) it.client.publish('t', 'x', { qos });
  receive(it, { cmd: 'pubrec', messageId: 3 }, publish({ qos: 2, messageId: 9 }));
  for (let n = 0; n < 5; n++) reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2 dup', 'pubrel 3']);
  receive(it, publish({ qos: 2, messageId: 9, dup: true }));
  assert.equal(it.messages.length, 1);
});

test('[MQTT-4.1.0-2] the session lasts as long as the connection, with Clean Session too', () => {
  const it = online({ cleanSession: true });
  let done = 0;
  it.client.publish('t', 'x', { qos: 1 }, () => done++);
  receive(it, publish({ qos: 2, messageId: 9 }));
  it.time.advance(24 * HOUR);
  receive(it, publish({ qos: 2, messageId: 9, dup: true }), { cmd: 'puback', messageId: 1 });
  assert.equal(it.messages.length, 1);
  assert.equal(done, 1);
});

test('[MQTT-4.2.0-1] it makes no difference how the stream is cut', () => {
  const stream = '3206000174000178' + '34050001740002' + '3003000174' + 'd000' + '32050001740001' + '300400017879';
  const whole = connected();
  const expected = whole.feed(stream);
  assert.equal(whole.messages.length, 5);
  for (const size of [1, 2, 3, 5, 7]) {
    const it = connected();
    const chunks = stream.match(new RegExp(`.{1,${2 * size}}`, 'g')) ?? [];
    assert.deepEqual(
      chunks.flatMap((digits) => it.feed(digits)),
      expected,
    );
    assert.deepEqual(it.messages.map(textOf), whole.messages.map(textOf));
  }
});

test('[MQTT-4.2.0-1] a transport that takes a byte at a time gets the same bytes', () => {
  const talk = (it: World) => {
    it.client.subscribe('a');
    for (const qos of [0, 1, 2] as const) it.client.publish('t', 'text', { qos });
    for (let n = 0; n < 100; n++) {
      it.server.current.peer.allow(1);
      it.settle();
    }
    return hex(it.server.current.bytes);
  };
  const slow = online();
  slow.server.current.peer.allow(0);
  const fast = online();
  fast.server.current.peer.allow = () => {};
  assert.equal(talk(slow), talk(fast));
});

test('[MQTT-4.3.1-1] a QoS 0 PUBLISH is sent once, without DUP, and is done when it is written', () => {
  const it = online();
  let done = 0;
  it.client.publish('t', 'x', {}, () => done++);
  assert.equal(done, 1);
  it.settle();
  assert.equal(it.server.current.bytes.at(-6), 0x30);
  reconnect(it, false);
  assert.deepEqual(sent(it), []);
});

test('[MQTT-4.3.2-1] a QoS 1 PUBLISH has an unused identifier and no DUP, and is in flight until PUBACK', () => {
  const it = online();
  const done: number[] = [];
  for (let n = 1; n <= 3; n++) it.client.publish('t', 'x', { qos: 1 }, () => done.push(n));
  it.settle();
  assert.deepEqual(sent(it), ['publish 1', 'publish 2', 'publish 3']);
  receive(it, { cmd: 'puback', messageId: 2 });
  assert.deepEqual(done, [2]);
  assert.equal(it.client.stats().inFlight, 2);
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 3 dup']);
});

test('[MQTT-4.3.2-2] a QoS 1 message is acknowledged when the app is done with it, and not before', () => {
  const it = holding(online());
  receive(it, publish({ qos: 1, messageId: 5 }));
  it.time.advance(MINUTE);
  assert.deepEqual(sent(it), []);
  it.client.acknowledge(it.messages[0]!);
  it.client.acknowledge(it.messages[0]!);
  it.settle();
  assert.deepEqual(sent(it), ['puback 5']);
});

test('[MQTT-4.3.2-2] after PUBACK its identifier means a new message, whatever DUP says', () => {
  const it = online();
  for (const dup of [false, true, true]) receive(it, publish({ qos: 1, messageId: 5, dup }));
  assert.deepEqual(
    it.messages.map(({ dup }) => dup),
    [false, true, true],
  );
  assert.deepEqual(sent(it), ['puback 5', 'puback 5', 'puback 5']);
});

test('[MQTT-4.3.3-1] a QoS 2 PUBLISH is in flight until PUBREC, its PUBREL until PUBCOMP', () => {
  const it = online();
  let done = 0;
  it.client.publish('t', 'x', { qos: 2 }, () => done++);
  it.settle();
  assert.deepEqual(sent(it), ['publish 1']);
  reconnect(it, true);
  receive(it, { cmd: 'pubrec', messageId: 1 });
  assert.deepEqual(sent(it), ['publish 1 dup', 'pubrel 1']);
  assert.equal(done, 0);
  receive(it, { cmd: 'pubcomp', messageId: 1 });
  assert.equal(done, 1);
  reconnect(it, true);
  assert.deepEqual(sent(it), []);
});

test('[MQTT-4.3.3-1] a QoS 2 PUBLISH is never sent again once its PUBREL was', () => {
  const it = online();
  it.client.publish('t', 'x', { qos: 2 });
  it.settle();
  receive(it, { cmd: 'pubrec', messageId: 1 });
  for (let n = 0; n < 3; n++) {
    reconnect(it, true);
    assert.deepEqual(sent(it), ['pubrel 1']);
  }
});

test('[MQTT-4.3.3-1] a PUBREC whose PUBREL could not be written still moves the message on', () => {
  const it = online();
  it.client.publish('t', 'x', { qos: 2 });
  it.settle();
  it.server.current.peer.allow(0);
  receive(it, { cmd: 'pubrec', messageId: 1 });
  reconnect(it, true);
  assert.deepEqual(sent(it), ['pubrel 1']);
});

test('[MQTT-4.3.3-2] a repeated QoS 2 PUBLISH is acknowledged and not delivered again', () => {
  const it = online();
  for (const dup of [false, true, false]) receive(it, publish({ qos: 2, messageId: 5, dup }));
  assert.equal(it.messages.length, 1);
  assert.deepEqual(sent(it), ['pubrec 5', 'pubrec 5', 'pubrec 5']);
});

test('[MQTT-4.3.3-2] PUBREL is answered with PUBCOMP, also for an unknown identifier', () => {
  const it = online();
  receive(it, publish({ qos: 2, messageId: 5 }), { cmd: 'pubrel', messageId: 5 }, { cmd: 'pubrel', messageId: 5 });
  receive(it, { cmd: 'pubrel', messageId: 6 });
  assert.deepEqual(sent(it), ['pubrec 5', 'pubcomp 5', 'pubcomp 5', 'pubcomp 6']);
});

test('[MQTT-4.3.3-2] after PUBCOMP the identifier means a new message', () => {
  const it = online();
  for (let n = 1; n <= 3; n++) {
    receive(it, publish({ qos: 2, messageId: 5 }), { cmd: 'pubrel', messageId: 5 });
    assert.equal(it.messages.length, n);
  }
});

/** Nine messages, of QoS 0, 2 and 1 in turn, to a server that keeps sessions, over links that drop at odd moments. */
function history(seed: number): { settled: number[]; delivered: string[] } {
  let state = seed;
  const chance = (of: number): boolean => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return (state >> 12) % of === 0;
  };
  const time = new VirtualTime();
  const delivered: string[] = [];
  const unreleased = new Set<number>();
  let hasSession = false;
  const respond: ScriptedServer['respond'] = (packet, connection) => {
    const { cmd, messageId = 0 } = packet;
    if (cmd === 'connect') {
      connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: hasSession });
      hasSession = true;
      return;
    }
    if (time.now() < HOUR && chance(4)) return connection.peer.close();
    if (cmd === 'publish' && !unreleased.has(messageId)) delivered.push(packet.payload.toString());
    if (cmd === 'publish' && packet.qos === 2) unreleased.add(messageId);
    if (cmd === 'pubrel') unreleased.delete(messageId);
    if (time.now() < HOUR && chance(4)) return connection.peer.close();
    obligingly(packet, connection);
  };
  const { client } = online({}, respond, {}, time);
  const settled = Array<number>(9).fill(0);
  for (let n = 0; n < 9; n++) {
    const qos = ([0, 2, 1] as const)[n % 3]!;
    client.publish('t', `m${n}`, { qos }, (error) => {
      if (!error) settled[n]!++;
    });
    time.advance(chance(2) ? 0 : 500);
  }
  time.advance(2 * HOUR);
  return { settled, delivered };
}

test('[MQTT-4.3.3-1] over links that drop at odd moments every message ends once, and QoS 2 arrives once', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { settled, delivered } = history(seed);
    assert.deepEqual(settled, Array(9).fill(1), `seed ${seed}`);
    for (const text of ['m1', 'm4', 'm7'])
      assert.equal(delivered.filter((it) => it === text).length, 1, `seed ${seed}`);
  }
});

test('[MQTT-4.4.0-1] after a reconnect everything unacknowledged is sent again, with its identifiers', () => {
  const it = online();
  for (const qos of [2, 1, 2, 1] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  receive(it, { cmd: 'pubrec', messageId: 1 }, { cmd: 'puback', messageId: 2 });
  reconnect(it, true);
  assert.deepEqual(sent(it), ['pubrel 1', 'publish 3 dup', 'publish 4 dup']);
});

test('[MQTT-4.4.0-1] on a connection that lives nothing is sent again, however long the answer takes', () => {
  const it = online();
  for (const qos of [1, 2, 2] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  receive(it, { cmd: 'pubrec', messageId: 3 });
  it.time.advance(24 * HOUR);
  assert.deepEqual(
    sent(it).filter((what) => what !== 'pingreq'),
    ['publish 1', 'publish 2', 'publish 3', 'pubrel 3'],
  );
});

test('[MQTT-4.5.0-2] a message that nobody has asked for and nobody listens to is acknowledged', () => {
  const it = connected();
  it.feed('320500017400013405000174 0002'.replace(' ', ''));
  const client = online();
  receive(client, publish({ topic: 'unasked', qos: 1, messageId: 1 }), publish({ topic: 'un', qos: 2, messageId: 2 }));
  assert.deepEqual(sent(client), ['puback 1', 'pubrec 2']);
});

test('[MQTT-4.5.0-2] a message whose listener throws is acknowledged', () => {
  const it = online();
  it.client.on('message', () => {
    throw new Error('mine');
  });
  receive(it, publish({ qos: 1, messageId: 1 }));
  assert.deepEqual(sent(it), ['puback 1']);
});

test('[MQTT-4.6.0-1] messages of QoS 1 and 2 are sent again in their old order, before anything new', () => {
  const it = online();
  for (const qos of [1, 2, 1, 2, 1] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  receive(it, { cmd: 'puback', messageId: 3 });
  it.client.on('connected', () => it.client.publish('t', 'new', { qos: 1 }));
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2 dup', 'publish 4 dup', 'publish 5 dup', 'publish 6']);
});

test('[MQTT-4.6.0-1] identifiers that wrapped do not change the order', () => {
  const it = online();
  it.client.connection.lastPacketId = 65_533;
  for (let n = 0; n < 4; n++) it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 65534 dup', 'publish 65535 dup', 'publish 1 dup', 'publish 2 dup']);
});

/** Five messages that the app finishes in another order than that of their arrival. */
function finishedAnyhow(qos: 1 | 2): string[] {
  const it = holding(online());
  for (let messageId = 11; messageId <= 15; messageId++) receive(it, publish({ qos, messageId }));
  for (const n of [4, 1, 0, 3, 2]) it.client.acknowledge(it.messages[n] as ReceivedMessage);
  it.settle();
  return sent(it);
}

test('[MQTT-4.6.0-2] PUBACKs leave in the order of the PUBLISHes, in whatever order the app finishes', () => {
  assert.deepEqual(finishedAnyhow(1), ['puback 11', 'puback 12', 'puback 13', 'puback 14', 'puback 15']);
});

test('[MQTT-4.6.0-3] PUBRECs leave in the order of the PUBLISHes, in whatever order the app finishes', () => {
  assert.deepEqual(finishedAnyhow(2), ['pubrec 11', 'pubrec 12', 'pubrec 13', 'pubrec 14', 'pubrec 15']);
});

test('[MQTT-4.6.0-4] PUBRELs leave in the order of the PUBRECs', () => {
  const it = online();
  for (let n = 0; n < 3; n++) it.client.publish('t', 'x', { qos: 2 });
  it.settle();
  for (const messageId of [2, 1, 3]) receive(it, { cmd: 'pubrec', messageId });
  assert.deepEqual(sent(it).slice(3), ['pubrel 2', 'pubrel 1', 'pubrel 3']);
});

test('[MQTT-4.6.0-4] PUBRELs are sent again in the order of the PUBRECs', () => {
  const it = online();
  for (let n = 0; n < 3; n++) it.client.publish('t', 'x', { qos: 2 });
  it.settle();
  for (const messageId of [1, 2, 3]) receive(it, { cmd: 'pubrec', messageId });
  reconnect(it, true);
  assert.deepEqual(sent(it), ['pubrel 1', 'pubrel 2', 'pubrel 3']);
});

test('[4.6 note] a window of 1 keeps strict order: the next message waits for the last one', () => {
  const it = online({ maxInFlight: 1 });
  for (const qos of [1, 2, 1] as const) it.client.publish('t', 'x', { qos });
  it.settle();
  assert.deepEqual(sent(it), ['publish 1']);
  reconnect(it, true, obligingly);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2', 'pubrel 2', 'publish 3']);
});

test('[MQTT-4.8.0-1] a violation closes the connection it came on, and the client comes back', () => {
  const it = online();
  receive(it, { cmd: 'connack', returnCode: 0, sessionPresent: false });
  assert.ok(it.server.connections[0]?.closed);
  assert.deepEqual(ends(it), ['unexpected-packet 3.2']);
  it.time.advance(MINUTE);
  assert.equal(it.connects, 2);
});

test('[MQTT-4.8.0-2] an app that holds too much stops the reading, and no message is lost', () => {
  const it = holding(online({ maxHeld: 2 }));
  for (let messageId = 1; messageId <= 20; messageId++) receive(it, publish({ qos: 1, messageId }));
  assert.equal(it.messages.length, 3);
  for (let n = 0; n < 20; n++) {
    it.client.acknowledge(it.messages[n]!);
    it.settle();
  }
  assert.equal(it.messages.length, 20);
  assert.equal(it.server.current.of('puback').length, 20);
  assert.deepEqual(ends(it), []);
});

test('[MQTT-7.0.0-2] a conversation needs nothing that the standard does not have', () => {
  const it = online({}, obligingly);
  it.client.subscribe('t', { qos: 2 });
  for (const qos of [0, 1, 2] as const) it.client.publish('t', 'x', { qos });
  receive(it, publish({ qos: 2, messageId: 1 }), { cmd: 'pubrel', messageId: 1 });
  it.client.unsubscribe('t');
  it.time.advance(HOUR);
  it.client.close();
  it.settle();
  const told = sent(it).filter((what) => what !== 'pingreq');
  const sending = ['publish', 'publish 2', 'publish 3', 'pubrel 3', 'pubrec 1', 'pubcomp 1'];
  assert.deepEqual(told.sort(), ['subscribe 1', ...sending, 'unsubscribe 4', 'disconnect'].sort());
  assert.deepEqual(ends(it), ['closed']);
});

test('[MQTT-7.1.2-1] a stream with delays in both directions is transport enough', () => {
  let delay = 0;
  const it = online({}, obligingly, { latency: () => (delay = (delay * 7 + 13) % 101) });
  it.time.advance(1_000);
  const done: unknown[] = [];
  for (const qos of [0, 1, 2] as const) it.client.publish('t', 'x', { qos }, (error) => done.push(error));
  it.time.advance(1_000);
  assert.deepEqual(done, [undefined, undefined, undefined]);
});
