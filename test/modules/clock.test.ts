// The time of day: learned, waited for before the first dial, and named where it is what makes a login fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alibabaTime,
  askTime,
  type ClockSettings,
  clocked,
  connectWhenRight,
  DeviceClock,
  keepTime,
  tuyaLinkTime,
} from '../../src/clock.ts';
import { mqttError } from '../../src/error.ts';
import { explain } from '../../src/explain.ts';
import { type Adapter, Client, type ClientOptions, deviceSecret, type MqttError } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { openTuyaLinkChannel, tuyaLink } from '../../src/tuyalink.ts';
import { tuyaLinkTriple } from '../platform/devices.ts';
import { politely, ScriptedServer } from '../support/scripted-server.ts';
import { type VirtualPlatform, virtualPlatform } from '../support/virtual-platform.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TODAY = Date.UTC(2026, 10, 1);
const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

// The clock itself.

test("a clock shows the host's time until it has learned one; then its own goes on, over the wrap of the monotonic clock", () => {
  const time = new VirtualTime(2 ** 32 - 1_000);
  let host = Date.UTC(1970, 0, 1, 0, 0, 5);
  const clock = new DeviceClock({ host: time, wallClock: () => host });
  assert.deepEqual([clock.now(), clock.isRight()], [5_000, false]);
  clock.set(TODAY);
  time.jump(2_000);
  assert.deepEqual([clock.now(), clock.isRight()], [TODAY + 2_000, true]);
  host = Date.UTC(2099, 0, 1);
  for (let i = 0; i < 10; i++) {
    time.jump(40 * DAY);
    clock.now();
  }
  assert.equal(clock.now(), TODAY + 2_000 + 400 * DAY);
});

test('a host without a clock begins with 1970 and counts on', () => {
  const time = new VirtualTime(77);
  const clock = new DeviceClock({ host: time });
  assert.equal(clock.now(), 0);
  time.jump(1_500);
  assert.equal(clock.now(), 1_500);
});

for (const [message, make] of [
  ['host must be the adapter: its now() is missing', () => new DeviceClock({ host: {} as never })],
  [
    'wallClock must be a function, such as Date.now',
    () => new DeviceClock({ host: new VirtualTime(), wallClock: 7 as never }),
  ],
  [
    'earliest must be a whole number from 0 to 9007199254740991, not -1',
    () => new DeviceClock({ host: new VirtualTime(), earliest: -1 }),
  ],
  [
    'millis must be a whole number from 1767225600000 to 9007199254740991, not 0',
    () => new DeviceClock({ host: new VirtualTime() }).set(0),
  ],
] as const) {
  test(`a bad option is refused: ${message}`, () => assert.throws(make, { code: 'bad-option', message }));
}

// The gate.

function setUp(settings: Partial<ClockSettings> = {}, options: Partial<ClientOptions> = {}, wallClock?: () => number) {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const inner = memoryAdapter({ time, accept: server.accept });
  const clock = settings.clock ?? new DeviceClock({ host: time, wallClock });
  const identity = deviceSecret({ ...device, timestamp: () => clock.now() });
  const base = { adapter: inner, endpoints: [{ host: 'server', port: 8883 }], identity, ...options };
  const client = new Client(
    clocked({ ...base, reconnect: { minMillis: 1_000, maxMillis: 1_000 } }, { clock, ...settings }),
  );
  const errors: MqttError[] = [];
  client.on('disconnected', ({ error }) => error && errors.push(error));
  const warnings: string[] = [];
  client.on('warning', ({ code, message }) => warnings.push(`${code}: ${message}`));
  return { time, server, clock, client, errors, warnings };
}

test('wrong input: with a clock in 1970 nothing is dialled, and the sentence says so', () => {
  const { time, server, client, clock, errors } = setUp();
  client.connect();
  time.advance(5_000);
  assert.equal(server.connections.length, 0);
  assert.equal(errors[0]?.code, 'clock');
  assert.equal(explain(errors[0]!), 'the clock of this device says 1970-01-01: set it before connecting');
  clock.set(TODAY);
  time.advance(1_000);
  assert.equal(client.stats().state, 'connected');
});

test('[pain 17] connectWhenRight: no dial and no failure until the clock is set, then at once', () => {
  const { time, server, client, clock, errors } = setUp();
  connectWhenRight(client, clock);
  time.advance(DAY);
  assert.deepEqual([server.connections.length, errors.length], [0, 0]);
  clock.set(TODAY);
  time.advance(0);
  assert.equal(client.stats().state, 'connected');
});

test("connectWhenRight: the host's own time is looked at every so often", () => {
  let host = 0;
  const { time, client, clock } = setUp({}, {}, () => host);
  connectWhenRight(client, clock, 500);
  time.advance(10_000);
  host = TODAY;
  time.advance(499);
  assert.equal(client.stats().state, 'idle');
  time.advance(1);
  assert.equal(client.stats().state, 'connected');
  client.abort();
  time.advance(0);
  assert.equal(time.pending(), 0);
});

test('connectWhenRight: with a right clock it connects at once; it can be given up; its poll is checked', () => {
  const right = setUp({}, {}, () => TODAY);
  connectWhenRight(right.client, right.clock);
  right.time.advance(0);
  assert.equal(right.client.stats().state, 'connected');
  const { client, clock, time } = setUp();
  const stop = connectWhenRight(client, clock);
  stop();
  clock.set(TODAY);
  time.advance(DAY);
  assert.equal(client.stats().state, 'idle');
  assert.equal(time.pending(), 0);
  assert.throws(() => connectWhenRight(client, clock, 0), { code: 'bad-option' });
});

// What a wrong clock does to a login.

/** A server that looks at the timestamp, where there is one, and refuses what is far off. */
function strict(now: () => number, returnCode = 5) {
  const seen: string[] = [];
  const respond: ScriptedServer['respond'] = (packet, connection) => {
    if (packet.cmd !== 'connect') return politely(packet, connection);
    const timestamp = /timestamp=(\d+)/.exec(packet.clientId)?.[1];
    seen.push(timestamp === undefined ? 'none' : Math.abs(Number(timestamp) - now()) < HOUR ? 'right' : 'wrong');
    const isRight = seen.at(-1) !== 'wrong';
    connection.send({ cmd: 'connack', returnCode: isRight ? 0 : returnCode, sessionPresent: false });
    if (!isRight) connection.peer.close();
  };
  return { seen, respond };
}

for (const returnCode of [4, 5]) {
  test(`code ${returnCode}: the time is asked for, the error says clock and by how much, and the retry is signed anew`, () => {
    const it = setUp(
      { askTime: (done) => void it.time.schedule(300, () => done(TODAY + it.time.now())) },
      {},
      () => TODAY - 3 * DAY + it.time.now(),
    );
    const { seen, respond } = strict(() => TODAY + it.time.now(), returnCode);
    it.server.respond = respond;
    it.client.connect();
    it.time.advance(5_000);
    assert.deepEqual(seen, ['wrong', 'right']);
    assert.equal(it.client.stats().state, 'connected');
    assert.deepEqual(
      it.errors.map((error) => explain(error)),
      [
        `the platform refused the login (code ${returnCode}): the clock of this device was 3 days behind. It is set now, trying once more`,
      ],
    );
    assert.equal(it.errors[0]?.code, 'clock');
  });
}

test('a refusal with a right clock stays a refusal; the time is asked for once, until a login was accepted', () => {
  let asked = 0;
  const it = setUp(
    {
      askTime: (done) => {
        asked++;
        done(TODAY + it.time.now() + 30_000);
      },
    },
    {},
    () => TODAY + it.time.now(),
  );
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  };
  it.client.connect();
  it.time.advance(10_000);
  assert.equal(asked, 1);
  assert.ok(it.errors.length > 3, `${it.errors.length} dials`);
  assert.ok(it.errors.every(({ code, returnCode }) => code === 'refused' && returnCode === 5));
  it.server.respond = politely;
  it.time.advance(3_000);
  assert.equal(it.client.stats().state, 'connected');
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  };
  it.server.current.peer.close();
  it.time.advance(10_000);
  assert.equal(asked, 2);
});

for (const [what, askTime] of [
  ['never answers', () => {}],
  ['answers with nothing', (done: (millis?: number) => void) => done()],
  ['answers with nonsense', (done: (millis?: number) => void) => done(Number.NaN)],
  [
    'throws',
    () => {
      throw new Error('no SNTP here');
    },
  ],
] as const) {
  test(`a time source that ${what} leaves the refusal as it is`, () => {
    const reported: unknown[] = [];
    const time = new VirtualTime();
    const server = new ScriptedServer();
    const adapter = memoryAdapter({ time, accept: server.accept, report: (error) => reported.push(error) });
    const clock = new DeviceClock({ host: time, wallClock: () => TODAY - DAY });
    const it = setUp({ clock, askTime }, { adapter });
    server.respond = strict(() => TODAY).respond;
    it.client.connect();
    time.advance(10_000);
    assert.deepEqual([it.errors[0]?.code, it.errors[0]?.returnCode], ['refused', 5]);
    assert.equal(reported.length, what === 'throws' ? 1 : 0);
    it.client.abort();
    assert.equal(time.pending(), 0);
  });
}

test('without a time source: once without the time; where that is taken the warning says clock, until it is set', () => {
  const clock = new DeviceClock({ host: new VirtualTime(), wallClock: () => Date.UTC(2026, 0, 2) });
  const world = setUp({ clock, withoutTime: deviceSecret(device) });
  const { seen, respond } = strict(() => TODAY);
  world.server.respond = respond;
  world.client.connect();
  world.time.advance(2_000);
  assert.deepEqual(seen, ['wrong', 'none']);
  assert.equal(world.client.stats().state, 'connected');
  assert.equal(
    explain(world.errors[0]!),
    'the platform refused the login (code 5), perhaps for its time: the clock of this device says 2026-01-02. Trying once without it',
  );
  assert.deepEqual(world.warnings, [
    'clock-wrong: the platform took the login without a time, and not with that of 2026-01-02: the clock is wrong',
  ]);
  world.server.current.peer.close();
  world.time.advance(2_000);
  assert.deepEqual(seen, ['wrong', 'none', 'none'], 'the next login leaves the time out at once');
  assert.equal(world.warnings.length, 1);
  clock.set(TODAY);
  world.server.current.peer.close();
  world.time.advance(2_000);
  assert.deepEqual(seen, ['wrong', 'none', 'none', 'right']);
});

test('without a time source: a login that is refused without the time too was not refused for it', () => {
  const it = setUp({ withoutTime: deviceSecret(device) }, {}, () => TODAY);
  const seen: boolean[] = [];
  it.server.respond = (packet, connection) => {
    if (packet.cmd !== 'connect') return;
    seen.push(packet.clientId.includes('timestamp'));
    connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  };
  it.client.connect();
  it.time.advance(5_000);
  assert.deepEqual(seen.slice(0, 4), [true, false, true, true]);
  assert.deepEqual(
    it.errors.slice(0, 3).map(({ code }) => code),
    ['clock', 'refused', 'refused'],
  );
  assert.deepEqual(it.warnings, []);
});

test('a CONNACK that comes byte by byte, with more behind it, is looked at all the same', () => {
  const it = setUp({ withoutTime: deviceSecret(device) }, {}, () => TODAY);
  let refuses = true;
  it.server.respond = (packet, connection) => {
    if (packet.cmd !== 'connect') return;
    for (const byte of [0x20, 2, 0, refuses ? 5 : 0]) connection.send(Uint8Array.of(byte));
    refuses = false;
    connection.send(Uint8Array.of(0x30, 3, 0, 1, 0x74));
  };
  const topics: string[] = [];
  it.client.on('message', ({ topic }) => topics.push(topic));
  it.client.connect();
  it.time.advance(2_000);
  assert.deepEqual(topics, ['t']);
  assert.deepEqual(
    it.errors.map(({ code }) => code),
    ['clock'],
  );
});

test('what is no CONNACK is left to the client', () => {
  const it = setUp({ withoutTime: deviceSecret(device) }, {}, () => TODAY);
  it.server.respond = (_, connection) => connection.send(Uint8Array.from(Buffer.from('HTTP/1.1 400 Bad Request\r\n')));
  it.client.connect();
  it.time.advance(10);
  assert.equal(it.errors[0]?.code, 'malformed-packet');
});

/** An adapter whose dials end so, the later ones well. */
function failingFirst(time: VirtualTime, server: ScriptedServer, error: MqttError, throws: boolean): Adapter {
  const inner = memoryAdapter({ time, accept: server.accept });
  let failed = false;
  return {
    ...inner,
    dial(endpoint, events) {
      if (failed) return inner.dial(endpoint, events);
      failed = true;
      if (throws) throw error;
      time.schedule(5, () => events.closed(error));
      return { write: () => 0, pause() {}, resume() {}, close() {}, abort() {} };
    },
  };
}

for (const [reason, throws, what] of [
  ['not-yet-valid', false, 'the certificate of the server is not valid yet'],
  ['expired', false, 'the certificate of the server has ended'],
  ['ca-expired', true, 'the root certificate of this device has ended'],
] as const) {
  test(`TLS, ${reason}: the time is asked for; the error says clock`, () => {
    const time = new VirtualTime();
    const server = new ScriptedServer();
    const adapter = failingFirst(time, server, mqttError('tls', 'as the host says it', { reason }), throws);
    const clock = new DeviceClock({ host: time, wallClock: () => Date.UTC(2030, 0, 1) });
    const it = setUp({ clock, askTime: (done) => done(TODAY) }, { adapter });
    it.client.connect();
    time.advance(2_000);
    assert.equal(it.client.stats().state, 'connected');
    const [{ code, message } = { code: '', message: '' }] = it.errors;
    assert.deepEqual(
      [code, message],
      ['clock', `${what}: the clock of this device was 1157 days ahead. It is set now, trying once more`],
    );
  });

  test(`TLS, ${reason}: with a right clock, or nobody to ask, it stays what it is`, () => {
    for (const askTime of [undefined, (done: (millis: number) => void) => done(TODAY)]) {
      const time = new VirtualTime();
      const server = new ScriptedServer();
      const adapter = failingFirst(time, server, mqttError('tls', 'as the host says it', { reason }), throws);
      const clock = new DeviceClock({ host: time, wallClock: () => TODAY });
      const it = setUp({ clock, askTime, withoutTime: deviceSecret(device) }, { adapter });
      it.client.connect();
      time.advance(100);
      assert.deepEqual([it.errors[0]?.code, it.errors[0]?.reason], ['tls', reason]);
    }
  });
}

test('other failures, and those of adapters that throw, pass as they are; what is given up stays silent', () => {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  for (const throws of [true, false]) {
    const adapter = failingFirst(time, server, mqttError('dns', 'no such host'), throws);
    const clock = new DeviceClock({ host: time, wallClock: () => TODAY });
    const it = setUp({ clock, askTime: () => assert.fail('not asked') }, { adapter });
    it.client.connect();
    time.advance(10);
    assert.equal(it.errors[0]?.code, 'dns');
    it.client.abort();
  }
  const adapter = failingFirst(time, server, mqttError('tls', 'x', { reason: 'expired' }), false);
  const clock = new DeviceClock({ host: time, wallClock: () => TODAY });
  const answers: ((millis?: number) => void)[] = [];
  const it = setUp({ clock, askTime: (done) => answers.push(done) }, { adapter });
  it.client.connect();
  time.advance(10);
  assert.equal(time.pending(), 2, 'the time-outs of the dial and of the question');
  it.client.abort();
  assert.equal(time.pending(), 0);
  for (const done of answers) done(TODAY - DAY);
  time.advance(20_000);
  assert.deepEqual(it.errors, []);
  assert.equal(clock.now(), TODAY, 'the clock is left alone');
  assert.equal(time.pending(), 0);
});

for (const [message, settings] of [
  ['clock must be a DeviceClock', { clock: undefined }],
  ['askTime must be a function', { askTime: 7 }],
  ['withoutTime must be an identity', { withoutTime: {} }],
  ['toleranceMillis must be a whole number from 1 to 86400000, not 0', { toleranceMillis: 0 }],
] as const) {
  test(`a bad option is refused: ${message}`, () => {
    const clock = new DeviceClock({ host: new VirtualTime() });
    const { options } = setUp().client;
    assert.throws(() => clocked(options, { clock, ...settings } as never), { code: 'bad-option', message });
  });
}

for (const [message, make] of [
  ['productKey is missing', () => alibabaTime({ ...device, productKey: '' })],
  ['deviceName must not contain /', () => alibabaTime({ ...device, deviceName: 'a/b' })],
  ['deviceId must not contain +', () => tuyaLinkTime('+')],
  [
    'wasOff must be a function',
    () => {
      const { client } = setUp();
      keepTime(client, tuyaLinkTime('x'), new DeviceClock({ host: new VirtualTime() }), { wasOff: 1 as never });
    },
  ],
] as const) {
  test(`a bad option is refused: ${message}`, () => assert.throws(make, { code: 'bad-option', message }));
}

// The time from the platform.

async function onPlatform(use: (world: VirtualPlatform) => Promise<void>, skewMaximumMillis?: number): Promise<void> {
  const devices = [device, tuyaLinkTriple('6c01', '0123456789abcdef')];
  await virtualPlatform(use, { devices, start: TODAY, profile: { skewMaximumMillis } });
}

test('Alibaba: a device without a clock logs in without the time, and then has it', () =>
  onPlatform(async (world) => {
    const adapter = world.adapter();
    const clock = new DeviceClock({ host: adapter });
    const client = world.client({ identity: deviceSecret(device) });
    const off: number[] = [];
    keepTime(client, alibabaTime(device), clock, { wasOff: (millis) => off.push(millis) });
    client.connect();
    await world.clock.advanceAsync(1_000);
    assert.equal(clock.now(), world.clock.now());
    assert.equal(off.length, 1);
    assert.ok(off[0]! < -50 * 365 * DAY, `${off[0]}`);
    world.platform.drop('device');
    await world.clock.advanceAsync(MINUTE);
    assert.equal(world.platform.connects('device'), 2);
    assert.equal(off.length, 1, 'a clock that is right is left alone');
    client.abort();
  }));

test('Alibaba: where the platform looks at timestamps, a wrong clock costs one login', () =>
  onPlatform(async (world) => {
    const adapter = world.adapter();
    const clock = new DeviceClock({ host: adapter, wallClock: () => world.clock.now() - 2 * DAY });
    const identity = deviceSecret({ ...device, timestamp: () => clock.now() });
    const options = { adapter, endpoints: world.endpoints, identity };
    const client = new Client(clocked(options, { clock, withoutTime: deviceSecret(device) }));
    keepTime(client, alibabaTime(device), clock);
    const codes: string[] = [];
    client.on('disconnected', ({ code }) => codes.push(code));
    client.on('warning', ({ code }) => codes.push(code));
    client.connect();
    await world.clock.advanceAsync(10_000);
    assert.deepEqual(codes, ['clock', 'clock-wrong']);
    assert.equal(clock.now(), world.clock.now());
    world.platform.drop('device');
    await world.clock.advanceAsync(MINUTE);
    assert.deepEqual(codes, ['clock', 'clock-wrong', 'closed-by-peer']);
    assert.equal(client.stats().state, 'connected');
    client.abort();
  }, HOUR));

test('TuyaLink: the time comes down the channel', () =>
  onPlatform(async (world) => {
    const adapter = world.adapter();
    const clock = new DeviceClock({ host: adapter, wallClock: () => world.clock.now() - 5 * MINUTE });
    const identity = tuyaLink({ deviceId: '6c01', deviceSecret: '0123456789abcdef', wallClock: () => clock.now() });
    const client = world.client({ identity, cleanSession: true });
    let told: number | undefined;
    openTuyaLinkChannel(client, {
      deviceId: '6c01',
      ready: () =>
        askTime(client, tuyaLinkTime('6c01'), clock, (_, millis) => {
          told = millis;
        }),
    });
    client.connect();
    await world.clock.advanceAsync(1_000);
    assert.ok(told !== undefined && Math.abs(told - world.clock.now()) <= 1_000, `${told}`);
    client.abort();
  }));

// Answers of all kinds.

function asking(timeoutMillis?: number) {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const options = { adapter: memoryAdapter({ time, accept: server.accept }), endpoints: [{ host: 's', port: 1 }] };
  const client = new Client({ ...options, identity: deviceSecret(device) });
  const clock = new DeviceClock({ host: time, wallClock: () => TODAY + time.now() });
  const ended: (string | number | undefined)[] = [];
  client.connect();
  time.advance(0);
  askTime(client, alibabaTime(device), clock, (error, millis) => ended.push(error?.code ?? millis), { timeoutMillis });
  time.advance(0);
  const answer = (body: unknown, topic = '/ext/ntp/pk/device/response') => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    server.current.send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false });
    time.advance(0);
  };
  return { time, server, client, clock, ended, answer };
}

test('the journey is taken to be as long there as back, as numbers and as texts', () => {
  for (const text of [String, Number]) {
    const it = asking();
    const [publish] = it.server.current.of('publish');
    assert.deepEqual(JSON.parse(publish!.payload.toString()), { deviceSendTime: String(TODAY) });
    it.time.advance(400);
    const [heard, sent] = [TODAY + HOUR + 100, TODAY + HOUR + 300];
    it.answer({ deviceSendTime: text(TODAY), serverRecvTime: text(heard), serverSendTime: text(sent) });
    assert.deepEqual(it.ended, [TODAY + HOUR + 400]);
    it.answer({ deviceSendTime: text(TODAY), serverRecvTime: text(heard), serverSendTime: text(sent) });
    assert.equal(it.ended.length, 1);
  }
});

test('answers that are none are passed over, and the time-out comes', () => {
  const it = asking(5_000);
  const good = { deviceSendTime: TODAY, serverRecvTime: TODAY, serverSendTime: TODAY };
  it.answer('no JSON');
  it.answer('null');
  it.answer('[]');
  it.answer({});
  it.answer({ ...good, deviceSendTime: TODAY - 1 });
  it.answer({ ...good, serverRecvTime: 'soon' });
  it.answer({ ...good, serverSendTime: -1e300 });
  it.answer({ ...good, serverSendTime: null });
  it.answer(JSON.stringify(good) + ' '.repeat(2_000));
  it.answer(good, '/ext/ntp/pk/other/response');
  assert.deepEqual(it.ended, []);
  it.time.advance(5_000);
  assert.deepEqual(it.ended, ['timeout']);
});

test('a connection that is lost ends it; what it left is taken away', () => {
  const it = asking();
  it.server.current.peer.close();
  it.time.advance(0);
  assert.deepEqual(it.ended, ['closed']);
  it.client.abort();
  assert.equal(it.time.pending(), 0);
  assert.throws(() => asking(0), { code: 'bad-option' });
  const { client, clock } = setUp();
  assert.throws(() => keepTime(client, alibabaTime(device), clock, { timeoutMillis: -1 }), { code: 'bad-option' });
});
