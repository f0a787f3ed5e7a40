// Endpoints in an order: what is left at once, what is tried again, and the patient return to the first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqttError } from '../../src/error.ts';
import { type FailoverOptions, failover } from '../../src/failover.ts';
import { type Adapter, Client, type MqttError, plainIdentity, type Warning } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { ScriptedServer } from '../support/scripted-server.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

type Fault = MqttError | 'silent' | 'throws' | number | undefined;

function world(count = 3, options: FailoverOptions = {}) {
  const time = new VirtualTime(2 ** 32 - 30_000);
  const server = new ScriptedServer();
  const it = {
    time,
    server,
    /** How each endpoint behaves: it fails so, is silent, refuses with a code, or is well. */
    faults: new Array<Fault>(count).fill(undefined),
    dialled: [] as number[],
    warnings: [] as Warning[],
    client: undefined as unknown as Client,
    /** Where the client is. */
    at: () => it.client.connected?.endpoint.port,
    lose(millis: number) {
      server.connections.at(-1)?.peer.close();
      time.advance(millis);
    },
  };
  let code = 0;
  server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: code, sessionPresent: false });
    if (packet.cmd === 'pingreq') connection.send({ cmd: 'pingresp' });
  };
  const inner = memoryAdapter({ time, accept: server.accept });
  const adapter: Adapter = {
    ...inner,
    dial(endpoint, events) {
      const index = endpoint.port - 1;
      it.dialled.push(endpoint.port);
      const fault = it.faults[index];
      code = typeof fault === 'number' ? fault : 0;
      if (fault === undefined || typeof fault === 'number') return inner.dial(endpoint, events);
      if (fault === 'throws') throw mqttError('tls', 'the root has ended', { reason: 'ca-expired' });
      if (fault !== 'silent') time.schedule(1, () => events.closed(fault));
      return { write: () => 0, pause() {}, resume() {}, close() {}, abort() {} };
    },
  };
  const endpoints = it.faults.map((_, index) => ({ host: 'h', port: index + 1, roots: `set${index + 1}` }));
  const base = { adapter, endpoints, identity: plainIdentity({ clientId: 'device' }), connectTimeoutMillis: 10_000 };
  const reconnect = { minMillis: SECOND, maxMillis: SECOND };
  it.client = new Client(failover({ ...base, reconnect }, options));
  it.client.on('warning', (warning) => it.warnings.push(warning));
  return it;
}

const tls = (reason?: string) => mqttError('tls', 'as the host says it', reason === undefined ? {} : { reason });

test('the first endpoint is dialled, again and again, for as long as it can be reached', () => {
  const it = world();
  it.client.connect();
  for (let i = 0; i < 5; i++) it.lose(5 * SECOND);
  assert.deepEqual(new Set(it.dialled), new Set([1]));
  assert.deepEqual(it.warnings, []);
});

for (const [what, fault, times] of [
  ['dns', mqttError('dns', 'x'), 1],
  ['tcp', mqttError('tcp', 'x', { reason: 'econnrefused' }), 1],
  ['a close before CONNACK', mqttError('closed-by-peer', 'x'), 1],
  ['no answer in time', 'silent', 1],
  ['server unavailable, code 3', 3, 1],
  ['roots that have ended', 'throws', 1],
  ['a host name that is not in the certificate', tls('host-name'), 1],
  ['a handshake', tls('handshake'), 4],
  ['a certificate that is not trusted', tls('untrusted'), 4],
  ['a handshake without a reason', tls(), 4],
] as const) {
  test(`${what}: the endpoint is left after ${times}, and the next one is dialled`, () => {
    const it = world();
    it.faults[0] = fault;
    it.client.connect();
    it.time.advance(12 * SECOND);
    assert.deepEqual(it.dialled, [...new Array(times).fill(1), 2]);
    assert.equal(it.at(), 2);
    assert.equal(it.client.connected?.endpoint.roots, 'set2');
    assert.equal(it.warnings.filter(({ code }) => code === 'failover').length, 1);
  });
}

for (const returnCode of [4, 5]) {
  test(`code ${returnCode} is about the device: every endpoint would say it, so the first is kept`, () => {
    const it = world();
    it.faults[0] = returnCode;
    it.client.connect();
    it.time.advance(20 * SECOND);
    assert.ok(it.dialled.length > 3 && it.dialled.every((port) => port === 1), `${it.dialled}`);
  });
}

test('the return to the first is patient: at the next dial after its while, which doubles up to the most', () => {
  const it = world(2, { awayMillis: 10 * SECOND, maxAwayMillis: 40 * SECOND });
  it.faults[0] = mqttError('tcp', 'x');
  it.client.connect();
  it.time.advance(2 * SECOND);
  assert.equal(it.at(), 2);
  const spans: number[] = [];
  let last = it.time.now();
  it.dialled.length = 0;
  for (let i = 0; i < 150; i++) {
    it.lose(SECOND);
    if (!it.dialled.includes(1)) continue;
    spans.push(Math.round(((it.time.now() - last) >>> 0) / SECOND));
    last = it.time.now();
    it.dialled.length = 0;
  }
  assert.ok(spans.length >= 4, `${spans}`);
  assert.ok(spans[0]! >= 8 && spans[0]! <= 12, `${spans}`);
  assert.ok(spans[1]! >= 20 && spans[1]! <= 23, `${spans}`);
  assert.ok(
    spans.slice(2).every((span) => span >= 40 && span <= 44),
    `${spans}`,
  );
  it.faults[0] = undefined;
  for (let i = 0; i < 60; i++) it.lose(SECOND);
  assert.equal(it.at(), 1);
  it.faults[0] = mqttError('tcp', 'x');
  it.lose(3 * SECOND);
  assert.equal(it.at(), 2);
  it.faults[0] = undefined;
  it.time.advance(11 * SECOND);
  it.lose(3 * SECOND);
  assert.equal(it.at(), 1, 'a login that was accepted makes the while short again');
});

test('a connection to another endpoint is not given up for the first: it is for as long as it lasts', () => {
  const it = world();
  it.faults[0] = mqttError('dns', 'x');
  it.client.connect();
  it.time.advance(3 * SECOND);
  it.faults[0] = undefined;
  it.time.advance(10 * MINUTE);
  assert.equal(it.at(), 2);
  assert.deepEqual(it.dialled, [1, 2]);
});

test('where all are left alone the one is dialled that was so for the longest', () => {
  const it = world(3, { awayMillis: 20 * SECOND, maxAwayMillis: 20 * SECOND });
  it.faults.fill(mqttError('tcp', 'x'));
  it.client.connect();
  it.time.advance(20 * SECOND);
  assert.deepEqual(it.dialled.slice(0, 9), [1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

test('handshakes have to fail in a row', () => {
  const it = world(2, { handshakes: 2 });
  it.client.connect();
  for (let i = 0; i < 6; i++) {
    it.faults[0] = tls('handshake');
    it.lose(600);
    it.faults[0] = undefined;
    it.time.advance(2 * SECOND);
  }
  assert.deepEqual(new Set(it.dialled), new Set([1]));
});

test('what is no CONNACK, and one in pieces, are understood', () => {
  const it = world();
  const { respond } = it.server;
  it.server.respond = (_, connection) => connection.send(Uint8Array.from(Buffer.from('HTTP/1.1 400')));
  it.client.connect();
  it.time.advance(300);
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') for (const byte of [0x20, 2, 0, 0]) connection.send(Uint8Array.of(byte));
  };
  it.time.advance(2 * SECOND);
  assert.equal(it.at(), 2);
  it.server.respond = respond;
  it.lose(2 * SECOND);
  assert.equal(it.at(), 2);
});

test('one endpoint alone is dialled as without this, and nobody is warned', () => {
  const it = world(1);
  it.faults[0] = mqttError('tcp', 'x');
  it.client.connect();
  it.time.advance(10 * SECOND);
  assert.ok(it.dialled.length > 5);
  assert.deepEqual(it.warnings, []);
});

test('nothing is left behind when it is given up', () => {
  const it = world();
  it.faults.fill('silent');
  it.client.connect();
  it.client.abort();
  it.time.advance(0);
  assert.equal(it.time.pending(), 0);
});

for (const [message, options, endpoints] of [
  ['handshakes must be a whole number from 1 to 100, not 0', { handshakes: 0 }, undefined],
  ['maxAwayMillis must be a whole number from 1 to 86400000, not 0', { maxAwayMillis: 0 }, undefined],
  ['awayMillis must be a whole number from 1 to 5, not 6', { awayMillis: 6, maxAwayMillis: 5 }, undefined],
  ['endpoints are missing', {}, []],
  [
    'host is missing in an endpoint',
    {},
    [
      { host: 'h', port: 1 },
      { host: '', port: 1 },
    ],
  ],
  [
    'port must be a whole number from 1 to 65535, not 0',
    {},
    [
      { host: 'h', port: 1 },
      { host: 'h', port: 0 },
    ],
  ],
] as const) {
  test(`a bad option is refused: ${message}`, () => {
    const { options: given } = world().client;
    assert.throws(() => failover({ ...given, ...(endpoints ? { endpoints } : {}) }, options), {
      code: 'bad-option',
      message,
    });
  });
}
