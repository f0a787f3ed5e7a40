// One connection for each identity, faults made on purpose, and the device log: rows 2 and 6 of the platform's demands.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogEntry, LogOptions } from './device-log.ts';
import { Platform } from './platform.ts';
import type { Profile } from './profile.ts';
import { connectPacket, RawDevice } from './raw-device.ts';
import { settle } from './virtual-clock.ts';

const DEVICE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'very secret' };
const OTHER = { productKey: 'pk', deviceName: 'other', deviceSecret: 'other secret' };

async function withPlatform(
  run: (platform: Platform) => Promise<void>,
  options: { profile?: Partial<Profile>; log?: LogOptions } = {},
): Promise<void> {
  const platform = await Platform.start({ devices: [DEVICE, OTHER], ports: false, ...options });
  try {
    await run(platform);
  } finally {
    await platform.close();
  }
}

for (const sessionKey of ['device', 'clientId'] as const) {
  for (const clientId of ['12345', 'another']) {
    test(`[row 2] a second login as ${clientId} closes the older connection right after its CONNACK, sessions by ${sessionKey}`, () =>
      withPlatform(
        async (platform) => {
          const events: string[] = [];
          const older = RawDevice.inMemory(platform);
          await older.login(DEVICE);
          older.port.stream.once('end', () => events.push('older closed'));
          const newer = RawDevice.inMemory(platform);
          newer.port.stream.once('data', () => events.push('newer CONNACK'));
          assert.equal((await newer.login(DEVICE, { clientId })).returnCode, 0);
          await older.whenClosed;
          assert.deepEqual(events, ['newer CONNACK', 'older closed']);
          assert.deepEqual(
            older.received.map(({ cmd }) => cmd),
            ['connack'],
          );
          const last = platform.log.entries.at(-1);
          assert.deepEqual([last?.event, last?.reason, last?.code], ['offline', 'device connect in elsewhere', 427]);
          newer.send({ cmd: 'pingreq' });
          await newer.next('pingresp');
          assert.equal(platform.connects('device'), 2);
        },
        { profile: { sessionKey } },
      ));
  }
}

test('[row 2] another device is left alone', () =>
  withPlatform(async (platform) => {
    const device = RawDevice.inMemory(platform);
    await device.login(DEVICE);
    const other = RawDevice.inMemory(platform);
    await other.login(OTHER);
    await settle();
    assert.ok(!device.isClosed && platform.isOnline('device') && platform.isOnline('other'));
  }));

test('[row 2] a login that is refused closes nobody', () =>
  withPlatform(async (platform) => {
    const device = RawDevice.inMemory(platform);
    await device.login(DEVICE);
    const false_ = RawDevice.inMemory(platform);
    assert.equal((await false_.login({ ...DEVICE, deviceSecret: 'guess' })).returnCode, 5);
    await settle();
    assert.ok(!device.isClosed);
  }));

test('of three logins at once the last stays', () =>
  withPlatform(async (platform) => {
    const devices = [0, 1, 2].map(() => RawDevice.inMemory(platform));
    for (const device of devices) device.send(connectPacket(DEVICE));
    await settle(200);
    assert.deepEqual(
      devices.map(({ isClosed }) => isClosed),
      [true, true, false],
    );
    assert.ok(platform.isOnline('device'));
  }));

test('a kept session goes over to the connection that takes over', () =>
  withPlatform(async (platform) => {
    const older = RawDevice.inMemory(platform);
    await older.login(DEVICE, { cleanSession: false });
    older.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '/pk/device/user/get', qos: 1 }] });
    await older.next('suback');
    const newer = RawDevice.inMemory(platform);
    assert.equal((await newer.login(DEVICE, { cleanSession: false, clientId: 'new' })).sessionPresent, true);
    await platform.publish('/pk/device/user/get', 'x', 1);
    await newer.next('publish');
  }));

test('a device can be dropped, silenced and disabled while it is online', () =>
  withPlatform(async (platform) => {
    const dropped = RawDevice.inMemory(platform);
    await dropped.login(DEVICE);
    platform.drop('device');
    await dropped.whenClosed;
    const silenced = RawDevice.inMemory(platform);
    await silenced.login(DEVICE);
    platform.silence('device');
    silenced.send({ cmd: 'pingreq' });
    await settle();
    assert.deepEqual([silenced.received.length, silenced.isClosed], [1, false]);
    const disabled = RawDevice.inMemory(platform);
    await disabled.login(DEVICE);
    platform.disableDevice(DEVICE);
    await disabled.whenClosed;
    assert.equal(platform.connects('device'), 3);
    assert.equal(platform.isOnline('device'), false);
  }));

test('connections can be refused for a while', () =>
  withPlatform(async (platform) => {
    platform.refuseConnections = true;
    const refused = RawDevice.inMemory(platform);
    await assert.rejects(refused.login(DEVICE));
    platform.refuseConnections = false;
    assert.equal((await RawDevice.inMemory(platform).login(DEVICE)).returnCode, 0);
    assert.deepEqual(platform.counts, { connections: 2, tlsFailures: 0, resumed: 0, connectPackets: 1 });
  }));

test('[row 6] the device log tells what a device did, to memory, a listener and a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'device-log-'));
  const file = join(folder, 'devices.jsonl');
  const heard: LogEntry[] = [];
  try {
    await withPlatform(
      async (platform) => {
        await RawDevice.inMemory(platform).login({ ...DEVICE, deviceSecret: 'guess' });
        const device = RawDevice.inMemory(platform);
        await device.login(DEVICE);
        device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] });
        device.send({
          cmd: 'publish',
          topic: '/pk/device/user/update',
          payload: 'abc',
          qos: 0,
          dup: false,
          retain: false,
        });
        device.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['/pk/device/user/get'] });
        device.send({ cmd: 'disconnect' });
        await device.whenClosed;
        const events = platform.log.entries.map(({ event, code, reason }) => [event, code, reason]);
        assert.deepEqual(events, [
          ['refused', 5, 'wrong signature'],
          ['online', undefined, undefined],
          ['subscribe', undefined, undefined],
          ['publish', undefined, undefined],
          ['unsubscribe', undefined, undefined],
          ['offline', undefined, 'device disconnected'],
        ]);
        assert.deepEqual(heard, platform.log.entries);
        for (const entry of heard)
          assert.deepEqual([entry.productKey, entry.deviceName, entry.clientId], ['pk', 'device', '12345']);
      },
      { log: { file, listener: (entry) => heard.push(entry) } },
    );
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      heard,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the device log holds no secret and no password, and no more entries than it may', () =>
  withPlatform(
    async (platform) => {
      const packet = connectPacket(DEVICE);
      for (const changes of [{}, { clientId: 'x' }, { username: 'x' }, { password: Buffer.from('f'.repeat(64)) }]) {
        const device = RawDevice.inMemory(platform);
        device.send({ ...packet, ...changes });
        await device.next('connack');
      }
      const text = JSON.stringify(platform.log.entries);
      for (const hidden of [DEVICE.deviceSecret, packet.password?.toString() ?? '', 'ffff'])
        assert.ok(!text.includes(hidden));
      assert.equal(platform.log.entries.length, 3);
    },
    { log: { keep: 3 } },
  ));
