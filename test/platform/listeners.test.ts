// The platform on real sockets: row 10 of the platform's demands, a third party's client, faults of certificates, the end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import {
  makeAuthority,
  makeSelfSignedServer,
  makeServer,
  type ServerCertificates,
  type ServerOptions,
} from './certificates.ts';
import { HOST } from './listeners.ts';
import { Platform } from './platform.ts';
import { connectPacket, RawDevice } from './raw-device.ts';
import { settle } from './virtual-clock.ts';

const DEVICE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const SECURE = { secureMode: '2' };

let platform: Platform;
let original: ServerCertificates;

before(async () => {
  original = await makeServer(await makeAuthority('Private Root of a Test'));
  platform = await Platform.start({ devices: [DEVICE], certificates: { private: original } });
});
after(() => platform.close());

function mqttJs(kind: 'tcp' | 'private' | 'public', ca?: string): Promise<MqttClient> {
  const { host, port } = platform.endpoints[kind];
  const { clientId, username = '', password } = connectPacket(DEVICE, kind === 'tcp' ? {} : SECURE);
  const options: IClientOptions = { clientId, username, keepalive: 300, reconnectPeriod: 0 };
  if (password !== undefined) options.password = password;
  if (ca !== undefined) options.ca = ca;
  return connectAsync(`${kind === 'tcp' ? 'mqtt' : 'mqtts'}://${host}:${port}`, options);
}

for (const kind of ['tcp', 'private', 'public'] as const) {
  test(`[row 13] MQTT.js logs in, subscribes and gets its own message back over ${kind}`, async () => {
    const client = await mqttJs(kind, kind === 'tcp' ? undefined : platform.authorities[kind]);
    await client.subscribeAsync('/pk/device/user/get', { qos: 1 });
    const message = new Promise<[string, Buffer]>((resolve) => {
      client.once('message', (topic, payload) => resolve([topic, payload]));
    });
    await client.publishAsync('/pk/device/user/update', 'hello', { qos: 1 });
    const [topic, payload] = await message;
    assert.deepEqual([topic, payload.toString()], ['/pk/device/user/get', 'hello']);
    await client.endAsync();
  });
}

test('[row 10] the private listener is trusted under the private root and not under the public one', async () => {
  const { private: own, public: known } = platform.authorities;
  const trusted = await RawDevice.overTls(platform, 'private', own);
  assert.equal((await trusted.login(DEVICE, SECURE)).returnCode, 0);
  trusted.port.finish();
  const { connectPackets } = platform.counts;
  await assert.rejects(RawDevice.overTls(platform, 'private', known));
  await assert.rejects(RawDevice.overTls(platform, 'public', own));
  assert.equal(platform.counts.connectPackets, connectPackets);
});

test('a CONNACK that refuses arrives before the close, over TCP and TLS', async () => {
  const plain = await RawDevice.overTcp(platform);
  assert.equal((await plain.login(DEVICE, { keepAliveSeconds: 29 })).returnCode, 3);
  await plain.whenClosed;
  const secure = await RawDevice.overTls(platform, 'private', platform.authorities.private);
  assert.equal((await secure.login(DEVICE, { ...SECURE, keepAliveSeconds: 29 })).returnCode, 3);
  await secure.whenClosed;
});

const PAST = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };

async function rejection(options: { server?: ServerOptions; expiredRoot?: boolean }): Promise<string> {
  const authority = await makeAuthority('Broken Root', options.expiredRoot ? PAST : {});
  platform.rotate('private', await makeServer(authority, options.server));
  return codeOfFailure();
}

async function codeOfFailure(): Promise<string> {
  try {
    const device = await RawDevice.overTls(platform, 'private', platform.authorities.private);
    device.port.destroy();
    return 'accepted';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? '';
  } finally {
    platform.rotate('private', original);
  }
}

test('[row 9] the certificate maker makes what a device must refuse', async () => {
  assert.equal(await rejection({ server: PAST }), 'CERT_HAS_EXPIRED');
  assert.equal(await rejection({ expiredRoot: true }), 'CERT_HAS_EXPIRED');
  assert.equal(await rejection({ server: { hostNames: ['elsewhere.example'] } }), 'ERR_TLS_CERT_ALTNAME_INVALID');
  platform.rotate('private', { ...(await makeSelfSignedServer()), authority: original.authority });
  assert.equal(await codeOfFailure(), 'DEPTH_ZERO_SELF_SIGNED_CERT');
  assert.equal(await rejection({ server: { hostNames: ['localhost'] } }), 'accepted');
});

test('certificates are rotated while connections stay up', async () => {
  const oldRoot = platform.authorities.private;
  const staying = await RawDevice.overTls(platform, 'private', oldRoot);
  await staying.login(DEVICE, SECURE);
  platform.rotate('private', await makeServer(await makeAuthority('Next Root')));
  await assert.rejects(RawDevice.overTls(platform, 'private', oldRoot));
  const renewed = await RawDevice.overTls(platform, 'private', platform.authorities.private);
  staying.send({ cmd: 'pingreq' });
  await staying.next('pingresp');
  staying.port.finish();
  renewed.port.finish();
  platform.rotate('private', original);
});

test('a start on a taken port fails with the system\u2019s error and leaves the other ports free', async () => {
  const holder = createServer().listen(0, HOST);
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  await assert.rejects(Platform.start({ devices: [], ports: { public: port } }), { code: 'EADDRINUSE' });
  holder.close();
  await once(holder, 'close');
});

test('close leaves no timer, socket or port open', async () => {
  await settle();
  const open = () =>
    process
      .getActiveResourcesInfo()
      .filter((name) => /Timeout|TCP|TLS/.test(name))
      .sort();
  const before = open();
  const other = await Platform.start({ devices: [DEVICE] });
  const silent = await RawDevice.overTcp(other); // never sends CONNECT
  const device = await RawDevice.overTls(other, 'private', other.authorities.private);
  await device.login(DEVICE, SECURE);
  assert.ok(open().length > before.length);
  await other.close();
  await Promise.all([silent.whenClosed, device.whenClosed]);
  await settle();
  assert.deepEqual(open(), before);
});
