// The platform's keep-alive check in virtual time: rows 24, 25 and 26 of the platform's demands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from './platform.ts';
import type { Profile } from './profile.ts';
import { RawDevice } from './raw-device.ts';
import { settle, VirtualClock } from './virtual-clock.ts';

const DEVICE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

interface Stage {
  readonly clock: VirtualClock;
  readonly platform: Platform;
  readonly device: RawDevice;
}

async function stage(profile: Partial<Profile>, run: (stage: Stage) => Promise<void>): Promise<void> {
  const clock = new VirtualClock();
  const platform = await Platform.start({ devices: [DEVICE], ports: false, clock, profile });
  try {
    await run({ clock, platform, device: RawDevice.inMemory(platform) });
  } finally {
    await platform.close();
  }
  assert.equal(clock.pendingTimers, 0);
}

async function logIn({ device }: Stage, keepAliveSeconds: number): Promise<void> {
  assert.equal((await device.login(DEVICE, { keepAliveSeconds })).returnCode, 0);
}

/** Seconds of virtual time after which the platform closes. */
async function secondsToCut({ clock, device, platform }: Stage): Promise<number> {
  const start = clock.now();
  while (!device.isClosed && clock.now() - start < 4_000_000) await clock.advanceAsync(1000);
  assert.equal(platform.log.entries.at(-1)?.reason, 'keep-alive timeout');
  return (clock.now() - start) / 1000;
}

for (const w of [1, 15, 30]) {
  for (const keepAlive of [30, 60, 300, 1200]) {
    test(`[row 26] a silent device with keep-alive ${keepAlive} s is cut at its tick when the first tick is at ${w} s`, () =>
      stage({ firstTickSeconds: w }, async (at) => {
        await logIn(at, keepAlive);
        const cut = await secondsToCut(at);
        const limit = 1.5 * keepAlive;
        const tick = w + 30 * Math.ceil((limit - w) / 30);
        assert.equal(cut, tick);
        assert.ok(cut >= limit && cut < limit + 30, `${cut}`);
        if (limit % 30 === 0 && w < 30) assert.equal(cut, limit + w);
      }));
  }
}

test('[row 26] a random first tick keeps the cut inside its bounds', () =>
  stage({ firstTickSeconds: 'random' }, async (at) => {
    await logIn(at, 60);
    const cut = await secondsToCut(at);
    assert.ok(cut >= 90 && cut <= 121, `${cut}`);
  }));

test('[row 24] the keep-alive time starts when CONNACK is sent', () =>
  stage({ firstTickSeconds: 15, connackDelayMillis: 100_000 }, async (at) => {
    const login = at.device.login(DEVICE, { keepAliveSeconds: 30 });
    await at.clock.advanceAsync(99_999);
    assert.deepEqual(at.device.received, []);
    await at.clock.advanceAsync(1);
    assert.equal((await login).returnCode, 0);
    assert.equal(await secondsToCut(at), 45);
  }));

const RESETS: Record<string, (stage: Stage) => void | Promise<void>> = {
  PUBLISH: ({ device }) =>
    device.send({ cmd: 'publish', topic: '/pk/device/user/update', payload: '', qos: 0, dup: false, retain: false }),
  SUBSCRIBE: ({ device }) =>
    device.send({ cmd: 'subscribe', messageId: 7, subscriptions: [{ topic: '/pk/device/user/get', qos: 0 }] }),
  PINGREQ: ({ device }) => device.send({ cmd: 'pingreq' }),
  PUBACK: ({ device }) => device.send({ cmd: 'puback', messageId: 9 }),
};

for (const [name, send] of Object.entries(RESETS)) {
  test(`[row 25] ${name} resets the keep-alive time`, () =>
    stage({ firstTickSeconds: 15 }, async (at) => {
      await logIn(at, 30);
      await at.clock.advanceAsync(20_000);
      await send(at);
      await settle();
      assert.equal(await secondsToCut(at), 55); // idle since 20 s, so the tick at 45 s passes and the one at 75 s cuts
    }));
}

test('[row 25] UNSUBSCRIBE does not reset the keep-alive time', () =>
  stage({ firstTickSeconds: 15 }, async (at) => {
    await logIn(at, 30);
    await at.clock.advanceAsync(20_000);
    at.device.send({ cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['/pk/device/user/get'] });
    await at.device.next('unsuback');
    assert.equal(await secondsToCut(at), 25);
  }));

test('a device that pings in time stays online for hours', () =>
  stage({ firstTickSeconds: 30 }, async (at) => {
    await logIn(at, 300);
    for (let minutes = 0; minutes < 4 * 60; minutes += 5) {
      await at.clock.advanceAsync(300_000);
      at.device.send({ cmd: 'pingreq' });
      await at.device.next('pingresp');
    }
    assert.ok(at.platform.isOnline('device'));
  }));

test('a keep-alive that was clamped is checked as the maximum', () =>
  stage({ firstTickSeconds: 30, clampLongKeepAlive: true }, async (at) => {
    await logIn(at, 65535);
    assert.equal(await secondsToCut(at), 1800);
  }));

test('a connection without CONNECT is closed after its time', () =>
  stage({ connectTimeoutMillis: 5000 }, async ({ clock, device }) => {
    await clock.advanceAsync(4999);
    assert.ok(!device.isClosed);
    await clock.advanceAsync(1);
    assert.ok(device.isClosed);
  }));
