// What is handed in may fail, listeners may do anything at any time, and input may be wrong: nothing wedges, nothing is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClientOptions, deviceSecret, mqttPacketFraming, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { nodeTls } from '../../src/node.ts';
import { Router } from '../../src/router.ts';
import { persistSession } from '../../src/store.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const MINUTE = 60_000;

/** A world whose transports throw in write() while `wire.broken`. */
function fragile() {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  server.respond = obligingly;
  const inner = memoryAdapter({ time, accept: server.accept });
  const wire = { broken: false };
  const adapter: typeof inner = {
    ...inner,
    dial(endpoint, events) {
      const transport = inner.dial(endpoint, events);
      const write = transport.write.bind(transport);
      transport.write = (bytes) => {
        if (wire.broken) throw new Error('socket is gone');
        return write(bytes);
      };
      return transport;
    },
  };
  return { it: world({ adapter }, {}, time), server, wire };
}

test('a store that is full refuses the message with nothing taken, and costs a queued one its connection only', () => {
  const it = world();
  it.server.respond = obligingly;
  let full = true;
  const put = () => {
    if (full) throw new Error('ENOSPC');
  };
  persistSession(it.client, { put, remove: () => {}, each: () => {} });
  let done = 0;
  it.client.publish('queued', 'x', { qos: 1 }, () => done++);
  it.connect();
  assert.deepEqual(
    it.disconnects.map(({ code }) => code),
    ['host-failed'],
  );
  assert.equal((it.disconnects[0]!.error!.cause as Error).message, 'ENOSPC');
  full = false;
  it.time.advance(MINUTE);
  assert.equal(done, 1);
  full = true;
  assert.throws(() => it.client.publish('t', 'x', { qos: 1 }), { message: 'ENOSPC' });
  assert.equal(it.client.stats().inFlight, 0);
});

test('a transport whose write throws is given up, and dialled again', () => {
  const { it, wire } = fragile();
  it.connect();
  wire.broken = true;
  let done = 0;
  it.client.publish('t', 'x', { qos: 1 }, () => done++);
  assert.equal(it.disconnects[0]?.code, 'host-failed');
  wire.broken = false;
  it.time.advance(MINUTE);
  assert.deepEqual([done, it.client.stats().state], [1, 'connected']);
});

test('a transport that is slow and keeps moving is not taken for a stalled one', () => {
  const it = world({ connectTimeoutMillis: 10_000 });
  it.server.respond = obligingly;
  it.connect();
  it.server.current.peer.allow(0);
  let done = 0;
  it.client.publish('t', new Uint8Array(60_000), { qos: 1 }, () => done++);
  for (let n = 0; n < 70 && done === 0; n++) {
    it.server.current.peer.allow(1_000);
    it.time.advance(1_000);
  }
  assert.deepEqual([done, it.disconnects.length], [1, 0]);
});

test('[MQTT-4.8.0-1] a malformed packet ends the connection at once, also while the transport is full', () => {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const inner = memoryAdapter({ time, accept: server.accept });
  // As with a real socket, bytes on their way arrive although reading was stopped.
  const deaf = {
    ...inner,
    dial: (...call: Parameters<typeof inner.dial>) => Object.assign(inner.dial(...call), { pause() {} }),
  };
  const it = world({ adapter: deaf }, {}, time);
  it.client.connect();
  it.settle();
  server.current.peer.allow(0);
  it.client.publish('t', 'x', { qos: 1 });
  server.current.send(Uint8Array.of(0x36, 0, 0));
  it.settle();
  assert.deepEqual(
    it.disconnects.map(({ code }) => code),
    ['malformed-packet'],
  );
});

test('a message that two hold is acknowledged when both are done', () => {
  const it = world();
  it.client.on('message', (message) => {
    it.client.hold(message);
    it.client.hold(message);
  });
  it.connect();
  it.server.current.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 1, messageId: 3, dup: false, retain: false });
  it.settle();
  const [message] = it.messages;
  it.client.acknowledge(message!);
  it.settle();
  assert.equal(it.server.current.of('puback').length, 0);
  it.client.acknowledge(message!);
  it.client.acknowledge(message!);
  it.settle();
  assert.equal(it.server.current.of('puback').length, 1);
  assert.throws(() => it.client.hold(message!), { code: 'bad-option' });
});

test('a handler that rejects is reported to the host where nobody listens, and its message acknowledged', () => {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const reported: unknown[] = [];
  const client = new Client({
    adapter: memoryAdapter({ time, accept: server.accept, report: (error) => reported.push(error) }),
    endpoints: [{ host: 'server', port: 1 }],
    identity: plainIdentity({ clientId: 'c' }),
  });
  const rejecting = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    then: (_: () => void, failed: (error: unknown) => void) => failed('mine'),
  };
  new Router(client).handle('t', () => rejecting);
  client.connect();
  time.advance(0);
  server.current.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 1, messageId: 3, dup: false, retain: false });
  time.advance(0);
  assert.deepEqual([server.current.of('puback').length, reported], [1, ['mine']]);
});

test('what is begun inside the last disconnected event is not ended by it', () => {
  const it = world({ reconnect: false });
  it.server.respond = obligingly;
  const ends: unknown[] = [];
  it.connect();
  let once = true;
  it.client.on('disconnected', () => {
    if (!once) return;
    once = false;
    it.client.publish('t', 'x', { qos: 1 }, (error) => ends.push(error));
    it.client.connect();
  });
  it.server.current.peer.close();
  it.time.advance(MINUTE);
  assert.deepEqual([ends, it.client.stats().state], [[undefined], 'connected']);
});

test('close() inside the warning of plain TCP keeps it from being dialled', () => {
  const it = world({ allowPlaintext: true }, { security: 'plaintext' });
  it.client.on('warning', () => it.client.close());
  it.connect();
  assert.deepEqual([it.server.connections.length, it.client.stats().state], [0, 'idle']);
});

test('after abort() in one listener for connected the others are not told', () => {
  const it = world();
  it.client.on('connected', () => it.client.abort());
  let later = 0;
  it.client.on('connected', () => later++);
  it.connect();
  assert.equal(later, 0);
});

test("the queue's bounds hold inside a listener too", () => {
  const it = world({ queue: { messages: 5 } });
  let taken = 0;
  it.client.on('connected', () => {
    for (let n = 0; n < 1_000; n++) {
      try {
        it.client.publish('t', 'x');
        taken++;
      } catch {}
    }
  });
  it.connect();
  assert.equal(taken < 60, true, `${taken} taken`);
  assert.equal(it.server.current.of('publish').length, taken);
});

test('with a queue for no message, what fits in flight is taken inside a listener too', () => {
  const it = world({ queue: { messages: 0 }, maxInFlight: 10 });
  it.client.on('connected', () => {
    for (let n = 0; n < 10; n++) it.client.publish('t', String(n), { qos: 1 });
  });
  it.connect();
  assert.deepEqual([it.warnings, it.server.current.of('publish').length], [[], 10]);
});

test('a message that can never fit into the queue is told so', () => {
  const it = world({ queue: { bytes: 1_000 } });
  assert.throws(() => it.client.publish('t', new Uint8Array(2_000)), { code: 'packet-too-large' });
});

test('a policy for refusals that throws is reported, and the client goes on patiently', () => {
  const refused = () => {
    throw new Error('mine');
  };
  const reported: unknown[] = [];
  const it = world({ reconnect: { refused } }, { random: () => 0.5, report: (error) => reported.push(error) });
  it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  it.connect();
  assert.deepEqual([reported.length, it.disconnects.at(-1)?.retryInMillis], [1, 60_000]);
});

const WRONG: readonly [string, unknown][] = [
  ['keepAliveSeconds as text', { keepAliveSeconds: '60' }],
  ['connectTimeoutMillis as text', { connectTimeoutMillis: '30000' }],
  ['maxHeld as a switch', { maxHeld: true }],
  ['pingTimeoutMillis 0', { pingTimeoutMillis: 0 }],
  ['closeTimeoutMillis -1', { closeTimeoutMillis: -1 }],
  ['maxInFlight 0', { maxInFlight: 0 }],
  ['maxInFlight 65536', { maxInFlight: 65_536 }],
  ['maxFiltersPerSubscribe 0', { maxFiltersPerSubscribe: 0 }],
  ['reconnect.minMillis above maxMillis', { reconnect: { minMillis: 10, maxMillis: 5 } }],
  ['reconnect.maxMillis 0', { reconnect: { maxMillis: 0 } }],
  ['reconnect.stableMillis -1', { reconnect: { stableMillis: -1 } }],
  ['reconnect.refused as text', { reconnect: { refused: 'stop' } }],
  ['queue null', { queue: null }],
  ['queue.messages -1', { queue: { messages: -1 } }],
  ['queue.bytes 2^31', { queue: { bytes: 2 ** 31 } }],
  ['endpoint null', { endpoints: [null] }],
  ['adapter not called', { adapter: nodeTls }],
  ['no adapter', { adapter: undefined }],
  ['identity as text', { identity: 'me' }],
  ['framing not called', { framing: mqttPacketFraming }],
  ['delivery by name', { delivery: 'exactlyOnce' }],
  ['cleanSession as text', { cleanSession: 'false' }],
  ['production as number', { production: 1 }],
];

for (const [name, options] of WRONG) {
  test(`a wrong option is refused with bad-option: ${name}`, () => {
    assert.throws(() => world(options as Partial<ClientOptions>), { code: 'bad-option' });
  });
}

test('wrong calls get a typed error', () => {
  const { client } = world();
  const bad = (call: () => unknown, code: string) => assert.throws(call, { code });
  bad(() => new Client(undefined as never), 'bad-option');
  bad(() => client.publish('t', 'x', (() => {}) as never), 'bad-option');
  bad(() => client.publish('t', 'x', null as never), 'bad-option');
  bad(() => client.publish('t', 'x', {}, 5 as never), 'bad-option');
  bad(() => client.publish('t', undefined as never), 'bad-packet');
  bad(() => client.publish('t', 'x', { retain: 'no' as never }), 'bad-packet');
  bad(() => client.publish('t', 'x\ud800'), 'bad-packet');
  bad(() => client.subscribe('t', (() => {}) as never), 'bad-option');
  bad(() => client.on('message', undefined as never), 'bad-option');
  bad(() => client.close(null as never), 'bad-option');
  bad(() => new Router(client).handle('t', 5 as never), 'bad-option');
  bad(() => mqttPacketFraming(Number.NaN), 'bad-option');
  bad(() => mqttPacketFraming('1000' as never), 'bad-option');
  bad(() => plainIdentity(undefined as never), 'bad-option');
  bad(() => deviceSecret(undefined as never), 'bad-option');
  bad(() => nodeTls({ ca: [] }), 'bad-option');
  bad(() => nodeTls({ ca: 5 as never }), 'bad-option');
  bad(() => nodeTls({ ca: Buffer.from('no certificate') }), 'bad-option');
  bad(() => nodeTls({ minVersion: 'TLSv1' as never }), 'bad-option');
  bad(() => nodeTls({ warnDays: Number.NaN }), 'bad-option');
});

test('[MQTT-3.1.2-9] a will is checked when the client is made, and may have QoS 2 where the client has not', () => {
  const will = { topic: 'gone', payload: new Uint8Array(0), qos: 2, retain: false } as const;
  assert.ok(world({ will }), 'the server publishes it');
  for (const wrong of [{ topic: 'a/#' }, { payload: new Uint8Array(65_536) }, { qos: 3 as never }]) {
    assert.throws(() => world({ will: { ...will, ...wrong } }), { code: /^bad-(topic|packet)$/ });
  }
});

test('a transport whose write throws when it has room again is given up, and dialled again', () => {
  const { it, server, wire } = fragile();
  it.connect();
  server.current.peer.allow(1);
  let done = 0;
  it.client.publish('t', 'x', { qos: 1 }, () => done++);
  wire.broken = true;
  server.current.peer.allow(1_000);
  it.settle();
  wire.broken = false;
  it.time.advance(MINUTE);
  assert.deepEqual([it.disconnects.map(({ code }) => code), done], [['host-failed'], 1]);
});

test('an identity that closes the client when it is asked for credentials is obeyed', () => {
  for (const failsToo of [false, true]) {
    const it: World = world({
      identity: {
        credentials() {
          it.client.close();
          if (failsToo) throw new Error('mine');
          return { clientId: 'device' };
        },
      },
    });
    it.connect();
    it.time.advance(10 * MINUTE);
    assert.deepEqual([it.client.stats().state, it.server.connections.length, it.time.pending()], ['idle', 0, 0]);
  }
});

test('an identity that begins anew when it is asked for credentials gets one connection, with the newer ones', () => {
  let asked = 0;
  const it: World = world({
    identity: {
      credentials() {
        const clientId = `device-${++asked}`;
        if (asked === 1) {
          it.client.close();
          it.client.connect();
        }
        return { clientId };
      },
    },
  });
  it.connect();
  assert.deepEqual(
    it.server.connections.map((connection) => connection.of('connect')[0]?.clientId),
    ['device-2'],
  );
  assert.equal(it.client.stats().state, 'connected');
});
