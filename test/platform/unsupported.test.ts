// QoS 2, retained messages and wills, which the platform does not offer, under each setting of the profile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEVICE, online, publish, subscribe, UPDATE, withPlatform } from './message-stage.ts';
import type { Platform } from './platform.ts';
import { connectPacket, RawDevice } from './raw-device.ts';
import { settle } from './virtual-clock.ts';

test('a QoS 2 PUBLISH closes the connection, is ignored, or goes through, by the profile', async () => {
  await withPlatform(async (platform) => {
    const device = await online(platform);
    publish(device, UPDATE, 2);
    await device.whenClosed;
  });
  await withPlatform(
    async (platform) => {
      const device = await online(platform);
      publish(device, UPDATE, 2);
      device.send({ cmd: 'pingreq' });
      await device.next('pingresp');
      assert.deepEqual(
        device.received.map(({ cmd }) => cmd),
        ['connack', 'pingresp'],
      );
    },
    { qos2Publish: 'ignore' },
  );
  await withPlatform(
    async (platform) => {
      const device = await online(platform);
      assert.deepEqual(await subscribe(device, [UPDATE, 2]), [2]);
      publish(device, UPDATE, 2);
      await device.next('pubrec');
      device.send({ cmd: 'pubrel', messageId: 21 });
      await device.next('pubcomp');
      assert.ok(device.received.some((packet) => packet.cmd === 'publish' && packet.qos === 2));
    },
    { qos2Publish: 'support', grantedQosMaximum: 2 },
  );
});

test('the retain flag is ignored, closes the connection, or keeps the message, by the profile', async () => {
  const retained = async (platform: Platform) => {
    const device = await online(platform);
    publish(device, UPDATE, 1, { retain: true });
    await device.next('puback');
    await subscribe(device, [UPDATE, 1]);
    await settle();
    return device.received.some(({ cmd }) => cmd === 'publish');
  };
  await withPlatform(async (platform) => assert.equal(await retained(platform), false));
  await withPlatform(async (platform) => assert.equal(await retained(platform), true), { retain: 'support' });
  await withPlatform(async (platform) => assert.rejects(retained(platform)), { retain: 'close' });
});

test('a will is ignored, closes the connection, or is published, by the profile', async () => {
  const will = { topic: '/pk/device/user/gone', payload: Buffer.from('gone'), qos: 1 as const, retain: false };
  const cutWith = async (platform: Platform, last: 'cut' | 'disconnect') => {
    const device = RawDevice.inMemory(platform);
    device.send({ ...connectPacket(DEVICE, { cleanSession: false }), will });
    await device.next('connack');
    await subscribe(device, [will.topic, 1]);
    if (last === 'cut') platform.drop('device');
    else device.send({ cmd: 'disconnect' });
    await device.whenClosed;
    await settle();
    const again = await online(platform, { cleanSession: false });
    await settle();
    return again.received.some(({ cmd }) => cmd === 'publish');
  };
  await withPlatform(async (platform) => assert.equal(await cutWith(platform, 'cut'), false));
  await withPlatform(
    async (platform) => {
      assert.equal(await cutWith(platform, 'disconnect'), false);
      assert.equal(await cutWith(platform, 'cut'), true);
    },
    { will: 'support' },
  );
  await withPlatform(async (platform) => assert.rejects(cutWith(platform, 'cut')), { will: 'close' });
});
