// The client against the local platform in virtual time: hours pass, nothing waits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClientOptions, deviceSecret } from '../../src/index.ts';
import { lengthenKeepAlive } from '../../src/patience.ts';
import { watchTakeover } from '../../src/takeover.ts';
import { Platform } from '../platform/platform.ts';
import type { Profile } from '../platform/profile.ts';
import { VirtualClock } from '../platform/virtual-clock.ts';
import { platformAdapter } from '../support/platform-adapter.ts';

const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const MINUTE = 60_000;

async function setUp(profile: Partial<Profile> = {}) {
  const clock = new VirtualClock();
  const platform = await Platform.start({ devices: [device], ports: false, clock, profile });
  const makeClient = (options: Partial<ClientOptions> = {}) =>
    new Client({
      adapter: platformAdapter(platform, clock),
      endpoints: [{ host: 'platform', port: 8883 }],
      identity: deviceSecret(device),
      ...options,
    });
  return { clock, platform, makeClient };
}

test('[row 4] two of our devices with one identity slow down, warn, and never storm', async () => {
  const { clock, platform, makeClient } = await setUp();
  const twins = [makeClient(), makeClient()];
  const warned = new Set<Client>();
  for (const twin of twins) {
    watchTakeover(twin);
    twin.on('warning', ({ code }) => code === 'takeover-suspected' && warned.add(twin));
  }
  for (const twin of twins) {
    twin.connect();
    await clock.advanceAsync(500);
  }
  await clock.advanceAsync(10 * MINUTE);
  const logins = platform.connects('device');
  assert.ok(logins > 4 && logins < 40, `${logins} logins in ten minutes`);
  assert.equal(warned.size, 2);
  await clock.advanceAsync(10 * MINUTE);
  assert.ok(platform.connects('device') - logins < logins, 'the second ten minutes are calmer than the first');
  await clock.advanceAsync(40 * MINUTE);
  for (let hour = 0; hour < 6; hour++) {
    const before = platform.connects('device');
    await clock.advanceAsync(60 * MINUTE);
    const perHour = platform.connects('device') - before;
    assert.ok(perHour >= 1 && perHour <= 16, `${perHour} logins in an hour`);
  }
  for (const twin of twins) twin.abort();
  await platform.close();
});

test('[row 4] beside a client that always comes back after a second, ours logs in a few times an hour; when that is gone it stays, and is quick again', async () => {
  const { clock, platform, makeClient } = await setUp();
  const ours = makeClient();
  watchTakeover(ours);
  let logins = 0;
  let retryInMillis: number | undefined;
  ours.on('connected', () => logins++);
  ours.on('disconnected', (event) => {
    retryInMillis = event.retryInMillis;
  });
  const rival = makeClient({ reconnect: { minMillis: 1_000, maxMillis: 1_000 } });
  ours.connect();
  await clock.advanceAsync(500);
  rival.connect();
  await clock.advanceAsync(60 * MINUTE);
  const inTheFirstHour = logins;
  await clock.advanceAsync(240 * MINUTE);
  assert.ok(logins - inTheFirstHour <= 4 * 8, `${logins - inTheFirstHour} logins in four hours`);
  rival.abort();
  await clock.advanceAsync(30 * MINUTE);
  assert.equal(ours.stats().state, 'connected', 'back within the longest delay');
  await clock.advanceAsync(60 * MINUTE);
  platform.drop('device');
  await clock.advanceAsync(10);
  assert.ok(retryInMillis! <= 2_000, `${retryInMillis} ms`);
  ours.abort();
  await platform.close();
});

for (const keepAliveSeconds of [30, 300, 1_200]) {
  test(`[row 23] [row 26] an idle device with keep-alive ${keepAliveSeconds} s is never cut in six hours`, async () => {
    const { clock, platform, makeClient } = await setUp({ firstTickSeconds: 1 });
    const client = makeClient({ keepAliveSeconds });
    client.connect();
    await clock.advanceAsync(6 * 60 * MINUTE);
    assert.equal(platform.connects('device'), 1);
    assert.equal(client.stats().state, 'connected');
    client.abort();
    await platform.close();
  });
}

test('[row 24] a CONNACK that comes late does not shorten the time to the first ping', async () => {
  const { clock, platform, makeClient } = await setUp({ connackDelayMillis: 20_000, firstTickSeconds: 1 });
  const client = makeClient({ keepAliveSeconds: 30 });
  client.connect();
  await clock.advanceAsync(60 * MINUTE);
  assert.equal(platform.connects('device'), 1);
  assert.equal(client.stats().state, 'connected');
  client.abort();
  await platform.close();
});

test('[row 27] a half-open link: the client finds it before the platform does, and is back at once', async () => {
  const { clock, platform, makeClient } = await setUp({ firstTickSeconds: 30 });
  const client = makeClient({ keepAliveSeconds: 300 });
  const codes: string[] = [];
  client.on('disconnected', ({ code }) => codes.push(code));
  client.connect();
  await clock.advanceAsync(1_000);
  platform.silence('device');
  await clock.advanceAsync(300_000 + 20_000 + 2_000);
  assert.deepEqual(codes, ['pingresp-timeout']);
  assert.equal(client.stats().state, 'connected');
  assert.equal(platform.connects('device'), 2);
  client.abort();
  await platform.close();
});

test('[row 16] [row 17] a keep-alive that is forced past the local check is refused by the platform with code 3', async () => {
  const { clock, platform, makeClient } = await setUp();
  const { credentials } = deviceSecret(device);
  const client = makeClient({ identity: { credentials }, keepAliveSeconds: 29, reconnect: false });
  let returnCode: number | undefined;
  client.on('disconnected', ({ error }) => {
    returnCode = error?.returnCode;
  });
  client.connect();
  await clock.advanceAsync(1_000);
  assert.equal(returnCode, 3);
  await platform.close();
});

test('[row 16] on a network that keeps losing links the keep-alive grows from 360 s to the 1200 s that the platform takes, and no further', async () => {
  const { clock, platform, makeClient } = await setUp();
  const client = makeClient();
  lengthenKeepAlive(client);
  client.connect();
  await clock.advanceAsync(1_000);
  for (let losses = 0; losses < 8; losses++) {
    platform.silence('device');
    await clock.advanceAsync(45 * MINUTE);
    assert.equal(client.stats().state, 'connected');
  }
  const taken = platform.log.entries.filter(({ event }) => event === 'online').map((it) => it.keepAliveSeconds);
  assert.deepEqual([...new Set(taken)], [360, 720, 1_200]);
  client.abort();
  await platform.close();
});

test('[row 6] the device log tells what the device did', async () => {
  const { clock, platform, makeClient } = await setUp();
  const client = makeClient();
  client.subscribe('/pk/device/user/get', { qos: 1 });
  client.publish('/pk/device/user/update', 'x', { qos: 1 });
  client.connect();
  await clock.advanceAsync(1_000);
  client.close();
  await clock.advanceAsync(1_000);
  const events = platform.log.entries.map(({ event }) => event);
  assert.deepEqual(events, ['online', 'subscribe', 'publish', 'offline']);
  assert.ok(!JSON.stringify(platform.log.entries).includes('secret'));
  await platform.close();
});

test('[row 5] a device that was offline gets what came meanwhile: the session is kept', async () => {
  const { clock, platform, makeClient } = await setUp();
  const client = makeClient();
  const got: string[] = [];
  const sessions: boolean[] = [];
  client.on('message', ({ payload }) => got.push(Buffer.from(payload).toString()));
  client.on('connected', ({ sessionPresent }) => sessions.push(sessionPresent));
  client.subscribe('/pk/device/user/get', { qos: 1 });
  client.connect();
  await clock.advanceAsync(1_000);
  platform.refuseConnections = true;
  platform.drop('device');
  await clock.advanceAsync(1_000);
  await platform.publish('/pk/device/user/get', 'meanwhile', 1);
  platform.refuseConnections = false;
  await clock.advanceAsync(5 * MINUTE);
  assert.deepEqual(got, ['meanwhile']);
  assert.deepEqual(sessions, [false, true]);
  client.abort();
  await platform.close();
});
