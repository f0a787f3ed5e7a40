// The client and a plain mosquitto: what the local platform does not offer is tried here.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, type ClientOptions, exactlyOnce, plainIdentity } from '../../src/index.ts';
import { nodeTcp } from '../../src/node.ts';
import { closed, nextEvent } from '../support/events.ts';
import { type Mosquitto, mosquittoPath, startMosquitto } from '../support/mosquitto.ts';

describe('[row 13] mosquitto', { skip: mosquittoPath ? false : 'no mosquitto on this machine' }, () => {
  let broker: Mosquitto;
  before(async () => {
    broker = await startMosquitto();
  });
  after(() => broker.stop());

  const clientOf = (clientId: string, options: Partial<ClientOptions> = {}): Client =>
    new Client({
      adapter: nodeTcp(),
      allowPlaintext: true,
      endpoints: [{ host: '127.0.0.1', port: broker.port }],
      identity: plainIdentity({ clientId }),
      delivery: exactlyOnce,
      reconnect: { minMillis: 50, maxMillis: 50 },
      ...options,
    });

  for (const qos of [0, 1, 2] as const) {
    test(`a message of QoS ${qos} goes out and comes back, empty and 10 KB`, async () => {
      const client = clientOf(`echo-${qos}`);
      client.subscribe(`echo/${qos}`, { qos });
      client.connect();
      await nextEvent(client, 'connected');
      for (const payload of [new Uint8Array(0), new Uint8Array(10_240).fill(7)]) {
        const message = nextEvent(client, 'message');
        const done = new Promise((resolve) => client.publish(`echo/${qos}`, payload, { qos }, resolve));
        const { payload: got, qos: delivered } = await message;
        assert.equal(delivered, qos);
        assert.deepEqual(Buffer.from(got), Buffer.from(payload));
        assert.equal(await done, undefined);
      }
      await closed(client);
    });
  }

  test('[MQTT-3.2.2-2] a session is kept between connections, and what came meanwhile is delivered', async () => {
    const sleeper = clientOf('sleeper');
    const granted = new Promise((resolve) => sleeper.subscribe('wake', { qos: 2 }, resolve));
    sleeper.connect();
    await granted;
    await closed(sleeper);
    const other = clientOf('other');
    other.connect();
    await new Promise((resolve) => other.publish('wake', 'up', { qos: 2 }, resolve));
    await closed(other);
    const message = nextEvent(sleeper, 'message');
    const connected = nextEvent(sleeper, 'connected');
    sleeper.connect();
    assert.equal((await connected).sessionPresent, true);
    assert.equal(Buffer.from((await message).payload).toString(), 'up');
    await closed(sleeper);
  });

  test('[MQTT-3.1.2-8] the will comes after abort() and not after close()', async () => {
    const watcher = clientOf('watcher');
    const wills: string[] = [];
    watcher.on('message', ({ topic }) => wills.push(topic));
    const granted = new Promise((resolve) => watcher.subscribe('will/+', { qos: 1 }, resolve));
    watcher.connect();
    await granted;
    for (const [name, end] of [
      ['closed', (client: Client) => closed(client)],
      ['aborted', async (client: Client) => client.abort()],
    ] as const) {
      const will = { topic: `will/${name}`, payload: new Uint8Array([1]), qos: 1, retain: false } as const;
      const client = clientOf(name, { will });
      client.connect();
      await nextEvent(client, 'connected');
      const came = name === 'aborted' ? nextEvent(watcher, 'message') : undefined;
      await end(client);
      await came;
    }
    assert.deepEqual(wills, ['will/aborted']);
    await closed(watcher);
  });

  test('a broker that is restarted without its sessions is found again, subscribed again, and nothing of QoS 1 is lost', async () => {
    const client = clientOf('steady');
    const got = new Set<string>();
    const all = nextEvent(client, 'message', ({ payload }) => got.add(Buffer.from(payload).toString()).size === 30);
    client.subscribe('steady', { qos: 1 });
    client.connect();
    await nextEvent(client, 'connected');
    for (let n = 0; n < 15; n++) client.publish('steady', String(n), { qos: 1 });
    await broker.restart();
    for (let n = 15; n < 30; n++) client.publish('steady', String(n), { qos: 1 });
    await all;
    await closed(client);
  });
});
