// CONNECT (3.1): its bytes, the session it names, keep-alive.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainIdentity } from '../../src/index.ts';
import type { ConnectFields } from '../../src/protocol/connection-options.ts';
import { hex, unhex } from '../framing/bytes.ts';
import { politely } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';
import {
  accepting,
  bench,
  connectBytes,
  ends,
  faultInConnect,
  HOUR,
  MINUTE,
  message,
  online,
  publish,
  receive,
  reconnect,
  refusing,
  sent,
} from './support.ts';

const will = { topic: 'w', payload: unhex('6d'), qos: 0, retain: false } as const;

/** The connect flags that some fields lead to, Clean Session left out. */
const flagsOf = (fields: Partial<ConnectFields>) => Number.parseInt(connectBytes(fields).slice(18, 20), 16);

/** A CONNECT behind its fixed part: connect flags, keep-alive and payload. */
const tailOf = (fields: Partial<ConnectFields>) => connectBytes(fields).slice(18);

test('[MQTT-3.1.0-1] CONNECT is the first packet, whatever the app has asked for before', () => {
  const it = world();
  it.client.publish('t', 'x');
  it.client.publish('t', 'x', { qos: 1 });
  it.client.subscribe('a');
  it.server.respond = () => {};
  it.connect();
  assert.deepEqual(
    it.server.current.received.map(({ cmd }) => cmd),
    ['connect'],
  );
  it.server.current.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  it.settle();
  assert.deepEqual(sent(it), ['subscribe 1', 'publish', 'publish 2']);
});

test('[MQTT-3.1.0-2] CONNECT is sent once on each network connection', () => {
  const it = online({ keepAliveSeconds: 60 });
  it.client.connect();
  it.time.advance(HOUR);
  it.client.connect();
  it.settle();
  reconnect(it, true);
  it.client.close();
  it.settle();
  assert.deepEqual(
    it.server.connections.map((connection) => connection.of('connect').length),
    [1, 1],
  );
});

test('[MQTT-3.1.2-1] the protocol name is MQTT', () => {
  assert.equal(connectBytes().slice(4, 16), '00044d515454');
});

test('[MQTT-3.1.2-2] the protocol level is 4, and a server that does not take it is not asked again', () => {
  assert.equal(connectBytes().slice(16, 18), '04');
  const it = online({}, refusing(1));
  it.time.advance(HOUR);
  assert.equal(it.server.connections.length, 1);
  assert.equal(it.disconnects[0]?.error?.returnCode, 1);
});

test('[MQTT-3.1.2-3] the reserved connect flag is 0', () => {
  const everything = {
    cleanSession: true,
    will: { ...will, qos: 2, retain: true },
    userName: 'u',
    password: 'p',
  } as const;
  assert.equal(flagsOf(everything), 0b1111_0110);
  assert.equal(flagsOf({}), 0);
});

test('[MQTT-3.1.2-4] without Clean Session both sides go on where they were', () => {
  const it = online({}, accepting(false));
  it.client.publish('t', 'one', { qos: 1 });
  it.client.publish('t', 'two', { qos: 2 });
  receive(it, publish({ qos: 2, messageId: 9 }));
  assert.equal(it.server.current.of('connect')[0]?.clean, false);
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup', 'publish 2 dup']);
  receive(it, publish({ qos: 2, messageId: 9, dup: true }), { cmd: 'pubrel', messageId: 9 });
  assert.deepEqual(sent(it).slice(2), ['pubrec 9', 'pubcomp 9']);
  assert.equal(it.messages.length, 1);
});

test('[MQTT-3.1.2-6] with Clean Session nothing of an earlier session is used again', () => {
  const it = online({ cleanSession: true });
  for (const qos of [1, 2, 2] as const) it.client.publish('t', 'x', { qos });
  receive(it, publish({ qos: 2, messageId: 9 }), { cmd: 'pubrec', messageId: 3 });
  assert.equal(it.server.current.of('connect')[0]?.clean, true);
  reconnect(it, false);
  assert.deepEqual(sent(it), ['publish 4', 'publish 5']);
  receive(it, publish({ qos: 2, messageId: 9 }));
  assert.equal(it.messages.length, 2);
});

test('[MQTT-3.1.2-9] a will puts its topic and message into the payload, also a message of no bytes', () => {
  assert.equal(tailOf({ will }), '0400000001630001 7700016d'.replace(' ', ''));
  assert.equal(tailOf({ will: { ...will, payload: new Uint8Array() } }), '04000000016300017700 00'.replace(' ', ''));
});

test('[MQTT-3.1.2-11] without a will there are no will fields', () => {
  assert.equal(tailOf({}), '000000000163');
});

test('[MQTT-3.1.2-13] will QoS is in its bits, and 0 without a will', () => {
  for (const qos of [0, 1, 2] as const) assert.equal(flagsOf({ will: { ...will, qos } }), 0x04 | (qos << 3));
  assert.equal(flagsOf({}) & 0x18, 0);
});

test('[MQTT-3.1.2-14] a will of QoS 3 is refused before anything is dialled', () => {
  const bad = { ...will, qos: 3 as 2 };
  assert.equal(faultInConnect({ will: bad }), 'bad-packet MQTT-3.3.1-4');
  assert.throws(() => world({ will: bad }), { code: 'bad-packet' });
});

test('[MQTT-3.1.2-15] will retain is in its bit, and 0 without a will', () => {
  assert.equal(flagsOf({ will: { ...will, retain: true } }), 0x24);
  assert.equal(flagsOf({}) & 0x20, 0);
});

test('[MQTT-3.1.2-18] without a user name there is neither flag nor field', () => {
  assert.equal(tailOf({}), '000000000163');
});

test('[MQTT-3.1.2-19] with a user name there are flag and field, also for one of no bytes', () => {
  assert.equal(tailOf({ userName: 'u' }), '80000000016300 0175'.replace(' ', ''));
  assert.equal(tailOf({ userName: '' }), '8000000001630000');
});

test('[MQTT-3.1.2-20] without a password there is neither flag nor field', () => {
  assert.equal(tailOf({ userName: 'u' }), '8000000001630001 75'.replace(' ', ''));
});

test('[MQTT-3.1.2-21] with a password there are flag and field: text or bytes, 0 to 65,535 of them', () => {
  assert.equal(tailOf({ userName: 'u', password: '' }), 'c00000000163000175 0000'.replace(' ', ''));
  assert.equal(tailOf({ userName: 'u', password: unhex('00ff80') }), 'c000000001630001750003 00ff80'.replace(' ', ''));
  const longest = new Uint8Array(65_535).fill(0xfe);
  assert.ok(connectBytes({ userName: 'u', password: longest }).endsWith(`ffff${hex(longest)}`));
  assert.equal(faultInConnect({ userName: 'u', password: new Uint8Array(65_536) }), 'bad-packet 3.1.3.5');
});

test('[MQTT-3.1.2-22] a password without a user name is refused before anything is sent', () => {
  assert.equal(faultInConnect({ password: 'p' }), 'bad-packet MQTT-3.1.2-22');
  const it = world({ identity: plainIdentity({ clientId: 'c', password: 'p' }) });
  it.connect();
  it.time.advance(HOUR);
  assert.deepEqual(ends(it), ['bad-packet MQTT-3.1.2-22']);
  assert.equal(it.server.current.bytes.length, 0);
});

/** The longest time between two packets of the client over an hour; `busy` is called once in a while. */
function longestGap(keepAliveSeconds: number, busy: (it: ReturnType<typeof online>) => void): number {
  const it = online({ keepAliveSeconds });
  let last = it.time.now();
  let longest = 0;
  it.server.respond = (packet, connection) => {
    longest = Math.max(longest, it.time.now() - last);
    last = it.time.now();
    politely(packet, connection);
  };
  const step = keepAliveSeconds * 300;
  for (let at = 0; at < HOUR; at += step) {
    busy(it);
    it.time.advance(step);
  }
  assert.equal(it.connects, 1);
  return longest;
}

test('[MQTT-3.1.2-23] no two packets are further apart than the keep-alive, idle, sending or receiving', () => {
  for (const keepAliveSeconds of [1, 5, 60, 1_200]) {
    for (const busy of [
      () => {},
      (it: ReturnType<typeof online>) => it.client.publish('t', 'x'),
      (it: ReturnType<typeof online>) => receive(it, publish()),
    ]) {
      const gap = longestGap(keepAliveSeconds, busy);
      assert.ok(gap > 0 && gap <= keepAliveSeconds * 1_000, `${gap} ms of ${keepAliveSeconds} s`);
    }
  }
});

test('[MQTT-3.1.2-23] a CONNACK that was long in coming does not lengthen the gap', () => {
  const it = world({ keepAliveSeconds: 20 });
  it.server.respond = () => {};
  it.connect();
  it.time.advance(19_000);
  receive(it, { cmd: 'connack', returnCode: 0, sessionPresent: false });
  it.time.advance(1_000);
  assert.deepEqual(sent(it), ['pingreq']);
});

test('[3.1.2.10] a PINGREQ that stays without answer ends the connection', () => {
  const it = online({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 }, accepting(false));
  it.time.advance(55_000 + 9_999);
  assert.deepEqual(ends(it), []);
  it.time.advance(1);
  assert.deepEqual(ends(it), ['pingresp-timeout 3.1.2.10']);
});

test('[3.1.2.10] keep-alive goes from 0, which switches it off, to 65,535 seconds', () => {
  const off = online({ keepAliveSeconds: 0 });
  off.time.advance(24 * HOUR);
  assert.deepEqual(sent(off), []);
  assert.equal(off.time.pending(), 0);
  assert.equal(connectBytes({ keepAliveSeconds: 65_535 }).slice(20, 24), 'ffff');
  for (const keepAliveSeconds of [-1, 65_536, 1.5, Number.NaN]) {
    assert.equal(faultInConnect({ keepAliveSeconds }), 'bad-packet 3.1.2.10');
    assert.throws(() => world({ keepAliveSeconds }), { code: 'bad-option' });
  }
});

test('[MQTT-3.1.2-24] a client that the server cuts off dials again', () => {
  const it = online();
  reconnect(it, true);
  assert.equal(it.connects, 2);
  assert.deepEqual(ends(it), ['closed-by-peer']);
});

test('[MQTT-3.1.3-1] the payload holds client id, will topic, will message, user name and password, in this order', () => {
  assert.equal(
    connectBytes({ will, userName: 'u', password: 'p', cleanSession: true, keepAliveSeconds: 60 }),
    '101900044d51545404c6003c 0001 63 0001 77 0001 6d 0001 75 0001 70'.replaceAll(' ', ''),
  );
});

test('[MQTT-3.1.3-2] every connection of a client names the same session', () => {
  const it = online({ identity: plainIdentity({ clientId: 'lamp-7' }) });
  for (let n = 0; n < 3; n++) reconnect(it, n % 2 === 0);
  assert.deepEqual(
    it.server.connections.map((connection) => connection.of('connect')[0]?.clientId),
    Array(4).fill('lamp-7'),
  );
});

test('[MQTT-3.1.3-2] another client has a session of its own', () => {
  const [one, other] = [online(), online()];
  one.client.publish('t', 'x', { qos: 1 });
  one.settle();
  reconnect(other, true);
  assert.deepEqual(sent(other), []);
});

test('[MQTT-3.1.3-3] the client id is the first field of the payload', () => {
  assert.equal(tailOf({ clientId: 'abc', userName: 'u' }), '8000000003616263000175');
});

test('[MQTT-3.1.3-4] the client id is UTF-8, and must be a string', () => {
  assert.equal(tailOf({ clientId: 'ü€😀' }), '0000000009c3bce282acf09f9880');
  assert.equal(faultInConnect({ clientId: '\ud800' }), 'bad-packet MQTT-1.5.3-1');
  assert.equal(faultInConnect({ clientId: undefined as unknown as string }), 'bad-packet MQTT-1.5.3-1');
});

test('[MQTT-3.1.3-7] a client id of no bytes needs a clean session', () => {
  assert.equal(tailOf({ clientId: '', cleanSession: true }), '0200000000');
  assert.equal(faultInConnect({ clientId: '' }), 'bad-packet MQTT-3.1.3-7');
});

test('[MQTT-3.1.3-8] an identifier that the server rejects is reported as that', () => {
  const it = online({}, refusing(2));
  assert.deepEqual(ends(it), ['refused MQTT-3.2.2-5']);
  assert.equal(it.disconnects[0]?.error?.returnCode, 2);
});

test('[MQTT-3.1.3-9] an identifier that the server rejects is not tried again', () => {
  const it = online({}, refusing(2));
  it.time.advance(24 * HOUR);
  assert.equal(it.server.connections.length, 1);
  assert.equal(it.disconnects[0]?.retryInMillis, undefined);
});

test('[MQTT-3.1.3-10] the will topic is UTF-8 and a topic name: no wildcard, not empty', () => {
  assert.equal(tailOf({ will: { ...will, topic: 'ü' } }), '0400000001630002c3bc00016d');
  for (const [topic, fault] of [
    ['a/#', 'bad-topic MQTT-3.3.2-2'],
    ['+', 'bad-topic MQTT-3.3.2-2'],
    ['', 'bad-topic MQTT-4.7.3-1'],
    ['\ud800', 'bad-topic MQTT-1.5.3-1'],
  ] as const) {
    assert.equal(faultInConnect({ will: { ...will, topic } }), fault);
    assert.throws(() => world({ will: { ...will, topic } }), { code: 'bad-topic' });
  }
});

test('[MQTT-3.1.3-11] the user name is UTF-8', () => {
  assert.equal(tailOf({ userName: 'ü' }), '8000000001630002c3bc');
  assert.equal(faultInConnect({ userName: '\udc00' }), 'bad-packet MQTT-1.5.3-1');
});

test('[MQTT-3.1.4-5] what the app publishes before CONNACK waits for it, and survives a refusal', () => {
  const it = world({}, { random: () => 0 });
  it.server.respond = refusing(3);
  const done: string[] = [];
  it.client.publish('t', 'x', { qos: 0 }, (error) => done.push(`0 ${error?.code}`));
  it.client.publish('t', 'x', { qos: 1 }, (error) => done.push(`1 ${error?.code}`));
  it.connect();
  assert.equal(it.server.connections[0]?.received.length, 1);
  it.server.respond = politely;
  it.time.advance(MINUTE);
  assert.deepEqual(sent(it), ['publish', 'publish 1']);
  receive(it, { cmd: 'puback', messageId: 1 });
  assert.deepEqual(done, ['0 undefined', '1 undefined']);
});

test('[MQTT-3.1.4-5] the machine refuses to publish before CONNACK, and afterwards is as it was', () => {
  const it = bench();
  it.connection.opened({ clientId: 'c', cleanSession: true, keepAliveSeconds: 0 }, 0);
  it.drain();
  assert.throws(() => it.connection.publish(message(), 0), { code: 'not-connected' });
  assert.throws(() => it.connection.request({ filters: ['a'] }, 0), { code: 'not-connected' });
  assert.deepEqual(it.drain(), []);
});
