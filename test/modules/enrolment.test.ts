// Devices that ask for their identity: what is kept before it is used, and what a power cut at any step leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type EnrolmentMethod,
  enrol,
  forgetIdentity,
  type KeyValueStore,
  register,
  registerUnlisted,
  storedIdentity,
} from '../../src/enrolment.ts';
import { explain } from '../../src/explain.ts';
import { Client, deviceSecret, type Identity, type MqttError, type Warning } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { seal } from '../../src/storage/sealed.ts';
import { deviceKey } from '../platform/devices.ts';
import { Power, type Torn } from '../support/power.ts';
import { ScriptedServer } from '../support/scripted-server.ts';
import { Flash, type VirtualPlatform, virtualPlatform } from '../support/virtual-platform.ts';

const product = { productKey: 'pk', deviceName: 'device', productSecret: 'productsecret' };
const METHODS: Readonly<Record<string, () => EnrolmentMethod>> = {
  register: () => register(product),
  regnwl: () => registerUnlisted(product),
};

function listed({ platform }: VirtualPlatform): void {
  platform.devices.addProduct(product);
  platform.devices.list(product);
}

interface Ended {
  readonly error: MqttError | undefined;
  readonly identity: Identity | undefined;
}

/** One start of a device: enrols, logs in, publishes. */
function boot(world: VirtualPlatform, flash: KeyValueStore, power: Power, method: EnrolmentMethod) {
  const adapter = power.adapter(world.adapter());
  const store = power.store(flash);
  const it = { isOnline: false, clients: [] as Client[], stop: () => {} };
  it.stop = enrol({ adapter, endpoints: world.endpoints, store, method }, (error, identity) => {
    if (!power.isOn) return;
    assert.equal(error, undefined);
    const client = new Client({ adapter, endpoints: world.endpoints, identity: identity!, reconnect: false });
    it.clients.push(client);
    client.on('connected', () => {
      if (power.isOn) it.isOnline = true;
    });
    client.connect();
  });
  return it;
}

for (const [kind, method] of Object.entries(METHODS)) {
  for (const torn of ['nothing', 'half', 'all'] as const satisfies readonly Torn[]) {
    for (const pushQos of [0, 1] as const) {
      test(`${kind}, QoS ${pushQos}: the power goes at each step, a write leaves ${torn}, and the device ends with one usable identity`, async () => {
        let cuts = 0;
        for (let cutAt = 1, isDone = false; !isDone; cutAt++) {
          await virtualPlatform(
            async (world) => {
              listed(world);
              const flash = new Flash();
              const first = new Power(cutAt, torn);
              const cut = boot(world, flash, first, method());
              await world.clock.advanceAsync(1_000);
              if (first.isOn) {
                isDone = true;
                assert.equal(cut.isOnline, true);
              } else {
                cuts++;
              }
              for (const client of cut.clients) client.abort();
              cut.stop();
              // The next start goes on or begins again.
              const again = boot(world, flash, new Power(Number.POSITIVE_INFINITY), method());
              await world.clock.advanceAsync(1_000);
              assert.equal(again.isOnline, true, `cut at step ${cutAt}`);
              assert.equal(world.platform.isOnline('device'), true);
              assert.deepEqual([...flash.records.keys()], ['identity']);
              // What is kept is what the platform takes: the start after needs nobody to tell it.
              const { connectPackets } = world.platform.counts;
              const third = boot(world, flash, new Power(Number.POSITIVE_INFINITY), method());
              await world.clock.advanceAsync(1_000);
              assert.equal(third.isOnline, true);
              assert.equal(world.platform.counts.connectPackets, connectPackets + 1);
              for (const client of [...again.clients, ...third.clients]) client.abort();
            },
            { profile: { pushQos } },
          );
        }
        assert.ok(cuts >= 9, `${cuts} steps`);
      });
    }
  }
}

async function enrolled(
  world: VirtualPlatform,
  options: Partial<Parameters<typeof enrol>[0]> = {},
): Promise<Ended & { readonly failed: readonly string[]; readonly store: Flash }> {
  const failed: string[] = [];
  const store = new Flash();
  let ended: Ended | undefined;
  enrol(
    {
      adapter: world.adapter(),
      endpoints: world.endpoints,
      store,
      method: register(product),
      attemptFailed: (error, millis) =>
        failed.push(`${error.code} ${error.reason ?? ''} ${millis === undefined ? '-' : 'again'}`),
      ...options,
    },
    (error, identity) => {
      assert.equal(ended, undefined, 'done is called once');
      ended = { error, identity };
    },
  );
  for (let i = 0; i < 60 && !ended; i++) await world.clock.advanceAsync(10_000);
  assert.ok(ended, 'enrolment has ended');
  return { ...(ended as Ended), failed, store };
}

test('the identity is in the store before the connection that told it is closed, and before done is called', () =>
  virtualPlatform(async (world) => {
    listed(world);
    const events: string[] = [];
    const store = new Flash();
    const { put } = store;
    store.put = (key, record) => {
      events.push(world.platform.log.entries.map(({ event }) => event).join());
      put.call(store, key, record);
    };
    const { identity } = await enrolled(world, { store });
    assert.deepEqual(events, ['registered']);
    const { deviceSecret: secret } = world.platform.devices.find(deviceKey(product))!;
    const attempt = { number: 1, secure: true };
    const expected = deviceSecret({ productKey: 'pk', deviceName: 'device', deviceSecret: secret });
    assert.deepEqual(identity!.credentials(attempt), expected.credentials(attempt));
    assert.equal(world.platform.log.entries.length, 1, 'nobody came online by registering');
  }));

test('a registration throws nobody out, and is not looked at for its keep-alive', () =>
  virtualPlatform(
    async (world) => {
      listed(world);
      world.platform.addDevice({ ...product, deviceSecret: 'old' });
      const old = world.client({ identity: deviceSecret({ ...product, deviceSecret: 'old' }) });
      old.connect();
      await world.clock.advanceAsync(100);
      world.platform.devices.reset(product);
      assert.equal((await enrolled(world)).error, undefined);
      assert.equal(old.stats().state, 'connected');
      old.abort();
    },
    { profile: { keepAliveMaximumSeconds: 600 } },
  ));

const REFUSED = (sentence: string) => ({ failed: ['enrolment-failed refused -'], sentence });

for (const [mistake, prepare, { failed, sentence }] of [
  [
    'a wrong product secret',
    ({ platform }: VirtualPlatform) => {
      platform.devices.addProduct({ ...product, productSecret: 'another' });
      platform.devices.list(product);
    },
    REFUSED(
      'host refused to register the device (code 5): check productKey, productSecret and deviceName, that registration is switched on for the product, and that the device has never logged in',
    ),
  ],
  [
    'a device that is on no list',
    ({ platform }: VirtualPlatform) => platform.devices.addProduct(product),
    REFUSED(
      'host refused to register the device (code 5): check productKey, productSecret and deviceName, that registration is switched on for the product, and that the device has never logged in',
    ),
  ],
  [
    'a device that has logged in before',
    (world: VirtualPlatform) => {
      listed(world);
      world.platform.devices.activate(product);
    },
    REFUSED(
      'host refused to register the device (code 5): check productKey, productSecret and deviceName, that registration is switched on for the product, and that the device has never logged in',
    ),
  ],
  [
    'a platform that refuses the form',
    ({ platform }: VirtualPlatform) => {
      platform.refuseWith = 4;
    },
    REFUSED('host refused the form of the registration (code 4): check productKey, deviceName, productSecret'),
  ],
] as const) {
  test(`wrong input: ${mistake} ends it at once, with a sentence`, () =>
    virtualPlatform(async (world) => {
      prepare(world);
      const ended = await enrolled(world);
      assert.equal(ended.identity, undefined);
      assert.deepEqual(ended.failed, failed);
      assert.equal(explain(ended.error!, 'host'), sentence);
      assert.equal(ended.store.records.size, 0);
      assert.equal(world.platform.counts.connectPackets, 1);
    }));
}

test('a platform that is not available is asked again, later and later, until it is', () =>
  virtualPlatform(async (world) => {
    listed(world);
    world.platform.refuseWith = 3;
    let attempts = 0;
    const ended = await enrolled(world, {
      attemptFailed: () => {
        if (++attempts === 3) world.platform.refuseWith = undefined;
      },
    });
    assert.equal(ended.error, undefined);
    assert.equal(attempts, 3);
    assert.equal(world.platform.counts.connectPackets, 4);
  }));

test('endpoints are asked in turn, one for each attempt', () =>
  virtualPlatform(async (world) => {
    listed(world);
    const dialled: string[] = [];
    const inner = world.adapter();
    const adapter: typeof inner = {
      ...inner,
      dial(endpoint, events) {
        dialled.push(endpoint.host);
        if (endpoint.host !== 'c') throw new Error('no route');
        return inner.dial(endpoint, events);
      },
    };
    const endpoints = ['a', 'b', 'c'].map((host) => ({ host, port: 8883 }));
    assert.equal((await enrolled(world, { adapter, endpoints })).error, undefined);
    assert.deepEqual(dialled, ['a', 'b', 'c']);
  }));

test('without retry the first failure is the last', () =>
  virtualPlatform(async (world) => {
    world.platform.refuseConnections = true;
    const ended = await enrolled(world, { retry: false });
    assert.deepEqual(ended.failed, ['closed-by-peer  -']);
    assert.equal(ended.error?.code, 'closed-by-peer');
  }));

/** A server that accepts, and then sends this to the device. */
function answering(topic: string, ...payloads: (string | Uint8Array)[]) {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  server.respond = (packet, connection) => {
    if (packet.cmd !== 'connect') return;
    connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    for (const [index, payload] of payloads.entries()) {
      const body = Buffer.from(payload as string);
      connection.send({
        cmd: 'publish',
        topic,
        payload: body,
        qos: 1,
        messageId: index + 1,
        dup: false,
        retain: false,
      });
    }
  };
  const store = new Flash();
  const ended: Ended[] = [];
  const warnings: Warning[] = [];
  const start = (options: Partial<Parameters<typeof enrol>[0]> = {}) =>
    enrol(
      {
        adapter: memoryAdapter({ time, accept: server.accept }),
        endpoints: [{ host: 'server', port: 8883 }],
        store,
        method: register(product),
        retry: false,
        warning: (it) => warnings.push(it),
        ...options,
      },
      (error, identity) => ended.push({ error, identity }),
    );
  return { time, server, store, ended, warnings, start };
}

const good = JSON.stringify({ productKey: 'pk', deviceName: 'device', deviceSecret: 'given' });

for (const [what, payload, message, reason] of [
  ['no JSON', 'deviceSecret=given', "the platform's answer holds no productKey", 'bad-answer'],
  ['nothing', '', "the platform's answer holds no productKey", 'bad-answer'],
  ['null', 'null', "the platform's answer holds no productKey", 'bad-answer'],
  ['ill-formed UTF-8', Uint8Array.of(0x22, 0xff, 0x22), "the platform's answer holds no productKey", 'bad-answer'],
  ['no secret', good.replace('deviceSecret', 'other'), "the platform's answer holds no deviceSecret", 'bad-answer'],
  ['an empty secret', good.replace('given', ''), "the platform's answer holds no deviceSecret", 'bad-answer'],
  ['a number for a secret', good.replace('"given"', '7'), "the platform's answer holds no deviceSecret", 'bad-answer'],
  [
    'a lone surrogate',
    good.replace('given', 'given\\ud800'),
    "the platform's answer makes no identity: a signed parameter or the secret holds a lone surrogate",
    'bad-answer',
  ],
  [
    'another device',
    good.replace('"device"', '"other"'),
    "the platform's answer is for another deviceName",
    'wrong-device',
  ],
  ['far too much', good + ' '.repeat(4_096), "the platform's answer holds no productKey", 'bad-answer'],
] as const) {
  test(`an answer that holds ${what} is not kept, not acknowledged, and told`, () => {
    const it = answering('/ext/register', payload);
    it.start();
    it.time.advance(10);
    assert.equal(it.ended.length, 1);
    const { error, identity } = it.ended[0]!;
    assert.equal(identity, undefined);
    assert.deepEqual([error?.code, error?.message, error?.reason], ['enrolment-failed', message, reason]);
    assert.ok(error, 'an error');
    assert.ok(!`${error.message}${JSON.stringify(error)}`.includes('given'), 'no secret in the error');
    assert.equal(it.store.records.size, 0);
    assert.deepEqual(it.server.current.of('puback'), []);
    assert.equal(it.time.pending(), 0);
  });
}

test('an answer is acknowledged before the connection is closed in order; a second one is ignored', () => {
  const it = answering('/ext/register', good, good.replace('given', 'other'));
  it.start();
  it.time.advance(10);
  assert.deepEqual(
    it.server.current.received.map(({ cmd }) => cmd),
    ['connect', 'puback', 'puback', 'disconnect'],
  );
  assert.equal(it.ended[0]?.error, undefined);
  const stored = storedIdentity(it.store, register(product))!.credentials({ number: 1, secure: true });
  assert.deepEqual(it.ended[0]?.identity?.credentials({ number: 1, secure: true }), stored);
  const expected = deviceSecret({ productKey: 'pk', deviceName: 'device', deviceSecret: 'given' });
  assert.deepEqual(stored, expected.credentials({ number: 1, secure: true }));
  assert.equal(it.time.pending(), 0);
});

test('messages on other topics are not the answer; none in time is told', () => {
  const it = answering('/ext/regnwl', good);
  it.start({ answerTimeoutMillis: 5_000 });
  it.time.advance(4_999);
  assert.equal(it.ended.length, 0);
  it.time.advance(1);
  assert.equal(it.ended[0]?.error?.code, 'timeout');
  assert.equal(it.ended[0]?.error?.message, 'the platform accepted the login, and sent no identity in time');
  assert.equal(it.time.pending(), 0);
});

test('a store that fails ends it: nothing that is not kept is used', () => {
  for (const put of [
    () => {
      throw new Error('flash is full');
    },
    () => {},
  ]) {
    const it = answering('/ext/register', good);
    it.store.put = put;
    it.start({ retry: {} });
    it.time.advance(10);
    assert.deepEqual([it.ended[0]?.error?.code, it.ended[0]?.identity], ['host-failed', undefined]);
    assert.deepEqual(it.server.current.of('puback'), []);
    assert.equal(it.time.pending(), 0);
  }
});

test('a store that cannot be read is told: a new registration might end the identity that is in it', () => {
  const it = answering('/ext/register', good);
  it.store.get = () => {
    throw new Error('flash is busy');
  };
  assert.throws(() => it.start(), { message: 'flash is busy' });
  assert.equal(it.server.connections.length, 0);
});

test('stop() ends it without a word, whenever it is called', () => {
  for (const millis of [0, 1, 2_000]) {
    const it = answering('/ext/register');
    it.server.listening = millis < 2_000;
    const stop = it.start({ retry: {} });
    it.time.advance(millis);
    stop();
    stop();
    it.time.advance(1_000_000);
    assert.deepEqual(it.ended, []);
    assert.equal(it.time.pending(), 0);
  }
});

test('who hears of a failure may stop it there', () => {
  const it = answering('/ext/register');
  it.server.listening = false;
  const stop = it.start({ retry: {}, attemptFailed: () => stop() });
  it.time.advance(1_000_000);
  assert.deepEqual(it.ended, []);
  assert.equal(it.time.pending(), 0);
});

test('what done throws is reported, and stays out of the host', () => {
  const it = answering('/ext/register', good);
  const reported: unknown[] = [];
  const adapter = memoryAdapter({ time: it.time, accept: it.server.accept, report: (error) => reported.push(error) });
  enrol({ adapter, endpoints: [{ host: 'h', port: 1 }], store: it.store, method: register(product) }, () => {
    throw new Error('thrown by done');
  });
  it.time.advance(10);
  assert.deepEqual(reported.map(String), ['Error: thrown by done']);
});

test('what is kept is for this device and this method: another one, or half of one, begins again', () => {
  const it = answering('/ext/register', good);
  it.start();
  it.time.advance(10);
  const record = it.store.get('identity')!;
  const method = register(product);
  assert.ok(storedIdentity(it.store, method));
  assert.equal(storedIdentity(it.store, register({ ...product, deviceName: 'other' })), undefined);
  assert.equal(storedIdentity(it.store, registerUnlisted(product)), undefined);
  for (let length = 0; length < record.length; length++) {
    it.store.put('identity', record.slice(0, length));
    assert.equal(storedIdentity(it.store, method), undefined, `${length} bytes`);
  }
  for (const text of ['', '{}', 'null', '[]', '{"kind":"register"}', '{"kind":"register","deviceSecret":"x"}']) {
    it.store.put('identity', seal(Buffer.from(text)));
    assert.equal(storedIdentity(it.store, method), undefined, text);
  }
  it.store.put('identity', record);
  forgetIdentity(it.store);
  assert.equal(storedIdentity(it.store, method), undefined);
});

test('an identity is kept under the key that was asked for', () => {
  const it = answering('/ext/register', good);
  it.start({ key: 'gateway' });
  it.time.advance(10);
  assert.deepEqual([...it.store.records.keys()], ['gateway']);
  assert.ok(storedIdentity(it.store, register(product), 'gateway'));
});

test('plain TCP is refused before anything is dialled, whatever is allowed', () => {
  const it = answering('/ext/register', good);
  const adapter = memoryAdapter({ time: it.time, accept: it.server.accept, security: 'plaintext' });
  const client = { allowPlaintext: true } as object;
  assert.throws(() => it.start({ adapter, client }), {
    code: 'bad-option',
    message: 'allowPlaintext is not set: plain TCP is for tests only, use TLS',
  });
  assert.equal(it.server.connections.length, 0);
});

test('a host that cannot verify the server can enrol, with a warning, but not for production', () => {
  const it = answering('/ext/register', good);
  const adapter = memoryAdapter({ time: it.time, accept: it.server.accept, security: 'unauthenticated' });
  assert.throws(() => it.start({ adapter, client: { production: true } }), {
    code: 'bad-option',
    reason: 'production',
  });
  const warnings: string[] = [];
  it.start({ adapter, warning: ({ code }) => warnings.push(code) });
  it.time.advance(10);
  assert.deepEqual(warnings, ['unauthenticated-server']);
  assert.equal(it.server.connections.length, 1);
});

for (const [message, options] of [
  ['enrol() needs options', null],
  ['store.get must be a function', { store: {} }],
  ['method must be register(), or another', { method: undefined }],
  ['my identity is no key: up to 12 small letters, digits and -', { key: 'my identity' }],
  ['attemptFailed must be a function', { attemptFailed: 'no' }],
  ['warning must be a function', { warning: {} }],
  ['answerTimeoutMillis must be a whole number from 1 to 3600000, not 0', { answerTimeoutMillis: 0 }],
  ['retry.maxMillis must be a whole number from 1 to 86400000, not 0', { retry: { maxMillis: 0 } }],
  ['retry.minMillis must be a whole number from 1 to 5, not 6', { retry: { maxMillis: 5, minMillis: 6 } }],
  ['endpoints are missing: copy host and port from the console of your platform', { endpoints: [] }],
] as const) {
  test(`a bad option is refused: ${message}`, () => {
    const it = answering('/ext/register', good);
    const start = () =>
      options === null ? enrol(null as never, () => {}) : it.start(options as unknown as { key: string });
    assert.throws(start, { code: 'bad-option', message });
    assert.equal(it.server.connections.length, 0);
  });
}
