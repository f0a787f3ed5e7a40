// Identities that a platform gives, end to end on the local platform: token, certificate, TuyaLink, devices behind a gateway.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceToken, enrol, register, registerUnlisted, x509, x509Login } from '../../src/enrolment.ts';
import { explain } from '../../src/explain.ts';
import { subDeviceLogin, subDeviceTopology } from '../../src/gateway.ts';
import { Client, deviceSecret, hmacsha256, type Identity, type MqttError } from '../../src/index.ts';
import { nodeTls } from '../../src/node.ts';
import { openTuyaLinkChannel, type TuyaLinkOptions, tuyaLink } from '../../src/tuyalink.ts';
import { makeAuthority, makeDeviceCertificate } from '../platform/certificates.ts';
import { tuyaLinkTriple } from '../platform/devices.ts';
import { Platform } from '../platform/platform.ts';
import { closed, nextEvent } from '../support/events.ts';
import { Flash, listen, textOf, type VirtualPlatform, virtualPlatform } from '../support/virtual-platform.ts';

const MINUTE = 60_000;
const product = { productKey: 'pk', deviceName: 'device', productSecret: 'productsecret' };

/** Logs in once, and tells how that ended. */
async function tryLogin(world: VirtualPlatform, identity: Identity): Promise<MqttError | undefined> {
  const client = world.client({ identity, reconnect: false });
  let error: MqttError | undefined;
  client.on('disconnected', (event) => {
    error = event.error;
  });
  client.connect();
  await world.clock.advanceAsync(1_000);
  client.close();
  await world.clock.advanceAsync(1_000);
  return error;
}

async function enrolled(world: VirtualPlatform, method = registerUnlisted(product)): Promise<Identity> {
  let found: Identity | undefined;
  enrol({ adapter: world.adapter(), endpoints: world.endpoints, store: new Flash(), method }, (_, identity) => {
    found = identity;
  });
  await world.clock.advanceAsync(1_000);
  assert.ok(found, 'an identity');
  return found;
}

test('[row 3] of two connections with one ClientID and DeviceToken the newest wins, and the older is closed after its CONNACK', () =>
  virtualPlatform(async (world) => {
    world.platform.devices.addProduct(product);
    const identity = await enrolled(world);
    const told: string[] = [];
    const client = (name: string) => {
      const it = world.client({ identity, reconnect: false });
      it.on('connected', () => told.push(`${name} connected`));
      it.on('disconnected', ({ code }) => told.push(`${name} ${code}`));
      it.connect();
      return it;
    };
    client('older');
    await world.clock.advanceAsync(1_000);
    const newer = client('newer');
    await world.clock.advanceAsync(1_000);
    assert.deepEqual(told, ['older connected', 'newer connected', 'older closed-by-peer']);
    assert.equal(world.platform.log.entries.filter(({ event }) => event === 'offline').at(-1)?.code, 427);
    newer.abort();
  }));

test('[row 4] two devices with one token flap, slowly: far fewer logins than a second apart', () =>
  virtualPlatform(async (world) => {
    world.platform.devices.addProduct(product);
    const identity = await enrolled(world);
    const twins = [world.client({ identity }), world.client({ identity })];
    for (const twin of twins) {
      twin.connect();
      await world.clock.advanceAsync(500);
    }
    await world.clock.advanceAsync(10 * MINUTE);
    const logins = world.platform.connects('device');
    assert.ok(logins > 4 && logins < 40, `${logins} logins in ten minutes`);
    for (const twin of twins) twin.abort();
  }));

test('[row 18] a registration that is repeated makes the secret before it worthless, and a changed bit is refused', () =>
  virtualPlatform(async (world) => {
    world.platform.devices.addProduct(product);
    world.platform.devices.list(product);
    const first = await enrolled(world, register(product));
    const second = await enrolled(world, register(product));
    assert.equal((await tryLogin(world, first))?.returnCode, 5);
    assert.equal(await tryLogin(world, second), undefined);
    const { deviceSecret: secret } = world.platform.devices.find('device&pk')!;
    const changed = (secret.startsWith('a') ? 'b' : 'a') + secret.slice(1);
    const wrong = deviceSecret({ productKey: 'pk', deviceName: 'device', deviceSecret: changed });
    assert.equal((await tryLogin(world, wrong))?.returnCode, 5);
  }));

test('a token works with its own client id only, until another is given', () =>
  virtualPlatform(async (world) => {
    const { devices } = world.platform;
    const given = devices.issueToken(product);
    const identity = (changes: object) => deviceToken({ productKey: 'pk', deviceName: 'device', ...given, ...changes });
    assert.equal(await tryLogin(world, identity({})), undefined);
    assert.equal((await tryLogin(world, identity({ clientId: 'another' })))?.returnCode, 5);
    assert.equal((await tryLogin(world, identity({ deviceToken: `${given.deviceToken}x` })))?.returnCode, 5);
    assert.equal((await tryLogin(world, identity({ deviceName: 'other' })))?.returnCode, 5);
    devices.issueToken(product);
    assert.equal((await tryLogin(world, identity({})))?.returnCode, 5);
  }));

test('wrong input: productKey and deviceName swapped are refused, and the sentence names them', () =>
  virtualPlatform(
    async (world) => {
      const swapped = deviceSecret({ productKey: 'device', deviceName: 'pk', deviceSecret: 'secret' });
      const error = await tryLogin(world, swapped);
      assert.equal(
        explain(error!, 'host'),
        'host refused the login (code 5): check productKey, deviceName and deviceSecret, and that the device is enabled',
      );
    },
    { devices: [{ productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' }] },
  ));

// The certificate: over real TLS.

test('a device with a certificate learns its names from a message that it never subscribed to, and logs in with them', async () => {
  const platform = await Platform.start({ devices: [] });
  try {
    const own = await makeDeviceCertificate(platform.deviceAuthority, 'factory serial 1');
    platform.devices.addCertificate(own.fingerprint, product);
    const { certificate, privateKey } = own;
    const adapter = nodeTls({ ca: platform.authorities.private, serverName: 'localhost', certificate, privateKey });
    const endpoints = [platform.endpoints.x509];
    const store = new Flash();
    const identity = await new Promise<Identity>((resolve, reject) => {
      enrol({ adapter, endpoints, store, method: x509() }, (error, it) => (it ? resolve(it) : reject(error)));
    });
    const client = new Client({ adapter, endpoints, identity });
    const message = nextEvent(client, 'message');
    client.subscribe('/pk/device/user/get');
    client.connect();
    client.publish('/pk/device/user/update', 'mine');
    assert.equal(textOf((await message).payload), 'mine');
    await closed(client);
    assert.equal(platform.connects('device'), 2);

    const other = new Client({
      adapter,
      endpoints,
      identity: x509Login({ productKey: 'pk', deviceName: 'other' }),
      reconnect: false,
    });
    const refused = nextEvent(other, 'disconnected');
    other.connect();
    assert.equal((await refused).error?.returnCode, 5);
  } finally {
    await platform.close();
  }
});

test('a certificate that is missing, or of another authority, gets no further than the handshake', async () => {
  const platform = await Platform.start({ devices: [] });
  try {
    const foreign = await makeDeviceCertificate(await makeAuthority('another root'), 'device');
    for (const { certificate, privateKey } of [foreign, { certificate: undefined, privateKey: undefined }]) {
      const adapter = nodeTls({ ca: platform.authorities.private, serverName: 'localhost', certificate, privateKey });
      const error = await new Promise<MqttError | undefined>((resolve) => {
        enrol(
          { adapter, endpoints: [platform.endpoints.x509], store: new Flash(), method: x509(), retry: false },
          (it) => resolve(it),
        );
      });
      assert.match(error?.code ?? '', /^(tls|tcp|closed-by-peer)$/);
    }
    assert.equal(platform.counts.connectPackets, 0);
  } finally {
    await platform.close();
  }
});

test('wrong input: a certificate without its key, or with another one, is refused when the adapter is made', async () => {
  const authority = await makeAuthority('root');
  const [one, two] = [await makeDeviceCertificate(authority, 'one'), await makeDeviceCertificate(authority, 'two')];
  const { certificate } = one;
  for (const [options, message] of [
    [{ certificate }, 'privateKey must be PEM, as text or bytes, beside certificate'],
    [{ privateKey: one.privateKey }, 'certificate must be PEM, as text or bytes, beside privateKey'],
    [
      { certificate, privateKey: two.privateKey },
      'certificate and privateKey cannot be read, or do not belong together: ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    ],
    [
      { certificate, privateKey: 'no key' },
      'certificate and privateKey cannot be read, or do not belong together: ERR_OSSL_UNSUPPORTED',
    ],
  ] as const) {
    assert.throws(() => nodeTls(options), { code: 'bad-option', message });
  }
});

// TuyaLink.

const tuya = { deviceId: '6c0123456789abcdefghij', deviceSecret: '0123456789abcdef' };
const START = Date.UTC(2026, 10, 1);

function tuyaWorld(use: (world: VirtualPlatform) => Promise<void>, skewMaximumMillis?: number): Promise<void> {
  const devices = [tuyaLinkTriple(tuya.deviceId, tuya.deviceSecret)];
  return virtualPlatform(use, { devices, start: START, profile: { skewMaximumMillis } });
}

const tuyaIdentity = ({ clock }: VirtualPlatform, changes: Partial<TuyaLinkOptions> = {}) =>
  tuyaLink({ ...tuya, wallClock: () => clock.now(), ...changes });

test('TuyaLink: ready comes after the SUBACK of the channel, for every connection; then everything comes by itself', () =>
  tuyaWorld(async (world) => {
    const { clock, platform } = world;
    const client = world.client({ identity: tuyaIdentity(world), cleanSession: true });
    const told: string[] = [];
    openTuyaLinkChannel(client, { deviceId: tuya.deviceId, ready: () => told.push('ready') });
    client.on('connected', () => told.push('connected'));
    client.on('message', ({ topic, payload }) => told.push(`${topic} ${textOf(payload)}`));
    client.connect();
    await clock.advanceAsync(1_000);
    assert.deepEqual(told.splice(0), ['connected', 'ready']);
    const down = `tylink/${tuya.deviceId}/thing/property/set`;
    await platform.publish(down, '{"data":{"power":true}}', 1);
    await clock.advanceAsync(100);
    assert.deepEqual(told.splice(0), [`${down} {"data":{"power":true}}`]);
    client.publish(`tylink/${tuya.deviceId}/thing/property/report`, '{}');
    await clock.advanceAsync(100);
    assert.deepEqual(told, [], 'what goes up does not come back down');
    platform.drop(tuya.deviceId);
    await clock.advanceAsync(MINUTE);
    assert.deepEqual(told.splice(0), ['connected', 'ready']);
    const subscribes = platform.log.entries.filter(({ event }) => event === 'subscribe');
    assert.equal(subscribes.length, 2, 'one SUBSCRIBE for each connection');
    client.close();
    await clock.advanceAsync(1_000);
    client.connect();
    await clock.advanceAsync(1_000);
    assert.deepEqual(told, ['connected', 'ready']);
    client.abort();
  }));

test('TuyaLink: a channel of no device, and without somebody to tell, is refused', () =>
  tuyaWorld(async (world) => {
    const client = world.client({ identity: tuyaIdentity(world), cleanSession: true });
    const ready = () => {};
    for (const [options, message] of [
      [{ deviceId: '', ready }, 'deviceId is missing'],
      [{ deviceId: 'a/#', ready }, 'deviceId must not contain /'],
      [{ deviceId: 'a' }, 'ready and refused must be functions'],
      [{ deviceId: 'a', ready, refused: 7 }, 'ready and refused must be functions'],
    ] as const) {
      assert.throws(() => openTuyaLinkChannel(client, options as never), { code: 'bad-option', message });
    }
  }));

test('TuyaLink: a channel that is refused is told, and is asked for again with the next connection', () =>
  tuyaWorld(async (world) => {
    const client = world.client({ identity: tuyaIdentity(world), cleanSession: true });
    const refused: string[] = [];
    const ready = () => assert.fail('it cannot be ready');
    openTuyaLinkChannel(client, { deviceId: 'another', ready, refused: ({ code }) => refused.push(code) });
    client.connect();
    await world.clock.advanceAsync(1_000);
    world.platform.drop(tuya.deviceId);
    await world.clock.advanceAsync(MINUTE);
    assert.deepEqual(refused, ['subscription-refused', 'subscription-refused']);
    client.abort();
  }));

test('TuyaLink: a wrong secret, and a clock that is far off where the cloud looks at it, are refused', () =>
  tuyaWorld(async (world) => {
    assert.equal(await tryLogin(world, tuyaIdentity(world)), undefined);
    const wrong = tuyaIdentity(world, { deviceSecret: '0123456789abcdeg' });
    assert.equal((await tryLogin(world, wrong))?.returnCode, 5);
    const behind = tuyaIdentity(world, { wallClock: () => world.clock.now() - 11 * MINUTE });
    assert.equal((await tryLogin(world, behind))?.returnCode, 5);
  }, 10 * MINUTE));

// A gateway.

const gateway = { productKey: 'pk', deviceName: 'gateway', deviceSecret: 'secret' };
const sub = { productKey: 'pk2', deviceName: 'sub1', deviceSecret: 'subsecret' };

test('a gateway puts a device under itself, logs it in, and then may use its topics', () =>
  virtualPlatform(
    async (world) => {
      const { clock } = world;
      const client = world.client({ identity: deviceSecret(gateway) });
      const heard = listen(client);
      const replies: string[] = [];
      client.on('message', ({ topic, payload }) => replies.push(`${topic.split('/').pop()} ${textOf(payload)}`));
      client.subscribe('/sys/pk/gateway/#');
      client.subscribe('/ext/session/pk/gateway/#');
      client.connect();
      await clock.advanceAsync(100);
      const request = async (topic: string, params: unknown) => {
        client.publish(topic, JSON.stringify({ id: '1', params }));
        await clock.advanceAsync(100);
        const [reply = 'nothing'] = replies.splice(0).filter((it) => it.includes('_reply'));
        return /"code":(\d+)/.exec(reply)?.[1];
      };
      const login = '/ext/session/pk/gateway/combine/login';
      const signed = { ...sub, timestamp: clock.now(), signMethod: hmacsha256 };
      assert.equal(await request(login, subDeviceLogin(signed)), '6401');
      assert.equal(await request('/sys/pk/gateway/thing/topo/add', [subDeviceTopology(signed)]), '200');
      assert.equal(await request(login, { ...subDeviceLogin(signed), deviceName: 'sub2' }), '6100');
      assert.equal(await request(login, subDeviceLogin({ ...signed, deviceSecret: 'guess' })), '6287');
      assert.equal(await request(login, subDeviceLogin(signed)), '200');
      client.subscribe('/pk2/sub1/user/get');
      client.publish('/pk2/sub1/user/update', 'from behind', { qos: 1 });
      await clock.advanceAsync(100);
      const logout = '/ext/session/pk/gateway/combine/logout';
      assert.equal(await request(logout, { productKey: 'pk2', deviceName: 'sub1' }), '200');
      assert.equal(heard.filter(({ name }) => name === 'disconnected').length, 0);
      client.publish('/pk2/sub1/user/update', 'too late');
      await clock.advanceAsync(100);
      assert.equal(heard.filter(({ name }) => name === 'disconnected').length, 1);
      client.abort();
    },
    { devices: [gateway, sub] },
  ));
