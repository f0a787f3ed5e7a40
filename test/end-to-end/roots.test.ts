// Roots that are replaced on a running device, over real TLS and with files: row 12 of the platform's demands.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Client, deviceSecret } from '../../src/index.ts';
import { nodeKeyValueStore, nodeTls } from '../../src/node.ts';
import { RootStore, toPem, trusted } from '../../src/trust.ts';
import { makeAuthority, makeServer } from '../platform/certificates.ts';
import { Platform } from '../platform/platform.ts';
import { closed, nextEvent } from '../support/events.ts';

const DAY = 86_400_000;
const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const topic = '/pk/device/user/roots';

/** A device that takes its roots from a topic, and keeps them in a folder. */
function start(platform: Platform, folder: string, sets: Record<string, string>) {
  const roots = new RootStore({ store: nodeKeyValueStore(folder), wallClock: Date.now, sets, attempts: 2 });
  const client = new Client({
    adapter: trusted({
      store: roots,
      adapter: (set) => nodeTls({ ca: set.map(({ der }) => toPem(der)), serverName: 'localhost', warnDays: 0 }),
    }),
    endpoints: [{ ...platform.endpoints.private, roots: 'private' }],
    identity: deviceSecret(device),
    reconnect: { minMillis: 20, maxMillis: 20 },
  });
  const refused: string[] = [];
  const subscribed = new Promise((resolve) => client.subscribe(topic, { qos: 1 }, resolve));
  client.on('message', ({ payload }) => {
    try {
      roots.replace('private', payload);
    } catch (error) {
      refused.push((error as Error).message);
    }
  });
  return { client, roots, refused, subscribed };
}

test('[row 12] over TLS: a new root comes over a topic, the platform changes its certificate, a bad one is rolled back, a restart finds it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'roots-'));
  const [before, after] = [await makeAuthority('before'), await makeAuthority('after')];
  const later = { notAfter: new Date(Date.now() + 4_000 * DAY) };
  const strange = await makeAuthority('strange', later);
  const platform = await Platform.start({ devices: [device], certificates: { private: await makeServer(before) } });
  try {
    const { client, roots, refused, subscribed } = start(platform, folder, { private: before.certificate });
    const inUse = () =>
      roots
        .inUse('private')
        .map(({ subject }) => subject)
        .join();
    client.connect();
    assert.equal(await subscribed, undefined);
    const back = () => nextEvent(client, 'connected');

    const both = nextEvent(client, 'message');
    await platform.publish(topic, before.certificate + after.certificate, 1);
    await both;
    assert.equal(inUse(), 'before');
    let again = back();
    platform.drop('device');
    await again;
    assert.equal(inUse(), 'before,after', 'old and new side by side');

    platform.rotate('private', await makeServer(after));
    again = back();
    platform.drop('device');
    await again;

    const leaf = nextEvent(client, 'message');
    await platform.publish(topic, (await makeServer(after)).chain, 1);
    await leaf;
    assert.match(refused[0] ?? '', /^the certificate localhost is no authority's/);

    const bad = nextEvent(client, 'message');
    await platform.publish(topic, strange.certificate, 1);
    await bad;
    const warning = nextEvent(client, 'warning');
    again = back();
    platform.drop('device');
    await again;
    assert.equal((await warning).code, 'roots-rolled-back');
    assert.equal(inUse(), 'before,after');
    await closed(client);

    const restarted = start(platform, folder, { private: before.certificate });
    const arrived = nextEvent(restarted.client, 'connected');
    restarted.client.connect();
    await arrived;
    assert.equal(restarted.roots.inUse('private').length, 2);
    await closed(restarted.client);
  } finally {
    await platform.close();
    rmSync(folder, { recursive: true });
  }
});

test('[row 11] over TLS: past the end of its roots a device says so before it dials', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'roots-'));
  const root = await makeAuthority('public root', { notAfter: new Date(Date.now() + 40 * DAY) });
  const platform = await Platform.start({ devices: [device], certificates: { public: await makeServer(root) } });
  let wall = 0;
  try {
    const roots = new RootStore({
      store: nodeKeyValueStore(folder),
      wallClock: () => Date.now() + wall,
      sets: { public: root.certificate },
    });
    const client = new Client({
      adapter: trusted({
        store: roots,
        adapter: (set) => nodeTls({ ca: set.map(({ der }) => toPem(der)), serverName: 'localhost', warnDays: 0 }),
      }),
      endpoints: [platform.endpoints.public],
      identity: deviceSecret(device),
      reconnect: { minMillis: 20, maxMillis: 20 },
    });
    const warnings: string[] = [];
    client.on('warning', ({ message }) => warnings.push(message));
    const arrived = nextEvent(client, 'connected');
    client.connect();
    await arrived;
    assert.match(warnings[0] ?? '', /^the certificate public root ends on \d{4}-\d\d-\d\d, in 40 days$/);
    wall = 41 * DAY;
    const { connections } = platform.counts;
    const ended = nextEvent(client, 'disconnected', ({ code }) => code === 'tls');
    platform.drop('device');
    const { error } = await ended;
    assert.equal(error?.reason, 'ca-expired');
    assert.match(error?.message ?? '', /^the certificate public root ended on .*, and the clock of this device says /);
    assert.equal(platform.counts.connections, connections);
    await closed(client);
  } finally {
    await platform.close();
    rmSync(folder, { recursive: true });
  }
});
