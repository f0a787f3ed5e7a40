// The adapter over raw sockets, on a host in memory: order, back-pressure, timers, and hosts that fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClientOptions, type MqttError } from '../../src/index.ts';
import { type MemoryPeer, VirtualTime } from '../../src/memory.ts';
import { RawControl, RawEvent, type RawSocketOptions, rawSocketAdapter } from '../../src/raw-socket.ts';
import { RawHost } from '../support/raw-host.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

interface Stage extends World {
  readonly host: RawHost;
  readonly adapter: ReturnType<typeof rawSocketAdapter>;
  readonly reported: unknown[];
}

function stage(options: Partial<ClientOptions> = {}, raw: RawSocketOptions = {}, start = 0): Stage {
  const time = new VirtualTime(start);
  const server = new ScriptedServer();
  server.respond = obligingly;
  const host = new RawHost({ time, accept: server.accept });
  const reported: unknown[] = [];
  const report = (error: unknown) => void reported.push(error);
  const adapter = rawSocketAdapter(host, { security: 'authenticated', random: () => 0.5, report, ...raw });
  host.adapter = adapter;
  const it = world({ adapter, ...options }, {}, time);
  return Object.assign(it, { server, host, adapter, reported });
}

test('a device connects, publishes, receives and closes, and leaves neither connection nor timer', () => {
  const it = stage();
  let done = 0;
  it.client.publish('t', 'hello', { qos: 1 }, (error) => {
    assert.equal(error, undefined);
    done++;
  });
  it.connect();
  assert.deepEqual([it.connects, done], [1, 1]);
  it.server.current.send({ cmd: 'publish', topic: 'a', payload: 'b', qos: 1, messageId: 7, dup: false, retain: false });
  it.settle();
  assert.deepEqual(
    it.messages.map(({ topic, payload }) => [topic, Buffer.from(payload).toString()]),
    [['a', 'b']],
  );
  assert.equal(it.server.current.of('puback').length, 1);
  it.client.close();
  it.settle();
  assert.deepEqual([it.host.size, it.time.pending(), it.host.wakes.at(-1)], [0, 0, -1]);
  assert.deepEqual(it.host.asked, ['open 0', `control 0 ${RawControl.End}`]);
  assert.deepEqual(it.reported, []);
});

test('what does not fit waits for room, and arrives whole and in order', () => {
  const it = stage();
  it.connect();
  const peer = it.server.current.peer as MemoryPeer;
  peer.allow(5);
  const payload = new Uint8Array(300).map((_, i) => i);
  it.client.publish('large', payload, { qos: 1 });
  it.client.publish('next', 'x', { qos: 1 });
  it.settle();
  assert.equal(it.server.current.of('publish').length, 0);
  for (let i = 0; i < 100; i++) {
    peer.allow(7);
    it.settle();
  }
  const [large, next] = it.server.current.of('publish');
  assert.deepEqual([...(large!.payload as Buffer)], [...payload]);
  assert.equal(next!.topic, 'next');
});

test('reading stops while the app holds too many messages, and goes on', () => {
  const it = stage({ maxHeld: 1 });
  it.client.on('message', (message) => it.client.hold(message));
  it.connect();
  const publish = (messageId: number) =>
    it.server.current.send({ cmd: 'publish', topic: 'a', payload: '', qos: 1, messageId, dup: false, retain: false });
  for (let id = 1; id <= 3; id++) publish(id);
  it.settle();
  assert.deepEqual([it.messages.length, it.host.asked.at(-1)], [2, `control 0 ${RawControl.Pause}`]);
  it.client.acknowledge(it.messages[0]!);
  it.settle();
  assert.deepEqual([it.messages.length, it.host.asked.at(-2)], [3, `control 0 ${RawControl.Resume}`]);
});

for (const [detail, code, reason] of [
  ['dns', 'dns', undefined],
  ['dns:eai_again', 'dns', 'eai_again'],
  ['tcp:econnrefused', 'tcp', 'econnrefused'],
  ['tls:untrusted', 'tls', 'untrusted'],
  ['tls:', 'tls', undefined],
  ['odd', 'tcp', 'odd'],
  [3, 'tcp', '3'],
] as const) {
  test(`a connection that is closed with ${JSON.stringify(detail)} failed with ${code}, reason ${reason}`, () => {
    const it = stage();
    it.client.connect();
    it.adapter.event(RawEvent.Closed, 0, detail);
    const { error } = it.disconnects[0]!;
    assert.deepEqual([error!.code, error!.reason], [code, reason]);
  });
}

test('an end in order is one of the server; before it has opened it is a failure of TCP or of TLS', () => {
  const open = stage();
  open.connect();
  open.server.current.peer.close();
  open.settle();
  assert.equal(open.disconnects[0]!.code, 'closed-by-peer');
  for (const [security, code] of [
    ['plaintext', 'tcp'],
    ['authenticated', 'tls'],
  ] as const) {
    const it = stage({ allowPlaintext: true }, { security });
    it.client.connect();
    it.adapter.event(RawEvent.Closed, 0);
    assert.deepEqual([it.disconnects[0]!.code, it.disconnects[0]!.error!.reason], [code, 'closed']);
  }
});

test('a host that cannot begin, or sends a negative number, has failed with tcp', () => {
  const begin = stage();
  begin.host.open = () => -1;
  begin.connect();
  assert.deepEqual([begin.disconnects[0]!.code, begin.disconnects[0]!.error!.reason], ['tcp', 'open']);
  for (const answer of [-1, 1e6, Number.NaN, undefined as unknown as number]) {
    const it = stage();
    it.host.send = () => answer;
    it.connect();
    assert.deepEqual([it.disconnects[0]!.code, it.disconnects[0]!.error!.reason], ['tcp', 'send']);
    assert.equal(it.host.size, 0);
  }
});

for (const name of ['open', 'send', 'control'] as const) {
  test(`where ${name} throws the connection is lost, and dialled again once it works`, () => {
    const it = stage({ maxHeld: 1 });
    it.client.on('message', (message) => it.client.hold(message));
    const original = it.host[name].bind(it.host) as () => never;
    it.host[name] = () => {
      it.host[name] = original;
      throw new Error('the host is broken');
    };
    it.connect();
    for (let messageId = 1; it.connects === 1 && messageId < 3; messageId++) {
      it.server.current.send({ cmd: 'publish', topic: 'a', payload: '', qos: 1, messageId, dup: false, retain: false });
    }
    it.settle();
    assert.deepEqual(
      it.disconnects.map(({ code, error }) => [code, (error!.cause as Error).message]),
      [['host-failed', 'the host is broken']],
    );
    it.time.advance(10_000);
    assert.equal(it.client.stats().state, 'connected');
    assert.equal(it.host.size, 1);
    assert.deepEqual(it.reported, []);
  });
}

test('a failure of abort, of the clock or of the timer is reported, and harms nothing else', () => {
  const it = stage();
  it.connect();
  it.host.control = () => {
    throw new Error('abort');
  };
  it.client.abort();
  it.host.now = () => {
    throw new Error('now');
  };
  it.host.wake = () => {
    throw new Error('wake');
  };
  it.client.connect();
  it.settle();
  assert.deepEqual(new Set(it.reported.map((error) => (error as Error).message)), new Set(['abort', 'now', 'wake']));
  assert.equal(it.client.stats().state, 'connected');
});

test('a report that throws itself, and a random source that does, reach nobody', () => {
  const random = () => {
    throw new Error('no entropy');
  };
  const it = stage({}, { random, report: random });
  it.host.open = () => -1;
  it.connect();
  assert.equal(it.disconnects[0]!.retryInMillis, 1_000, 'as if 0.5 had been drawn of 2,000');
});

test('nothing that a listener throws reaches the host', () => {
  const it = stage();
  const { client } = it;
  const quiet = new Client({
    adapter: it.adapter,
    endpoints: [{ host: 'server', port: 1 }],
    identity: { credentials: () => ({ clientId: 'x' }) },
  });
  quiet.on('connected', () => {
    throw new Error('listener');
  });
  const alarm = client.alarm(() => {
    throw new Error('alarm');
  });
  alarm.set(5);
  quiet.connect();
  it.time.advance(5);
  assert.deepEqual(
    it.reported.map((error) => (error as Error).message),
    ['listener', 'alarm'],
  );
});

test('a host may answer from inside its functions: what it says waits, in order, until the question is over', () => {
  const it = stage();
  const told: string[] = [];
  it.host.open = () => {
    it.adapter.event(RawEvent.Opened, 4);
    told.push('open returns');
    return 4;
  };
  it.host.send = (handle, bytes) => {
    it.adapter.event(RawEvent.Data, handle, Uint8Array.of(0x20, 2, 0, 0));
    told.push('send returns');
    return bytes.length;
  };
  it.client.on('connected', () => told.push('connected'));
  it.client.connect();
  assert.deepEqual(told, ['open returns'], 'dial() returns before the first event');
  it.settle();
  assert.deepEqual(told, ['open returns', 'send returns', 'connected']);
});

test('what waits is told before what comes later', () => {
  const it = stage();
  it.host.open = () => {
    it.adapter.event(RawEvent.Opened, 4);
    return 4;
  };
  let sent = 0;
  it.host.send = (_, bytes) => {
    sent++;
    return bytes.length;
  };
  it.client.connect();
  it.adapter.event(RawEvent.Data, 4, Uint8Array.of(0x20, 2, 0, 0));
  assert.deepEqual([sent, it.connects], [1, 1]);
});

test('events of handles that are not in use, of unknown kinds and out of place are ignored', () => {
  const it = stage();
  it.connect();
  const connack = Uint8Array.of(0x20, 2, 0, 0);
  for (let kind = -1; kind < 7; kind++) it.adapter.event(kind, 99, connack);
  it.adapter.event(5, 0, connack);
  it.adapter.event(RawEvent.Opened, 0);
  it.adapter.event(RawEvent.Writable, 0);
  assert.deepEqual([it.client.stats().state, it.disconnects.length, it.server.connections.length], ['connected', 0, 1]);
  assert.deepEqual(it.reported, []);
});

test('bytes that come before the connection has opened are not taken', () => {
  const it = stage();
  it.host.open = () => 0;
  it.client.connect();
  it.adapter.event(RawEvent.Data, 0, Uint8Array.of(0x20, 2, 0, 0));
  assert.equal(it.connects, 0);
  assert.equal(it.client.stats().state, 'dialing');
});

test('after a connection is given up the host hears of it no more, and its handle is free', () => {
  const it = stage();
  it.connect();
  it.client.abort();
  it.adapter.event(RawEvent.Data, 0, Uint8Array.of(1));
  it.adapter.event(RawEvent.Closed, 0);
  assert.deepEqual(it.host.asked, ['open 0', `control 0 ${RawControl.Abort}`]);
  assert.deepEqual(
    it.disconnects.map(({ code }) => code),
    ['closed'],
  );
});

test('any number of timers share the one of the host, which is set only where it would ring at another time', () => {
  const it = stage({}, {}, 2 ** 32 - 5); // The clock wraps on the way.
  const rang: string[] = [];
  const timers = [30, 10, 20].map((millis) => {
    const alarm = it.adapter.alarm(() => rang.push(`${millis} at ${(it.adapter.now() + 5) >>> 0}`));
    alarm.set(millis);
    return alarm;
  });
  assert.deepEqual(it.host.wakes, [30, 10]);
  it.adapter.event(RawEvent.Wake, 0); // Early.
  assert.deepEqual(rang, []);
  it.time.advance(15);
  timers[2]!.clear();
  it.time.advance(100);
  assert.deepEqual(rang, ['10 at 10', '30 at 30']);
  assert.deepEqual(it.host.wakes, [30, 10, 10, 10, 15]);
  assert.equal(it.time.pending(), 0);
});

test('a timer may set another one, or itself, while it rings', () => {
  const it = stage();
  const rang: number[] = [];
  const second = it.adapter.alarm(() => rang.push(2));
  const first = it.adapter.alarm(() => {
    rang.push(1);
    second.clear();
    if (rang.length < 3) first.set(10);
  });
  first.set(10);
  second.set(10);
  it.time.advance(100);
  assert.deepEqual(rang, [1, 1, 1]);
});

test('a clock of fractions, and one beyond 2^32, is a uint32 of milliseconds', () => {
  const it = stage();
  it.host.now = () => 2 ** 32 * 3 + 7.9;
  assert.equal(it.adapter.now(), 7);
  it.host.now = () => 2 ** 32 - 0.5;
  assert.equal(it.adapter.now(), 2 ** 32 - 1);
  it.host.now = () => Number.NaN;
  assert.equal(it.adapter.now(), 2 ** 32 - 1, 'the last that made sense');
});

test('a host that lacks a function, and options that are none, are refused', () => {
  const host = new RawHost({ time: new VirtualTime(), accept: () => true });
  const code = (error: unknown) => (error as MqttError).code === 'bad-option';
  for (const name of ['open', 'send', 'control', 'now', 'wake']) {
    const lacking = { ...host, open() {}, send() {}, control() {}, now() {}, wake() {}, [name]: 1 };
    assert.throws(() => rawSocketAdapter(lacking as never), code);
  }
  assert.throws(() => rawSocketAdapter(undefined as never), code);
  assert.throws(() => rawSocketAdapter(host, { security: 'perhaps' as never }), code);
  assert.throws(() => rawSocketAdapter(host, { random: 1 as never }), code);
  assert.throws(() => rawSocketAdapter(host, { report: 1 as never }), code);
  assert.equal(rawSocketAdapter(host).security, 'plaintext');
});

test('without options randomness is that of the engine', () => {
  const host = new RawHost({ time: new VirtualTime(), accept: () => true });
  const value = rawSocketAdapter(host).random();
  assert.ok(value >= 0 && value < 1, String(value));
});
