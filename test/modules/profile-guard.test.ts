// What a platform would close the connection for without a word is an error of the call, before a byte leaves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClientOptions, deviceSecret, exactlyOnce, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { type GuardOptions, guarded, limitsOf } from '../../src/profile-guard.ts';
import {
  alibabaCloudIot,
  anyBroker,
  type PlatformProfile,
  tuyaLinkPlatform,
  tuyaOnAlibabaCloud,
} from '../../src/profiles.ts';
import { persistSession } from '../../src/store.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { virtualPlatform } from '../support/virtual-platform.ts';

const PLATFORMS = [alibabaCloudIot, tuyaOnAlibabaCloud, tuyaLinkPlatform, anyBroker];

function guardedClient(profile: PlatformProfile, settings?: GuardOptions, options: Partial<ClientOptions> = {}) {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  server.respond = obligingly;
  const client = new Client(
    guarded(
      {
        adapter: memoryAdapter({ time, accept: server.accept }),
        endpoints: [{ host: 'server', port: 8883 }],
        identity: plainIdentity({ clientId: 'device' }),
        delivery: exactlyOnce,
        ...options,
      },
      profile,
      settings,
    ),
  );
  return { time, server, client };
}

const own = '/pk/device/user/';
const long = own + 'x'.repeat(128 - own.length);

/** What is refused on Alibaba's platform, by which limit, with which code and words. */
const REFUSED: readonly [string, string, string, (client: Client) => void][] = [
  ['bad-packet', 'maxQos', 'no QoS 2', (it) => it.publish(`${own}update`, '', { qos: 2 })],
  ['bad-packet', 'maxQos', 'no QoS 2', (it) => it.subscribe(`${own}get`, { qos: 2 })],
  ['bad-packet', 'retain', 'no retained messages', (it) => it.publish(`${own}update`, '', { retain: true })],
  ['bad-topic', 'maxTopicBytes', 'no topic of 129 bytes, 128 at most', (it) => it.publish(`${long}x`, '')],
  ['bad-filter', 'maxTopicBytes', 'no topic of 129 bytes, 128 at most', (it) => it.subscribe(`${long}x`)],
  ['bad-filter', 'maxTopicBytes', 'no topic of 129 bytes, 128 at most', (it) => it.unsubscribe(`${long}x`)],
  [
    'bad-topic',
    'topicPrefix',
    'no topic pk/device/user/update: it must begin with /',
    (it) => it.publish('pk/device/user/update', ''),
  ],
  ['bad-topic', 'customPart', `no topic ${own}a//b: a level is empty`, (it) => it.publish(`${own}a//b`, '')],
  ['bad-topic', 'customPart', `no topic ${own}update/: a level is empty`, (it) => it.publish(`${own}update/`, '')],
  [
    'bad-topic',
    'customPart',
    `no topic ${own}up-date: up-date is more than letters, digits and _`,
    (it) => it.publish(`${own}up-date`, ''),
  ],
  [
    'bad-filter',
    'customPart',
    `no topic ${own}+/温度: 温度 is more than letters, digits and _`,
    (it) => it.subscribe(`${own}+/温度`),
  ],
];

for (const [code, reason, words, call] of REFUSED) {
  test(`${reason}: ${words} throws before a byte leaves, and the connection stays`, () => {
    for (const profile of [alibabaCloudIot, tuyaOnAlibabaCloud]) {
      const { client, server, time } = guardedClient(profile);
      client.connect();
      time.advance(10);
      const { bytes } = server.current;
      assert.throws(() => call(client), { code, reason, message: `${profile.name} takes ${words}` });
      time.advance(10);
      assert.equal(server.current.bytes.length, bytes.length);
      assert.equal(client.stats().state, 'connected');
      client.abort();
    }
  });
}

test('what the platform takes goes through: system topics, wildcards, limits to the byte', () => {
  const { client, server, time } = guardedClient(tuyaOnAlibabaCloud);
  client.connect();
  client.publish(long, 'x', { qos: 1 });
  client.publish('/sys/pk/device-1.a:b/thing/event/property/post', '{}');
  for (const filter of [`${own}+/#`, '/sys/pk/device/#', '#', '+/x', '/broadcast/pk/+', `${own}a/b/c/d/e/f/g`]) {
    client.subscribe(filter, { qos: 1 });
  }
  time.advance(10);
  assert.equal(server.current.of('publish').length, 2);
  assert.equal(server.current.of('subscribe').flatMap((it) => it.subscriptions).length, 6);
});

test('a will is refused when the client is made', () => {
  const will = { topic: `${own}gone`, payload: new Uint8Array(0), qos: 0 as const, retain: false };
  assert.throws(() => guardedClient(tuyaOnAlibabaCloud, {}, { will }), {
    code: 'bad-packet',
    reason: 'will',
    message: 'Tuya on Alibaba Cloud takes no will',
  });
  assert.ok(guardedClient(anyBroker, {}, { will }).client);
  const topic = 'x/y';
  assert.throws(() => guardedClient(tuyaLinkPlatform, {}, { will: { ...will, topic } }), { reason: 'topicPrefix' });
});

for (const [seconds, profile] of [
  [29, tuyaOnAlibabaCloud],
  [1_201, tuyaOnAlibabaCloud],
  [0, alibabaCloudIot],
  [1_201, tuyaLinkPlatform],
] as const) {
  test(`[row 15] a keep-alive of ${seconds} s is refused for ${profile.name}, whatever the identity says`, () => {
    assert.throws(() => guardedClient(profile, {}, { keepAliveSeconds: seconds }), {
      code: 'bad-option',
      message: `keepAliveSeconds must be a whole number from 30 to 1200, not ${seconds}`,
    });
    assert.ok(guardedClient(anyBroker, {}, { keepAliveSeconds: seconds }).client);
  });
}

test('any broker: nothing is refused that MQTT allows', () => {
  const { client, server, time } = guardedClient(anyBroker, {}, { queue: { bytes: 1_000_000 } });
  client.connect();
  client.publish('no/slash/in front//', new Uint8Array(262_145), { qos: 2, retain: true });
  client.subscribe(`${'x'.repeat(300)}/-`, { qos: 2 });
  time.advance(10);
  assert.equal(server.current.of('publish').length, 1);
  assert.equal(server.current.of('subscribe').length, 1);
});

test('what is no MQTT at all is refused as without the guard', () => {
  const { client } = guardedClient(tuyaOnAlibabaCloud);
  assert.throws(() => client.publish(`${own}+`, ''), { code: 'bad-topic', clause: 'MQTT-3.3.2-2' });
  assert.throws(() => client.subscribe('a#'), { code: 'bad-filter' });
  assert.throws(() => client.publish(`${own}x`, '', { qos: 3 as 2 }), { clause: 'MQTT-3.3.1-4' });
});

test('facts that nobody has verified are off, and count once they are asked for', () => {
  const deep = `${own}a/b/c/d/e`;
  const big = new Uint8Array(262_145);
  const off = guardedClient(tuyaOnAlibabaCloud).client;
  off.publish(deep, '');
  assert.throws(() => off.publish(`${own}x`, big), { message: /never fits/ }, 'the queue, not the guard');
  const on = guardedClient(tuyaOnAlibabaCloud, { unverified: true }).client;
  assert.throws(() => on.publish(deep, ''), {
    code: 'bad-topic',
    reason: 'maxCustomSlashes',
    message: `Tuya on Alibaba Cloud takes no topic ${deep}: more than 7 slashes`,
  });
  assert.throws(() => on.publish(`${own}x`, big), {
    code: 'packet-too-large',
    reason: 'maxPayloadBytes',
    message: 'Tuya on Alibaba Cloud takes no payload of 262145 bytes, 262144 at most',
  });
  on.publish(`${own}a/b/c/d`, '');
});

test('limits of the app take the place of those of the profile', () => {
  const { client } = guardedClient(tuyaOnAlibabaCloud, { limits: { maxTopicBytes: 30, maxQos: 2 } });
  client.publish(`${own}update`, '', { qos: 2 });
  assert.throws(() => client.publish(`${own}${'x'.repeat(20)}`, ''), { reason: 'maxTopicBytes' });
  assert.equal(limitsOf(tuyaOnAlibabaCloud, { unverified: true, limits: { maxFilters: 3 } }).maxFilters, 3);
  assert.equal(limitsOf(tuyaOnAlibabaCloud).maxFilters, undefined);
});

test('filters are divided over packets, and rates shaped, where the profile says so', () => {
  const { client, server, time } = guardedClient(tuyaOnAlibabaCloud, {
    limits: { maxFilters: 3, publishesPerSecond: 2 },
  });
  const warned: string[] = [];
  client.on('warning', ({ code }) => warned.push(code));
  for (let i = 0; i < 8; i++) client.subscribe(`${own}f${i}`);
  for (let i = 0; i < 4; i++) client.publish(`${own}update`, '');
  client.connect();
  time.advance(10);
  assert.deepEqual(
    server.current.of('subscribe').map((it) => it.subscriptions.length),
    [3, 3, 2],
  );
  assert.equal(server.current.of('publish').length, 2);
  time.advance(2_000);
  assert.equal(server.current.of('publish').length, 4);
  assert.deepEqual(warned, ['rate-shaped']);
});

test('the guard leaves a smaller number of filters as it was asked for', () => {
  const { client, server, time } = guardedClient(
    tuyaOnAlibabaCloud,
    { limits: { maxFilters: 8 } },
    { maxFiltersPerSubscribe: 2 },
  );
  for (let i = 0; i < 4; i++) client.subscribe(`${own}f${i}`);
  client.connect();
  time.advance(10);
  assert.equal(server.current.of('subscribe').length, 2);
});

for (const [profile, policies] of [
  [tuyaOnAlibabaCloud, 'stop stop retry stop patient'],
  [anyBroker, 'stop stop retry patient patient'],
] as const) {
  test(`${profile.name}: what follows each code of a CONNACK is ${policies}`, () => {
    const seen = [1, 2, 3, 4, 5].map((returnCode) => {
      const { client, server, time } = guardedClient(
        profile,
        {},
        { reconnect: { minMillis: 1_000, maxMillis: 100_000 } },
      );
      server.respond = (packet, connection) => {
        if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode, sessionPresent: false });
      };
      const delays: (number | undefined)[] = [];
      client.on('disconnected', ({ retryInMillis }) => delays.push(retryInMillis));
      client.connect();
      time.advance(1);
      client.abort();
      return delays[0];
    });
    const expected = { stop: undefined, retry: 500, patient: 50_000 };
    assert.deepEqual(
      seen,
      policies.split(' ').map((it) => expected[it as keyof typeof expected]),
    );
  });
}

test("the app's own policy and reconnect: false stay", () => {
  const { identity, adapter, endpoints } = { ...guardedClient(anyBroker).client.options };
  const refused = () => 'retry' as const;
  const options = { identity, adapter, endpoints };
  assert.equal(guarded({ ...options, reconnect: false }, anyBroker).reconnect, false);
  const { reconnect } = guarded({ ...options, reconnect: { refused } }, anyBroker);
  assert.equal(reconnect ? reconnect.refused : undefined, refused);
});

test('a stored message that the platform does not take is left in the store', () => {
  const records = new Map<string, Uint8Array>();
  const store = {
    put: (key: string, record: Uint8Array) => void records.set(key, record.slice()),
    remove: (key: string) => void records.delete(key),
    each: (visit: (key: string, record: Uint8Array) => void) => {
      for (const [key, record] of records) visit(key, record);
    },
  };
  const before = guardedClient(anyBroker);
  before.server.respond = (packet, connection) =>
    packet.cmd === 'connect' && connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  persistSession(before.client, store);
  before.client.connect();
  before.time.advance(1);
  before.client.publish('x', '', { qos: 2 });
  before.client.publish(`${own}x`, '', { qos: 1 });
  before.client.abort();
  assert.equal(persistSession(guardedClient(tuyaOnAlibabaCloud).client, store), 1);
  assert.equal(records.size, 2);
});

test('profiles are frozen, all the way down', () => {
  const frozen = (it: unknown): boolean =>
    typeof it !== 'object' || it === null || (Object.isFrozen(it) && Object.values(it).every(frozen));
  for (const profile of PLATFORMS) {
    assert.ok(frozen(profile), profile.name);
    assert.equal(profile.refusals.length, 5);
    assert.ok(profile.countedPackets.includes('pingreq'));
  }
  assert.ok(!tuyaOnAlibabaCloud.countedPackets.includes('unsubscribe'));
});

test('a profile that is none is refused', () => {
  const { options } = guardedClient(anyBroker).client;
  for (const profile of [undefined, null, {}, { name: 'x' }]) {
    assert.throws(() => guarded(options, profile as never), {
      code: 'bad-option',
      message: 'profile must be one of mqtt-mote/profiles',
    });
  }
});

for (const [message, limits] of [
  ['maxQos must be a whole number from 0 to 2, not 3', { maxQos: 3 }],
  ['maxTopicBytes must be a whole number from 1 to 65535, not 0', { maxTopicBytes: 0 }],
  ['maxCustomSlashes must be a whole number from 1 to 65535, not 0.5', { maxCustomSlashes: 0.5 }],
  ['maxPayloadBytes must be a whole number from 0 to 268435455, not -1', { maxPayloadBytes: -1 }],
  ['maxFilters must be a whole number from 1 to 1000, not 0', { maxFilters: 0 }],
  ['connectsPerMinute must be a whole number from 1 to 6000, not 0', { connectsPerMinute: 0 }],
  ['will must be true or false', { will: 'no' }],
  ['retain must be true or false', { retain: 0 }],
  ['topicPrefix must be a string', { topicPrefix: 7 }],
] as const) {
  test(`a limit of the app that is none is refused: ${message}`, () => {
    const { options } = guardedClient(anyBroker).client;
    assert.throws(() => guarded(options, anyBroker, { limits: limits as never }), { code: 'bad-option', message });
  });
}

test('on the local platform: what it would close the connection for throws, and the connection stays', () =>
  virtualPlatform(
    async ({ adapter, clock, endpoints, platform }) => {
      const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
      const options = { adapter: adapter(), endpoints, identity: deviceSecret(device), delivery: exactlyOnce };
      const calls = REFUSED.filter(([, reason]) => reason !== 'retain').map(([, , , call]) => call);
      const bare = new Client({ ...options, reconnect: { minMillis: 1, maxMillis: 1 } });
      const careful = new Client(guarded(options, tuyaOnAlibabaCloud));
      for (const client of [bare, careful]) {
        client.connect();
        await clock.advanceAsync(100);
        let thrown = 0;
        for (const call of calls) {
          try {
            call(client);
          } catch {
            thrown++;
          }
          await clock.advanceAsync(100);
        }
        assert.equal(thrown, client === bare ? 0 : calls.length);
        const offline = platform.log.entries.filter(({ event }) => event === 'offline').length;
        assert.equal(offline > 0, true, 'the bare client is cut');
        if (client === careful) assert.equal(client.stats().state, 'connected');
        client.abort();
        await clock.advanceAsync(100);
      }
      assert.equal(platform.connects('device') > 2, true);
    },
    { devices: [{ productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' }] },
  ));
