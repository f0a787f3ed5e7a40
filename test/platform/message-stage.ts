// What the tests of messages share: a platform for one test, and a device on it that is online.
import assert from 'node:assert/strict';
import type { QoS } from 'mqtt-packet';
import { Platform } from './platform.ts';
import type { Profile } from './profile.ts';
import { type LoginOptions, RawDevice } from './raw-device.ts';

export const DEVICE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const OTHER = { productKey: 'pk', deviceName: 'other', deviceSecret: 'other secret' };
export const GET = '/pk/device/user/get';
export const UPDATE = '/pk/device/user/update';

export async function withPlatform(
  run: (platform: Platform) => Promise<void>,
  profile: Partial<Profile> = {},
): Promise<void> {
  const platform = await Platform.start({ devices: [DEVICE, OTHER], ports: false, profile });
  try {
    await run(platform);
  } finally {
    await platform.close();
  }
}

export async function online(platform: Platform, options: LoginOptions = {}): Promise<RawDevice> {
  const device = RawDevice.inMemory(platform);
  assert.equal((await device.login(DEVICE, options)).returnCode, 0);
  return device;
}

export async function subscribe(device: RawDevice, ...filters: [string, QoS][]): Promise<unknown[]> {
  const subscriptions = filters.map(([topic, qos]) => ({ topic, qos }));
  device.send({ cmd: 'subscribe', messageId: 11, subscriptions });
  const { granted, messageId } = await device.next('suback');
  assert.equal(messageId, 11);
  return granted;
}

export function publish(
  device: RawDevice,
  topic: string,
  qos: QoS = 0,
  more: { payload?: string; retain?: boolean } = {},
) {
  device.send({ cmd: 'publish', topic, payload: 'up', qos, messageId: 21, dup: false, retain: false, ...more });
}
