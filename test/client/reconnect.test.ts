// Losing and finding the server again: backoff, takeover, refusals, what survives (platform rows 4 to 8, 14).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientOptions, defaultRefusal, deviceSecret, mqttPacketFraming } from '../../src/index.ts';
import type { MemoryPeer } from '../../src/memory.ts';
import { watchTakeover } from '../../src/takeover.ts';
import { obligingly, politely } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

const MINUTE = 60_000;

/** A server that throws the client out right after every login, as when a second device has its credentials. */
function kicking(options: Partial<ClientOptions> = {}, random = () => 0.5): World {
  const it = world(options, { random });
  it.server.respond = (packet, connection) => {
    politely(packet, connection);
    if (packet.cmd === 'connect') connection.peer.close();
  };
  watchTakeover(it.client);
  return it;
}

test('[row 4] two devices that kick each other slow down, say so, and never storm', () => {
  const it = kicking();
  it.connect();
  const perMinute: number[] = [];
  for (let minute = 0; minute < 10; minute++) {
    const before = it.server.connections.length;
    it.time.advance(MINUTE);
    perMinute.push(it.server.connections.length - before);
  }
  assert.ok(it.server.connections.length < 20, `${it.server.connections.length} logins in ten minutes`);
  assert.ok(perMinute.at(-1)! <= 1, `${perMinute}`);
  const suspicion = it.warnings.find(({ code }) => code === 'takeover-suspected');
  assert.deepEqual(suspicion?.cause, { times: 3, withinMillis: 3_000, lastedMillis: 0 });
  assert.equal(
    suspicion?.message,
    'logged in, and closed soon after, 3 times within 1 minutes, the last time after 0 ms: is this identity used twice?',
  );
  it.time.advance(60 * MINUTE);
  const before = it.server.connections.length;
  it.time.advance(240 * MINUTE);
  const logins = it.server.connections.length - before;
  assert.ok(logins >= 8 && logins <= 17, `${logins} logins in four hours, a quarter of an hour apart`);
});

test('[row 4] a bad network is told apart: dials that fail in between, and links that die, are no takeover', () => {
  const suspicions = (it: World) => it.warnings.filter(({ code }) => code === 'takeover-suspected').length;
  const flaky = kicking();
  // Every third dial fails.
  flaky.client.on('connected', () => {
    flaky.server.listening = flaky.server.connections.length % 2 > 0;
  });
  flaky.client.on('disconnected', ({ wasConnected }) => {
    if (!wasConnected) flaky.server.listening = true;
  });
  flaky.connect();
  flaky.time.advance(30 * MINUTE);
  assert.ok(flaky.server.connections.length > 10);
  assert.equal(suspicions(flaky), 0);

  const dying = kicking({ keepAliveSeconds: 10, pingTimeoutMillis: 1_000 });
  dying.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') politely(packet, connection);
  };
  dying.connect();
  dying.time.advance(30 * MINUTE);
  assert.ok(dying.disconnects.filter(({ code }) => code === 'pingresp-timeout').length > 10);
  assert.equal(suspicions(dying), 0);
});

test('[row 4] while it is suspected a connection has to outlast the longest delay of the other one; what ends otherwise acquits', () => {
  const it = kicking();
  const suspicions = () => it.warnings.filter(({ code }) => code === 'takeover-suspected').length;
  it.connect();
  it.time.advance(10 * MINUTE);
  it.server.respond = politely;
  it.time.advance(60 * MINUTE);
  assert.equal(it.client.stats().state, 'connected');
  const told = suspicions();
  it.server.current.peer.close();
  it.settle();
  assert.equal(suspicions(), told, 'an hour was longer than any delay');
  assert.equal(it.disconnects.at(-1)?.retryInMillis, 1_000);
  it.time.advance(MINUTE);
  for (let i = 0; i < 3; i++) {
    it.server.current.peer.close();
    it.time.advance(20_000);
  }
  assert.equal(suspicions(), told + 1);
  it.time.advance(20 * MINUTE);
  it.server.current.peer.close();
  it.settle();
  assert.equal(suspicions(), told + 2, 'twenty minutes were not');
  assert.equal(it.disconnects.at(-1)?.retryInMillis, 16_000, 'and the delays go on growing');
  it.time.advance(20 * MINUTE);
  it.server.respond = () => {};
  it.time.advance(7 * MINUTE);
  assert.equal(it.disconnects.find(({ code }) => code === 'pingresp-timeout')?.retryInMillis, 1_000);
});

for (const [options, reason] of [
  [{ times: 1 }, 'times must be a whole number from 2 to 100, not 1'],
  [{ soonMillis: 0 }, 'soonMillis must be a whole number from 1 to 86400000, not 0'],
  [{ maxDelayMillis: 86_400_001 }, 'maxDelayMillis must be a whole number from 1 to 86400000, not 86400001'],
] as const) {
  test(`watchTakeover: a bad option is refused: ${reason}`, () => {
    assert.throws(() => watchTakeover(world().client, options), { code: 'bad-option', message: reason });
  });
}

test('[row 4] the flapping ends by itself once the other device is gone', () => {
  const it = kicking();
  it.connect();
  it.time.advance(5 * MINUTE);
  it.server.respond = politely;
  it.time.advance(45 * MINUTE);
  assert.equal(it.client.stats().state, 'connected');
  const warned = it.warnings.length;
  it.server.current.peer.close(); // After a connection that lasted, a loss is an ordinary one.
  it.settle();
  assert.equal(it.disconnects.at(-1)?.retryInMillis, 1_000);
  assert.equal(it.warnings.length, warned);
});

test('[row 5] after any loss the client returns, its subscriptions and its QoS 1 queue survive', () => {
  const it = world();
  const done: string[] = [];
  it.client.subscribe('down', { qos: 1 });
  it.connect();
  it.client.publish('up', 'one', { qos: 1 }, (error) => done.push(`one ${error?.code}`));
  it.settle();
  it.server.listening = false;
  it.server.current.peer.close();
  it.settle();
  it.client.publish('up', 'two', { qos: 1 }, (error) => done.push(`two ${error?.code}`));
  it.time.advance(MINUTE);
  assert.deepEqual(done, []);
  it.server.listening = true;
  it.server.respond = obligingly;
  it.time.advance(3 * MINUTE);
  assert.deepEqual(done, ['one undefined', 'two undefined']);
  assert.deepEqual(
    it.server.current.of('subscribe').map(({ subscriptions }) => subscriptions[0]?.topic),
    ['down'],
  );
  assert.equal(it.connects, 2);
});

test('[row 5] subscriptions go out before what is published again, so that answers find their way back', () => {
  const it = world();
  it.connect();
  it.client.subscribe('answer', { qos: 1 });
  it.client.publish('question', '?', { qos: 1 });
  it.settle();
  it.server.current.peer.close();
  it.time.advance(MINUTE);
  assert.deepEqual(it.server.current.received.map(({ cmd }) => cmd).slice(0, 3), ['connect', 'subscribe', 'publish']);
});

test('[row 5] a connection cut inside a packet is followed by a clean new one', () => {
  const it = world();
  it.connect();
  it.server.current.send(Uint8Array.of(0x30, 0x20, 0, 3));
  it.server.current.peer.close();
  it.time.advance(MINUTE);
  it.server.current.send({ cmd: 'publish', topic: 't', payload: 'whole', qos: 0, dup: false, retain: false });
  it.settle();
  assert.equal(it.messages.length, 1);
  assert.equal(it.disconnects.length, 1);
});

test('[row 6] [pain 15] what happens to the connection is told: codes, causes and what comes next', () => {
  const it = world({ connectTimeoutMillis: 5_000 });
  it.server.listening = false;
  it.connect();
  it.server.listening = true;
  it.server.respond = () => {};
  it.time.advance(1_000 + 5_000);
  it.server.respond = (packet, connection) =>
    packet.cmd === 'connect' && connection.send({ cmd: 'connack', returnCode: 3, sessionPresent: false });
  it.time.advance(2_000);
  it.server.respond = politely;
  it.time.advance(10_000);
  it.client.close();
  it.settle();
  const told = it.disconnects.map(({ code, error, retryInMillis, wasConnected }) => [
    code,
    error?.returnCode,
    retryInMillis,
    wasConnected,
  ]);
  assert.deepEqual(told, [
    ['tcp', undefined, 1_000, false],
    ['connect-timeout', undefined, 2_000, false],
    ['refused', 3, 4_000, false],
    ['closed', undefined, undefined, true],
  ]);
});

test('[row 7] plain TCP needs an explicit option and gives a warning', () => {
  assert.throws(() => world({}, { security: 'plaintext' }), {
    code: 'bad-option',
    message: 'allowPlaintext is not set: plain TCP is for tests only, use TLS',
  });
  const it = world({ allowPlaintext: true }, { security: 'plaintext' });
  it.connect();
  assert.deepEqual(
    it.warnings.map(({ code }) => code),
    ['plaintext'],
  );
  assert.equal(it.connects, 1);
});

test('[row 8] production makes plain TCP throw, whatever else is allowed', () => {
  const options = { allowPlaintext: true, production: true };
  assert.throws(() => world(options, { security: 'plaintext' }), {
    code: 'bad-option',
    message: 'production refuses plain TCP: use TLS',
  });
  assert.ok(world({ production: true }));
});

test('[row 8] production refuses TLS to a server that nobody verifies', () => {
  assert.throws(() => world({ production: true }, { security: 'unauthenticated' }), {
    code: 'bad-option',
    message: 'production refuses a server that nobody verifies: give its root',
  });
});

for (const [security, code] of [
  ['plaintext', 'plaintext'],
  ['unauthenticated', 'unauthenticated-server'],
] as const) {
  test(`${security}: every dial says so, before anything is sent; who hears it may close`, () => {
    const it = world({ allowPlaintext: true }, { security });
    const sent: number[] = [];
    it.client.on('warning', () => sent.push(it.server.connections.length));
    it.connect();
    it.server.current.peer.close();
    it.time.advance(MINUTE);
    assert.deepEqual(
      it.warnings.map((warning) => warning.code),
      [code, code],
    );
    assert.deepEqual(sent, [0, 1]);
    it.client.on('warning', () => it.client.close());
    it.server.current.peer.close();
    it.time.advance(MINUTE);
    assert.equal(it.server.connections.length, 2);
    assert.equal(it.client.stats().state, 'idle');
  });

  test(`${security}: who closes and connects on hearing it has one connection`, () => {
    const it = world({ allowPlaintext: true }, { security });
    let times = 0;
    it.client.on('warning', () => {
      if (times++ > 0) return;
      it.client.close();
      it.client.connect();
    });
    it.connect();
    assert.equal(it.server.connections.length, 1);
    assert.equal(it.client.stats().state, 'connected');
  });
}

test('[row 14] there is no built-in host: without an endpoint the client throws; names and addresses are taken', () => {
  for (const endpoints of [[], undefined]) {
    assert.throws(() => world({ endpoints } as unknown as ClientOptions), {
      code: 'bad-option',
      message: 'endpoints are missing: copy host and port from the console of your platform',
    });
  }
  for (const host of ['127.0.0.1', '::1', 'pk.iot-as-mqtt.cn-shanghai.aliyuncs.com']) {
    assert.ok(world({ endpoints: [{ host, port: 8883 }] }));
  }
  for (const endpoint of [
    { host: '', port: 1 },
    { host: 'h', port: 0 },
    { host: 'h', port: 65_536 },
  ]) {
    assert.throws(() => world({ endpoints: [endpoint] }), { code: 'bad-option' });
  }
});

test('delays have full jitter under a doubling ceiling that stops growing', () => {
  for (const [random, expected] of [
    [0.999999, [1_999, 3_999, 7_999, 9_999, 9_999]],
    [0, [20, 20, 20, 20, 20]],
  ] as const) {
    const it = world({ reconnect: { minMillis: 2_000, maxMillis: 10_000 } }, { random: () => random });
    it.server.listening = false;
    it.connect();
    for (let n = 0; n < 4; n++) it.time.advance(it.disconnects.at(-1)!.retryInMillis!);
    assert.deepEqual(
      it.disconnects.slice(0, 5).map((event) => event.retryInMillis),
      expected,
    );
    it.client.abort();
  }
});

test('[pain 6] the ceiling does not fall back at a connection that does not last', () => {
  const it = kicking({ reconnect: { minMillis: 1_000, maxMillis: 64_000, stableMillis: 60_000 } }, () => 0.99);
  it.connect();
  for (let n = 0; n < 6; n++) it.time.advance(it.disconnects.at(-1)!.retryInMillis!);
  const delays = it.disconnects.map((event) => event.retryInMillis);
  assert.deepEqual(delays, [990, 1_980, 3_960, 7_920, 15_840, 31_680, 63_360]);
});

for (const [returnCode, retries] of [
  [1, false],
  [2, false],
  [3, true],
  [4, true],
  [5, true],
] as const) {
  test(`[3.2.2.3] return code ${returnCode} is ${retries ? 'tried again' : 'final'}, and reported with its code`, () => {
    const it = world({}, { random: () => 0.9 });
    const ends: (string | undefined)[] = [];
    it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode, sessionPresent: false });
    it.client.publish('t', 'x', { qos: 1 }, (error) => ends.push(error?.code));
    it.connect();
    const event = it.disconnects[0];
    assert.equal(event?.code, 'refused');
    assert.equal(event?.error?.returnCode, returnCode);
    assert.equal(it.connects, 0);
    const delay = retries ? (returnCode === 3 ? 1_800 : 108_000) : undefined;
    assert.equal(event?.retryInMillis, delay);
    it.time.advance(10 * MINUTE);
    assert.equal(it.server.connections.length > 1, retries);
    assert.deepEqual(ends, retries ? [] : ['refused']);
  });
}

test('[3.2.2.3] what follows a refusal can be decided by its code', () => {
  const asked: number[] = [];
  const refused = (returnCode: number) => {
    asked.push(returnCode);
    return returnCode === 5 ? 'stop' : defaultRefusal(returnCode);
  };
  const it = world({ reconnect: { refused } });
  let returnCode = 3;
  it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode, sessionPresent: false });
  it.connect();
  returnCode = 5;
  it.time.advance(10 * MINUTE);
  assert.deepEqual(asked, [3, 5]);
  assert.deepEqual(
    it.disconnects.map(({ retryInMillis }) => retryInMillis),
    [1_000, undefined],
  );
});

test('[pain 16] credentials are made anew for every dial, and know how the last one ended', () => {
  const attempts: unknown[] = [];
  const identity = {
    credentials: (attempt: object) => {
      attempts.push(attempt);
      return { clientId: `c${attempts.length}` };
    },
  };
  const it = world({ identity });
  it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  it.connect();
  it.time.advance(2 * MINUTE);
  assert.deepEqual(attempts.slice(0, 2), [
    { number: 1, secure: true, lastError: undefined, lastReturnCode: undefined },
    { number: 2, secure: true, lastError: 'refused', lastReturnCode: 5 },
  ]);
  assert.equal(it.server.connections[1]?.of('connect')[0]?.clientId, 'c2');
});

test('a signature with a time is renewed at each reconnect', () => {
  let clock = 1_000;
  const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
  const it = world({ identity: deviceSecret({ ...device, timestamp: () => clock++ }) });
  it.connect();
  it.server.current.peer.close();
  it.time.advance(MINUTE);
  const sent = it.server.connections.map((connection) => connection.of('connect')[0]);
  assert.match(sent[0]!.clientId, /timestamp=1000\|$/);
  assert.match(sent[1]!.clientId, /timestamp=1001\|$/);
  assert.notDeepEqual(sent[0]!.password, sent[1]!.password);
});

test('an identity that throws ends the attempt before anything is dialled, and is asked again', () => {
  const it = world({
    identity: {
      credentials: () => {
        throw new Error('no clock');
      },
    },
  });
  it.connect();
  assert.equal(it.server.connections.length, 0);
  assert.deepEqual(
    it.disconnects.map(({ code, retryInMillis }) => [code, retryInMillis]),
    [['host-failed', 1_000]],
  );
  assert.equal((it.disconnects[0]!.error!.cause as Error).message, 'no clock');
});

test('endpoints are tried in turn when one cannot be reached, and kept when it can', () => {
  const tried: string[] = [];
  const endpoints = [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ];
  const it = world({ endpoints });
  const { accept } = it.server;
  it.server.accept = accept;
  const second = world(
    { endpoints },
    {
      accept: (peer: MemoryPeer) => {
        tried.push(peer.endpoint.host);
        return peer.endpoint.host === 'b' && it.server.accept(peer);
      },
    },
  );
  second.connect();
  second.time.advance(MINUTE);
  it.server.current.peer.close();
  second.time.advance(MINUTE);
  assert.deepEqual(tried, ['a', 'b', 'b']);
  assert.equal(second.client.stats().state, 'connected');
});

test('reconnect: false dials once for each connect()', () => {
  const it = world({ reconnect: false });
  it.server.listening = false;
  it.connect();
  it.time.advance(10 * MINUTE);
  assert.deepEqual(
    it.disconnects.map(({ retryInMillis }) => retryInMillis),
    [undefined],
  );
  it.server.listening = true;
  it.connect();
  assert.equal(it.connects, 1);
});

test('the connect time-out covers everything up to CONNACK', () => {
  const it = world({ connectTimeoutMillis: 7_000 });
  it.server.respond = () => {};
  it.connect();
  it.time.advance(6_999);
  assert.equal(it.disconnects.length, 0);
  it.time.advance(1);
  assert.equal(it.disconnects[0]?.code, 'connect-timeout');
  it.settle();
  assert.ok(it.server.connections[0]?.closed);
});

test('a transport that takes nothing for long is given up, and nothing is lost', () => {
  const it = world({ connectTimeoutMillis: 10_000, keepAliveSeconds: 0 });
  const done: string[] = [];
  it.connect();
  it.server.current.peer.allow(3);
  it.client.publish('t', 'x', { qos: 1 }, () => done.push('done'));
  it.client.publish('t', 'y', { qos: 1 }, () => done.push('done'));
  it.time.advance(10_000);
  assert.equal(it.disconnects[0]?.error?.reason, 'stalled');
  it.server.respond = obligingly;
  it.time.advance(MINUTE);
  assert.deepEqual(done, ['done', 'done']);
});

test('a slow transport gets every byte in order', () => {
  const it = world({ queue: { messages: 1_000 } });
  it.connect();
  it.server.current.peer.allow(0);
  for (let n = 0; n < 100; n++) it.client.publish(`t/${n}`, 'x');
  for (let n = 0; n < 2_000; n++) {
    it.server.current.peer.allow(1);
    it.settle();
  }
  assert.deepEqual(
    it.server.current.of('publish').map(({ topic }) => topic),
    Array.from({ length: 100 }, (_, n) => `t/${n}`),
  );
});

test('[pain 25] a packet larger than maxPacketSize closes the connection from its header', () => {
  const it = world({ framing: mqttPacketFraming(1_000) });
  it.connect();
  it.server.current.send(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f));
  it.settle();
  assert.equal(it.disconnects[0]?.error?.reason, 'too-large');
});
