// Rates: what a platform would close the connection for waits, in order, whole, and visibly.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttError } from '../../src/error.ts';
import type { Adapter, ClientOptions, Endpoint, Transport, TransportEvents } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { type Rates, shaped } from '../../src/profile-guard.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

function shapedWorld(rates: Rates, options: Partial<ClientOptions> = {}) {
  const time = new VirtualTime(2 ** 32 - 1_500); // It wraps meanwhile.
  const server = new ScriptedServer();
  server.respond = obligingly;
  const adapter = shaped(memoryAdapter({ time, accept: server.accept }), rates);
  return { adapter, server, it: world({ adapter, queue: { messages: 1_000 }, ...options }, {}, time) };
}

/** How many PUBLISH packets have come in each second. */
function perSecond({ time }: World, server: ScriptedServer, seconds: number): number[] {
  const counts: number[] = [];
  let before = server.connections.reduce((sum, connection) => sum + connection.of('publish').length, 0);
  for (let i = 0; i < seconds; i++) {
    time.advance(SECOND);
    const now = server.connections.reduce((sum, connection) => sum + connection.of('publish').length, 0);
    counts.push(now - before);
    before = now;
  }
  return counts;
}

for (const [qos, rates] of [
  [0, { publishesPerSecond: 30 }],
  [1, { acknowledgedPerSecond: 10 }],
] as const) {
  const rate = qos === 0 ? 30 : 10;
  test(`QoS ${qos}: no second sees more than twice ${rate}, none is lost, and the order is kept`, () => {
    const { it, server, adapter } = shapedWorld(rates);
    it.connect();
    let settled = 0;
    for (let i = 0; i < 5 * rate; i++) it.client.publish('t', `${i}`, { qos }, (error) => error || settled++);
    it.settle();
    assert.equal(server.current.of('publish').length, rate, 'the first of them go at once');
    const counts = perSecond(it, server, 6);
    assert.ok(
      counts.every((count) => count <= rate),
      `${counts}`,
    );
    assert.ok(
      counts.slice(0, 3).every((count) => count >= rate - 1),
      `${counts}`,
    );
    assert.equal(settled, 5 * rate);
    assert.deepEqual(
      server.current.of('publish').map(({ payload }) => Number(payload)),
      Array.from({ length: 5 * rate }, (_, i) => i),
    );
    assert.deepEqual(
      it.warnings.map(({ code }) => code),
      ['rate-shaped'],
    );
    assert.equal(adapter.shaping.publishes, 4 * rate);
    assert.ok(adapter.shaping.millis >= 3_900, `${adapter.shaping.millis} ms`);
  });
}

test('the two kinds of QoS have rates of their own', () => {
  const { it, server } = shapedWorld({ publishesPerSecond: 1, acknowledgedPerSecond: 1_000 });
  it.connect();
  for (let i = 0; i < 50; i++) it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  assert.equal(server.current.of('publish').length, 50);
  assert.deepEqual(it.warnings, []);
});

test('what is sent again after a reconnect is shaped too', () => {
  const { it, server } = shapedWorld({ acknowledgedPerSecond: 5 }, { reconnect: { minMillis: 1, maxMillis: 1 } });
  server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: true });
  };
  it.connect();
  for (let i = 0; i < 20; i++) it.client.publish('t', `${i}`, { qos: 1 });
  it.time.advance(10 * SECOND);
  assert.equal(server.current.of('publish').length, 20);
  server.current.peer.close();
  it.time.advance(20);
  assert.equal(server.connections.length, 2);
  assert.equal(server.current.of('publish').length, 5);
  assert.deepEqual(perSecond(it, server, 4), [5, 5, 5, 0]);
  assert.ok(server.current.of('publish').every(({ dup }) => dup));
});

test('what comes in is read on while something waits: acknowledgements, messages, answers to pings', () => {
  const { it, server } = shapedWorld({ publishesPerSecond: 1 }, { queue: { messages: 1_000 } });
  it.client.subscribe('down');
  it.connect();
  for (let i = 0; i < 100; i++) it.client.publish('up', 'x');
  it.settle();
  for (let i = 0; i < 20; i++) {
    server.current.send({ cmd: 'publish', topic: 'down', payload: `${i}`, qos: 0, dup: false, retain: false });
    it.time.advance(2 * SECOND);
    assert.equal(it.messages.length, i + 1);
  }
  assert.ok(it.client.stats().queued > 0, 'something has waited all the time');
});

test('a reader that is full stays paused, whatever the rate', () => {
  const time = new VirtualTime();
  const calls: string[] = [];
  const { adapter, events } = bareAdapter(time, calls);
  const transport = adapter({ publishesPerSecond: 10 });
  events().opened();
  assert.equal(transport.write(PUBLISH), PUBLISH.length);
  transport.pause();
  assert.deepEqual(calls.splice(0), [`write ${PUBLISH.length}`, 'pause']);
  events().received(new Uint8Array(1));
  time.advance(SECOND);
  assert.deepEqual(calls, ['pause']);
});

/** A PUBLISH of QoS 0 with 200 bytes: its length takes two. */
const PUBLISH = Uint8Array.from([0x30, 0xc8, 0x01, 0, 1, 0x74, ...new Array(197).fill(0x2e)]);
const PING = Uint8Array.of(0xc0, 0);

/** Adapters over a transport that takes `room` bytes at a time. */
function bareAdapter(time: VirtualTime, calls: string[], room: () => number = () => Number.POSITIVE_INFINITY) {
  let given: TransportEvents | undefined;
  const inner: Adapter = {
    ...memoryAdapter({ time, accept: () => true }),
    dial: (_: Endpoint, events: TransportEvents): Transport => {
      given = events;
      return {
        write(bytes) {
          const taken = Math.min(bytes.length, room());
          calls.push(`write ${taken}`);
          return taken;
        },
        pause: () => void calls.push('pause'),
        resume: () => void calls.push('resume'),
        close: () => void calls.push('close'),
        abort: () => void calls.push('abort'),
      };
    },
  };
  const heard: string[] = [];
  const adapter = (rates: Rates) =>
    shaped(inner, rates).dial(
      { host: 'h', port: 1 },
      {
        opened: () => heard.push('opened'),
        received: () => heard.push('received'),
        writable: () => heard.push('writable'),
        closed: (error) => heard.push(`closed ${error?.code}`),
        warning: ({ code }) => heard.push(code),
      },
    );
  return { inner, adapter, events: () => given!, heard };
}

test('packets are told apart wherever the bytes are cut, going in and going on', () => {
  const stream = Uint8Array.from([...PING, ...PUBLISH, ...PING, ...PUBLISH, ...PUBLISH, ...PING]);
  for (let cut = 1; cut <= stream.length; cut += 7) {
    for (const room of [1, 3, 1_000]) {
      const time = new VirtualTime();
      const written: number[] = [];
      const calls: string[] = [];
      const { adapter, events, heard } = bareAdapter(time, calls, () => room);
      const transport = adapter({ publishesPerSecond: 2 });
      events().opened();
      let rest = stream;
      let waits = 0;
      for (let guard = 0; rest.length > 0 && guard < 10_000; guard++) {
        const taken = transport.write(rest.subarray(0, cut));
        written.push(...rest.subarray(0, taken));
        rest = rest.subarray(taken);
        if (taken > 0) continue;
        waits++;
        assert.equal(rest[0], 0x30, 'only the beginning of a PUBLISH waits');
        heard.length = 0;
        time.advance(SECOND / 2);
        assert.ok(heard.includes('writable'));
      }
      assert.deepEqual(written, [...stream]);
      assert.equal(waits, 1, `cut ${cut}, room ${room}`);
    }
  }
});

test('a PUBLISH that the transport did not take is not counted twice', () => {
  const time = new VirtualTime();
  let room = 0;
  const { adapter, events } = bareAdapter(time, [], () => room);
  const transport = adapter({ publishesPerSecond: 1 });
  events().opened();
  for (let i = 0; i < 5; i++) assert.equal(transport.write(PUBLISH), 0);
  room = 1_000;
  assert.equal(transport.write(PUBLISH), PUBLISH.length);
  assert.equal(transport.write(PUBLISH), 0);
  time.advance(SECOND);
  assert.equal(transport.write(PUBLISH), PUBLISH.length);
});

test('dials beyond the rate wait, and the client is told', () => {
  const { it, server, adapter } = shapedWorld({ connectsPerMinute: 3 }, { reconnect: { minMillis: 1, maxMillis: 1 } });
  server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.peer.close();
  };
  it.connect();
  it.time.advance(SECOND);
  assert.equal(server.connections.length, 3);
  it.time.advance(MINUTE);
  assert.equal(server.connections.length, 6, '20 s apart');
  assert.ok(it.warnings.some(({ code }) => code === 'rate-shaped'));
  assert.ok(adapter.shaping.connects >= 3);
  it.client.abort();
  it.time.advance(MINUTE);
  assert.equal(it.time.pending(), 0);
});

test('a dial that waits can be given up; one that fails when its time comes is told', () => {
  const time = new VirtualTime();
  const { inner } = bareAdapter(time, []);
  let dials = 0;
  inner.dial = () => {
    dials++;
    throw mqttError('bad-option', 'no such host');
  };
  const adapter = shaped(inner, { connectsPerMinute: 1 });
  const heard: string[] = [];
  const events: TransportEvents = {
    opened: () => heard.push('opened'),
    received: () => heard.push('received'),
    writable: () => heard.push('writable'),
    closed: (error) => heard.push(`closed ${error?.code}`),
    warning: ({ code }) => heard.push(code),
  };
  assert.throws(() => adapter.dial({ host: 'h', port: 1 }, events), { message: 'no such host' });
  const waiting = adapter.dial({ host: 'h', port: 1 }, events);
  assert.equal(waiting.write(PING), 0);
  waiting.pause();
  waiting.resume();
  time.advance(MINUTE);
  assert.deepEqual(heard.splice(0), ['rate-shaped', 'closed bad-option']);
  adapter.dial({ host: 'h', port: 1 }, events).abort();
  time.advance(MINUTE);
  assert.deepEqual(heard.splice(0), []);
  assert.throws(() => adapter.dial({ host: 'h', port: 1 }, events), { message: 'no such host' });
  adapter.dial({ host: 'h', port: 1 }, events).close();
  time.advance(MINUTE);
  assert.deepEqual(heard, ['closed undefined']);
  assert.equal(dials, 3);
  assert.equal(time.pending(), 0);
});

for (const [name, most] of [
  ['publishesPerSecond', 100_000],
  ['acknowledgedPerSecond', 100_000],
  ['connectsPerMinute', 6_000],
] as const) {
  test(`a bad option is refused: ${name} is 1 to ${most}`, () => {
    const inner = memoryAdapter({ time: new VirtualTime(), accept: () => true });
    for (const value of [0, most + 1, 1.5, '7', Number.NaN]) {
      assert.throws(() => shaped(inner, { [name]: value }), {
        code: 'bad-option',
        message: `${name} must be a whole number from 1 to ${most}, not ${value}`,
      });
    }
  });
}
