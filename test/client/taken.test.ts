// A transport that has copied what it was given says so: memory is used again, and nobody looks at it any more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clocked, DeviceClock } from '../../src/clock.ts';
import { failover } from '../../src/failover.ts';
import { type Adapter, Client, type ClientOptions, exactlyOnce, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { recordTrace } from '../../src/trace.ts';
import { RootStore, trusted } from '../../src/trust.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { makeRoot } from '../support/trust-world.ts';
import { Flash } from '../support/virtual-platform.ts';

const NOW = Date.UTC(2026, 10, 29);

/** Copies, says so, and spoils what it was given: it may be written over at once. @param seen what it was given */
const copying = (inner: Adapter, seen: Uint8Array[]): Adapter => ({
  ...inner,
  dial(endpoint, events) {
    const transport = inner.dial(endpoint, events);
    return {
      write(bytes) {
        const count = transport.write(bytes.slice());
        if (count < bytes.length) return count;
        seen.push(bytes);
        events.taken!(bytes);
        bytes.fill(0xee);
        return count;
      },
      pause: () => transport.pause(),
      resume: () => transport.resume(),
      close: () => transport.close(),
      abort: () => transport.abort(),
    };
  },
});

const pem = (await makeRoot('root', NOW)).pem;

const throughTrust = (options: ClientOptions): ClientOptions => {
  const store = new RootStore({ store: new Flash(), wallClock: () => NOW, sets: { all: pem } });
  return { ...options, adapter: trusted({ store, adapter: () => options.adapter }) };
};

const throughClock = (options: ClientOptions): ClientOptions =>
  clocked(options, { clock: new DeviceClock({ host: options.adapter, wallClock: () => NOW }) });

for (const [name, wrap] of [
  ['the adapter itself', (options: ClientOptions) => options],
  ['failover()', (options: ClientOptions) => failover(options)],
  ['clocked()', throughClock],
  ['trusted()', throughTrust],
] as const) {
  test(`messages one after another have the same memory, and arrive as they were: ${name}`, () => {
    const time = new VirtualTime();
    const server = new ScriptedServer();
    server.respond = obligingly;
    const seen: Uint8Array[] = [];
    const adapter = copying(memoryAdapter({ time, accept: server.accept }), seen);
    const identity = plainIdentity({ clientId: 'device' });
    const client = new Client(wrap({ adapter, endpoints: [{ host: 'h', port: 1 }], identity, delivery: exactlyOnce }));
    client.connect();
    time.advance(0);
    const from = seen.length;
    for (let n = 0; n < 9; n++) client.publish(`topic/${n}`, `message ${n}`, { qos: (n % 3) as 0 | 1 | 2 });
    time.advance(0);
    const { received } = server.current;
    const published = received.filter((it) => it.cmd === 'publish');
    assert.deepEqual(
      published.map(({ topic, payload }) => `${topic} ${payload}`),
      published.map((_, n) => `topic/${n} message ${n}`),
    );
    assert.equal(published.length, 9);
    const sent = seen.slice(from, from + 9);
    assert.deepEqual(new Set(sent.map(({ byteOffset }) => byteOffset)).size, 1);
    assert.equal(new Set(sent.map(({ buffer }) => buffer)).size, 1);
    assert.equal(client.stats().inFlight, 0);
  });
}

test('a trace tells what was sent, not what lies there later', () => {
  const traces = [true, false].map((copies) => {
    const time = new VirtualTime();
    const server = new ScriptedServer();
    server.respond = obligingly;
    const inner = memoryAdapter({ time, accept: server.accept });
    const adapter = copies ? copying(inner, []) : inner;
    const client = new Client({
      adapter,
      endpoints: [{ host: 'h', port: 1 }],
      identity: plainIdentity({ clientId: 'device' }),
    });
    const lines: string[] = [];
    recordTrace(client, (line) => lines.push(line));
    client.connect();
    time.advance(0);
    for (let n = 0; n < 5; n++) client.publish('topic', `message ${n}`, { qos: 1 });
    time.advance(0);
    return lines;
  });
  assert.ok(traces[0]!.length > 10);
  assert.deepEqual(traces[0], traces[1]);
});
