// Topics, QoS, sessions and the echo rule of the platform, over in-memory connections.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QoS } from 'mqtt-packet';
import { DEVICE, GET, online, publish, subscribe, UPDATE, withPlatform } from './message-stage.ts';
import type { Platform } from './platform.ts';
import { connectPacket, RawDevice } from './raw-device.ts';
import { settle } from './virtual-clock.ts';

test('a device may subscribe to its own topics in every form', () =>
  withPlatform(async (platform) => {
    const device = await online(platform);
    const own = [
      GET,
      '/pk/device/user/+',
      '/pk/device/user/#',
      '/sys/pk/device/#',
      '/sys/pk/device/thing/event/property/history/post_reply',
      '/sys/pk/device/thing/event/+/post_reply',
      '/broadcast/pk/news',
      '/broadcast/pk/+',
      '/ext/ntp/pk/device/response',
      '/ext/session/pk/device/combine/login_reply',
      '/ext/error/pk/device',
      '/ext/rrpc/+/pk/device/user/get',
      '/shadow/get/pk/device',
      '/ota/device/upgrade/pk/device',
    ];
    const granted = await subscribe(device, ...own.map((filter): [string, QoS] => [filter, 1]));
    assert.deepEqual(
      granted,
      own.map(() => 1),
    );
  }));

test('a filter that is not the device\u2019s own is answered with 0x80 and the others are granted', () =>
  withPlatform(async (platform) => {
    const device = await online(platform);
    const foreign = [
      '#',
      '+/device/user/get',
      '/#',
      '/pk/#',
      '/pk/+/user/get',
      '/+/device/user/get',
      '/pk/other/user/get',
      '/sys/pk/other/thing/#',
      '/sys/pk/+/thing/#',
      '/broadcast/other/news',
      '/ext/#',
      '/shadow/get/pk/other',
      '/ota/device/+/pk/other',
      '$SYS/#',
      'plain',
      '/pk/device/other',
      '/pk/device/user/a#',
      '/pk/device/user//x',
      '/pk/device/user/1/2/3/4/5',
      `/pk/device/user/${'x'.repeat(128)}`,
    ];
    assert.deepEqual(
      await subscribe(device, ...foreign.map((filter): [string, QoS] => [filter, 0])),
      foreign.map(() => 0x80),
    );
    assert.deepEqual(
      await subscribe(device, ['#', 1], [GET, 0], ['/pk/other/user/get', 1], [UPDATE, 2]),
      [0x80, 0, 0x80, 1],
    );
  }));

test('a filter that is named twice in one SUBSCRIBE is answered twice', () =>
  withPlatform(async (platform) => {
    assert.deepEqual(await subscribe(await online(platform), [GET, 0], [GET, 1]), [0, 1]);
  }));

test('more subscriptions than the profile allows are answered with 0x80', () =>
  withPlatform(
    async (platform) => {
      const device = await online(platform);
      assert.deepEqual(await subscribe(device, [GET, 1], [UPDATE, 1], ['/sys/pk/device/#', 1]), [1, 1, 0x80]);
      device.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: [UPDATE] });
      await device.next('unsuback');
      assert.deepEqual(await subscribe(device, ['/sys/pk/device/#', 1]), [1]);
    },
    { subscriptionsPerDevice: 2 },
  ));

for (const topic of [
  '/pk/other/user/update',
  '$SYS/x',
  'x',
  '/shadow/get/pk/device',
  '/pk/device/user/+',
  '/broadcast/pk/x',
]) {
  test(`a PUBLISH to ${topic} closes the connection`, () =>
    withPlatform(async (platform) => {
      const device = await online(platform);
      publish(device, topic, 1);
      await device.whenClosed;
      assert.deepEqual(
        device.received.map(({ cmd }) => cmd),
        ['connack'],
      );
    }));
}

test('a forbidden PUBLISH is acknowledged and lost where the profile says ignore', () =>
  withPlatform(
    async (platform) => {
      const seen: string[] = [];
      platform.onUpstream(({ topic }) => seen.push(topic));
      const device = await online(platform);
      publish(device, '/pk/other/user/update', 1);
      assert.equal((await device.next('puback')).messageId, 21);
      publish(device, UPDATE, 1);
      await device.next('puback');
      assert.deepEqual(seen, [UPDATE]);
    },
    { forbiddenPublish: 'ignore' },
  ));

test('a payload above the limit closes the connection', () =>
  withPlatform(async (platform) => {
    const device = await online(platform);
    publish(device, UPDATE, 1, { payload: 'x'.repeat(262_144) });
    await device.next('puback');
    publish(device, UPDATE, 1, { payload: 'x'.repeat(262_145) });
    await device.whenClosed;
  }));

test('what a device publishes on user/update comes back on user/get, after its PUBACK and at its QoS', () =>
  withPlatform(async (platform) => {
    const device = await online(platform);
    await subscribe(device, [GET, 1]);
    publish(device, UPDATE, 1);
    const { topic, payload, qos } = await device.next('publish');
    assert.deepEqual([topic, payload.toString(), qos], [GET, 'up', 1]);
    assert.deepEqual(
      device.received.map(({ cmd }) => cmd),
      ['connack', 'suback', 'puback', 'publish'],
    );
  }));

test('without the echo rule only a subscription to the topic itself brings it back, and only where the profile says so', async () => {
  const subscribeAndPublish = async (platform: Platform) => {
    const device = await online(platform);
    await subscribe(device, [GET, 1], [UPDATE, 1]);
    publish(device, UPDATE, 1);
    await settle();
    return device.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.topic] : []));
  };
  await withPlatform(async (platform) => assert.deepEqual(await subscribeAndPublish(platform), [UPDATE]), {
    echo: undefined,
  });
  await withPlatform(async (platform) => assert.deepEqual(await subscribeAndPublish(platform), [GET]), {
    upstreamReachesSubscribers: false,
  });
});

test('a device subscribed at QoS 0 gets a QoS 1 message at QoS 1 and a QoS 0 message at QoS 0', () =>
  withPlatform(async (platform) => {
    for (const cleanSession of [true, false]) {
      const device = await online(platform, { cleanSession });
      assert.deepEqual(await subscribe(device, [GET, 0], ['/sys/pk/device/#', 0]), [0, 0]);
      await platform.publish(GET, 'one', 1);
      const first = await device.next('publish');
      assert.deepEqual([first.payload.toString(), first.qos], ['one', 1]);
      assert.ok((first.messageId ?? 0) > 0);
      device.send({ cmd: 'puback', messageId: first.messageId ?? 0 });
      await platform.publish('/sys/pk/device/thing/x', 'two', 0);
      assert.equal((await device.next('publish')).qos, 0);
    }
  }));

test('messages of both QoS published at once arrive all and in order', () =>
  withPlatform(async (platform) => {
    const device = await online(platform);
    await subscribe(device, [GET, 1]);
    for (let index = 0; index < 50; index++) void platform.publish(GET, `${index}`, index % 3 === 0 ? 1 : 0);
    const payloads: string[] = [];
    while (payloads.length < 50) payloads.push((await device.next('publish')).payload.toString());
    assert.deepEqual(payloads, [...Array(50).keys()].map(String));
  }));

test('a session that was kept gets its subscriptions and QoS 1 messages back, whatever its client id says', () =>
  withPlatform(async (platform) => {
    const before = RawDevice.inMemory(platform);
    assert.equal((await before.login(DEVICE, { cleanSession: false, timestamp: '1' })).sessionPresent, false);
    await subscribe(before, [GET, 0]);
    before.send({ cmd: 'disconnect' });
    await before.whenClosed;
    await platform.publish(GET, 'kept', 1);
    await platform.publish(GET, 'lost', 0);
    const after = RawDevice.inMemory(platform);
    assert.equal((await after.login(DEVICE, { cleanSession: false, timestamp: '2' })).sessionPresent, true);
    const kept = await after.next('publish');
    assert.deepEqual([kept.payload.toString(), kept.qos], ['kept', 1]);
    after.send({ cmd: 'puback', messageId: kept.messageId ?? 0 });
    await platform.publish(GET, 'live', 0);
    assert.equal((await after.next('publish')).payload.toString(), 'live');
  }));

test('a clean session ends the one that was kept', () =>
  withPlatform(async (platform) => {
    const kept = await online(platform, { cleanSession: false });
    await subscribe(kept, [GET, 1]);
    kept.send({ cmd: 'disconnect' });
    await kept.whenClosed;
    await platform.publish(GET, 'gone', 1);
    const clean = RawDevice.inMemory(platform);
    assert.equal((await clean.login(DEVICE)).sessionPresent, false);
    clean.send({ cmd: 'disconnect' });
    await clean.whenClosed;
    const third = RawDevice.inMemory(platform);
    assert.equal((await third.login(DEVICE, { cleanSession: false })).sessionPresent, false);
    await settle();
    assert.deepEqual(
      third.received.map(({ cmd }) => cmd),
      ['connack'],
    );
  }));

test('a kept session without subscriptions is present too', () =>
  withPlatform(async (platform) => {
    (await online(platform, { cleanSession: false })).send({ cmd: 'disconnect' });
    await settle();
    const again = RawDevice.inMemory(platform);
    assert.equal((await again.login(DEVICE, { cleanSession: false })).sessionPresent, true);
  }));

test('a QoS 1 message that was not acknowledged is sent again in the next connection', () =>
  withPlatform(async (platform) => {
    const device = await online(platform, { cleanSession: false });
    await subscribe(device, [GET, 1]);
    await platform.publish(GET, 'twice', 1);
    const first = await device.next('publish');
    platform.drop('device');
    await device.whenClosed;
    const again = await online(platform, { cleanSession: false });
    const second = await again.next('publish');
    assert.deepEqual([second.payload.toString(), second.messageId], ['twice', first.messageId]);
  }));

test('packets sent before CONNACK are handled after it, in their order', () =>
  withPlatform(async (platform) => {
    const device = RawDevice.inMemory(platform);
    device.send(connectPacket(DEVICE));
    device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: GET, qos: 1 }] });
    publish(device, UPDATE, 1);
    await device.next('publish');
    const order = ['connack', 'suback', 'puback', 'publish'];
    assert.deepEqual(
      device.received.map(({ cmd }) => cmd),
      order,
    );
  }));

test('a device that asks with _ss=1 gets messages on topics it never subscribed to', () =>
  withPlatform(async (platform) => {
    const plain = await online(platform);
    await platform.publish('/sys/pk/device/rrpc/request/1', 'x', 1);
    await settle();
    assert.deepEqual(
      plain.received.map(({ cmd }) => cmd),
      ['connack'],
    );
    for (const cleanSession of [true, false]) {
      const asking = await online(platform, { extras: '_ss=1', cleanSession });
      await settle();
      await platform.publish('/sys/pk/device/rrpc/request/1', 'x', 1);
      assert.equal((await asking.next('publish')).topic, '/sys/pk/device/rrpc/request/1');
      assert.ok(!asking.received.some(({ cmd }) => cmd === 'suback'));
    }
  }));

test('bytes that are no MQTT, and packets no device sends, close the connection', () =>
  withPlatform(async (platform) => {
    const noise = RawDevice.inMemory(platform);
    noise.port.stream.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await noise.whenClosed;
    const early = RawDevice.inMemory(platform);
    early.send({ cmd: 'pingreq' });
    await early.whenClosed;
    const twice = await online(platform);
    twice.send(connectPacket(DEVICE));
    await twice.whenClosed;
    const server = await online(platform);
    server.send({ cmd: 'pingresp' });
    await server.whenClosed;
  }));
