// The client against the local platform over real sockets: TCP, and TLS with both roots.

import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connectAsync } from 'mqtt';
import {
  Client,
  type ClientOptions,
  deviceSecret,
  hmacmd5,
  hmacsha1,
  hmacsha256,
  type MqttError,
} from '../../src/index.ts';
import { nodeTcp, nodeTls } from '../../src/node.ts';
import { makeAuthority, makeSelfSignedServer, makeServer } from '../platform/certificates.ts';
import { Platform } from '../platform/platform.ts';
import { closed, nextEvent } from '../support/events.ts';

const DAY = 86_400_000;
const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const get = '/pk/device/user/get';
const update = '/pk/device/user/update';

let platform: Platform;
before(async () => {
  platform = await Platform.start({ devices: [device, { ...device, deviceName: 'other' }] });
});
after(() => platform.close());

const trusting = (kind: 'private' | 'public', where = platform) => ({
  adapter: nodeTls({ ca: where.authorities[kind], serverName: 'localhost' }),
  endpoints: [where.endpoints[kind]],
});

function clientOf(options: Partial<ClientOptions> = {}): Client {
  return new Client({ ...trusting('private'), identity: deviceSecret(device), ...options });
}

/** How the first attempt ends; what the platform saw of it is the caller's to check. */
async function firstFailure(options: Partial<ClientOptions>): Promise<MqttError> {
  const client = clientOf({ reconnect: false, ...options });
  const ended = nextEvent(client, 'disconnected');
  client.connect();
  const { error } = await ended;
  await closed(client);
  assert.ok(error);
  return error;
}

for (const qos of [0, 1] as const) {
  test(`[row 1] subscribe, publish and receive over TLS at QoS ${qos}`, async () => {
    const client = clientOf();
    const message = nextEvent(client, 'message');
    const granted = new Promise((resolve) => client.subscribe(get, { qos }, (error, it) => resolve(error ?? it)));
    client.connect();
    assert.equal(await granted, qos);
    const settled = new Promise((resolve) => client.publish(update, 'on', { qos }, resolve));
    assert.equal(await settled, undefined);
    const { topic, payload, qos: deliveredQos } = await message;
    assert.deepEqual([topic, Buffer.from(payload).toString(), deliveredQos], [get, 'on', qos]);
    await closed(client);
  });
}

test("[row 1] the publisher's QoS is kept: a device that subscribed with QoS 0 acknowledges QoS 1", async () => {
  const client = clientOf();
  client.subscribe(get);
  client.connect();
  await nextEvent(client, 'connected');
  const message = nextEvent(client, 'message');
  await platform.publish(get, 'x', 1);
  assert.equal((await message).qos, 1);
  await closed(client);
});

test('[row 2] the newest of two devices with one identity wins, the older is forced offline', async () => {
  const old = clientOf({ reconnect: false });
  old.connect();
  await nextEvent(old, 'connected');
  const kicked = nextEvent(old, 'disconnected');
  const young = clientOf();
  const arrived = nextEvent(young, 'connected');
  young.connect();
  await arrived;
  assert.equal((await kicked).code, 'closed-by-peer');
  assert.equal(young.stats().state, 'connected');
  await closed(young);
});

test('[row 10] the private root opens its port only; [row 11] so does the public one', async () => {
  for (const kind of ['private', 'public'] as const) {
    const client = clientOf(trusting(kind));
    client.connect();
    await nextEvent(client, 'connected');
    await closed(client);
    const wrong = kind === 'private' ? 'public' : 'private';
    const seen = platform.counts.connectPackets;
    const error = await firstFailure({ ...trusting(wrong), endpoints: [platform.endpoints[kind]] });
    assert.deepEqual([error.code, error.reason], ['tls', 'untrusted']);
    assert.equal(platform.counts.connectPackets, seen);
  }
});

test('[row 9] a wrong host name is refused before CONNECT is sent', async () => {
  const seen = platform.counts.connectPackets;
  const adapter = nodeTls({ ca: platform.authorities.private, serverName: 'iot.example.com' });
  const error = await firstFailure({ adapter });
  assert.deepEqual([error.code, error.reason], ['tls', 'host-name']);
  assert.equal(platform.counts.connectPackets, seen);
});

test('[row 9] an expired certificate and a self-signed leaf are refused before CONNECT is sent', async () => {
  const authority = await makeAuthority('fleet root', {});
  const past = { notBefore: new Date(Date.now() - 9 * DAY), notAfter: new Date(Date.now() - DAY) };
  const expired = await makeServer(authority, past);
  const selfSigned = await makeSelfSignedServer({});
  for (const [certificates, ca, reason] of [
    [expired, expired.authority, 'expired'],
    [selfSigned, expired.authority, 'untrusted'],
  ] as const) {
    const other = await Platform.start({ devices: [device], certificates: { private: certificates } });
    const adapter = nodeTls({ ca, serverName: 'localhost' });
    const error = await firstFailure({ adapter, endpoints: [other.endpoints.private] });
    assert.deepEqual([error.code, error.reason], ['tls', reason]);
    assert.equal(other.counts.connectPackets, 0);
    await other.close();
  }
});

test('[row 11] past the end of the root the reason is ca-expired; before it a warning comes early', async () => {
  const notAfter = new Date(Date.now() + 400 * DAY);
  const certificates = await makeServer(await makeAuthority('public root', { notAfter }), {});
  const other = await Platform.start({ devices: [device], certificates: { public: certificates } });
  const at = (days: number) => ({
    adapter: nodeTls({
      ca: other.authorities.public,
      serverName: 'localhost',
      wallClock: () => notAfter.getTime() + days * DAY,
    }),
    endpoints: [other.endpoints.public],
  });
  const error = await firstFailure(at(1));
  assert.deepEqual([error.code, error.reason], ['tls', 'ca-expired']);
  assert.match(error.message, /^the root certificate .*public root ended on \d{4}-\d\d-\d\d$/);
  assert.equal(other.counts.connections, 0);
  for (const [days, warns] of [
    [-91, false],
    [-89, true],
    [-1, true],
  ] as const) {
    const client = clientOf(at(days));
    const warnings: string[] = [];
    client.on('warning', ({ code, message }) => warnings.push(`${code}: ${message}`));
    client.connect();
    await nextEvent(client, 'connected');
    assert.equal(warnings.length, warns ? 1 : 0);
    if (warns) assert.match(warnings[0]!, new RegExp(`^ca-expiring: .* in ${-days} days$`));
    await closed(client);
  }
  await other.close();
});

test('[row 13] an unmodified third-party client logs in with credentials that our identity code made', async () => {
  for (const kind of ['private', 'public', 'tcp'] as const) {
    const { clientId, userName, password } = deviceSecret({
      ...device,
      clientId: 'third',
      timestamp: Date.now,
    }).credentials({
      number: 1,
      secure: kind !== 'tcp',
    });
    const secure =
      kind === 'tcp' ? { protocol: 'mqtt' as const } : { protocol: 'mqtts' as const, ca: platform.authorities[kind] };
    const third = await connectAsync({
      ...platform.endpoints[kind],
      ...secure,
      servername: 'localhost',
      clientId,
      username: userName!,
      password: password as string,
      protocolVersion: 4,
      reconnectPeriod: 0,
      keepalive: 300,
    });
    const [granted] = await third.subscribeAsync(get, { qos: 1 });
    assert.equal(granted?.qos, 1);
    await third.endAsync();
  }
});

test('[row 18] a secret with one changed bit is refused with return code 5', async () => {
  const error = await firstFailure({ identity: deviceSecret({ ...device, deviceSecret: 'secreu' }) });
  assert.deepEqual([error.code, error.returnCode], ['refused', 5]);
  assert.ok(!JSON.stringify(error).includes('secreu') && !error.message.includes('secreu'));
});

/** Logs in over this listener, and closes. */
async function logsIn(identity: ClientOptions['identity'], kind: 'private' | 'tcp' = 'private'): Promise<void> {
  const where =
    kind === 'tcp' ? { adapter: nodeTcp(), allowPlaintext: true, endpoints: [platform.endpoints.tcp] } : trusting(kind);
  const client = clientOf({ ...where, identity, reconnect: false });
  const arrived = nextEvent(client, 'connected');
  client.connect();
  await arrived;
  await closed(client);
}

test('[row 19] the platform takes a login with and without timestamp and clientId; without productKey or deviceName no socket is opened', async () => {
  for (const optional of [{}, { timestamp: 789 }, { clientId: '12345' }, { clientId: '12345', timestamp: Date.now }]) {
    await logsIn(deviceSecret({ ...device, ...optional }));
  }
  const { connections } = platform.counts;
  for (const name of ['productKey', 'deviceName', 'deviceSecret'] as const) {
    assert.throws(() => clientOf({ identity: deviceSecret({ ...device, [name]: '' }) }), {
      code: 'bad-option',
      message: `${name} is missing`,
    });
  }
  assert.equal(platform.counts.connections, connections);
});

for (const [signMethod, digits] of [
  [hmacmd5, 32],
  [hmacsha1, 40],
  [hmacsha256, 64],
] as const) {
  test(`[row 22] ${signMethod.name}: the platform takes a password of ${digits} hexadecimal digits, and no shorter one`, async () => {
    const identity = deviceSecret({ ...device, signMethod });
    const { password } = identity.credentials({ number: 1, secure: true });
    assert.match(password as string, new RegExp(`^[0-9A-F]{${digits}}$`));
    await logsIn(identity);
    const cut = {
      credentials: (attempt: { number: number; secure: boolean }) => {
        const made = identity.credentials(attempt);
        return { ...made, password: (made.password as string).slice(0, -1) };
      },
    };
    assert.equal((await firstFailure({ identity: cut })).returnCode, 4);
  });
}

test('[row 21] the platform takes the worked example over TCP', () =>
  logsIn(deviceSecret({ ...device, clientId: '12345', timestamp: 789 }), 'tcp'));

test('[row 20] a timestamp or clientId other than the signed one is refused', async () => {
  const signed = deviceSecret({ ...device, clientId: '12345', timestamp: 789 });
  for (const [from, to] of [
    ['timestamp=789', 'timestamp=788'],
    ['12345|', '12346|'],
    [',timestamp=789', ''],
  ] as const) {
    const identity = {
      ...signed,
      credentials: (attempt: { number: number; secure: boolean }) => {
        const made = signed.credentials(attempt);
        return { ...made, clientId: made.clientId.replace(from, to) };
      },
    };
    assert.equal((await firstFailure({ identity })).returnCode, 5);
  }
});

test('[row 21] the worked example is on the wire byte for byte, over TCP', async () => {
  const sockets: Socket[] = [];
  const seen = new Promise<Buffer>((resolve) => {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', (bytes) => {
        resolve(bytes);
        server.close();
      });
    }).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      client = new Client({
        adapter: nodeTcp(),
        allowPlaintext: true,
        endpoints: [{ host: '127.0.0.1', port }],
        identity: deviceSecret({ ...device, clientId: '12345', timestamp: 789 }),
      });
      client.connect();
    });
  });
  let client: Client | undefined;
  const bytes = await seen;
  client?.abort();
  for (const socket of sockets) socket.destroy();
  const field = (text: string) =>
    Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text)]);
  const body = Buffer.concat([
    field('MQTT'),
    Buffer.from([4, 0b1100_0000, 360 >> 8, 360 & 255]),
    field('12345|securemode=3,signmethod=hmacsha1,timestamp=789|'),
    field('device&pk'),
    field('FAFD82A3D602B37FB0FA8B7892F24A477F851A14'),
  ]);
  assert.deepEqual(bytes, Buffer.concat([Buffer.from([0x10, body.length]), body]));
});

test('[row 22] the password is hexadecimal of 32, 40 or 64 digits; base64 is refused with return code 4', async () => {
  const signed = deviceSecret(device);
  const identity = {
    credentials: (attempt: { number: number; secure: boolean }) => {
      const made = signed.credentials(attempt);
      return { ...made, password: Buffer.from(made.password as string, 'hex').toString('base64') };
    },
  };
  assert.equal((await firstFailure({ identity })).returnCode, 4);
});

test('[row 5] QoS 1 published while the platform drops the link arrives, and the subscription is there', async () => {
  const client = clientOf({ reconnect: { minMillis: 40, maxMillis: 40 } });
  const got = new Set<string>();
  const all = nextEvent(client, 'message', ({ payload }) => got.add(Buffer.from(payload).toString()).size === 20);
  client.subscribe(get, { qos: 1 });
  client.connect();
  await nextEvent(client, 'connected');
  for (let n = 0; n < 20; n++) {
    client.publish(update, String(n), { qos: 1 });
    if (n % 7 === 3) platform.drop('device');
  }
  await all;
  await closed(client);
});

for (const kind of ['private', 'public'] as const) {
  test(`${kind}: a client that comes back takes up its TLS session, which spares the battery a handshake`, async () => {
    const client = clientOf({ ...trusting(kind), reconnect: { minMillis: 20, maxMillis: 20 } });
    const resumed = () => platform.counts.resumed;
    const before = resumed();
    let arrived = nextEvent(client, 'connected');
    client.connect();
    await arrived;
    assert.equal(resumed(), before, 'the first handshake is a whole one');
    for (let times = 1; times <= 2; times++) {
      arrived = nextEvent(client, 'connected');
      platform.drop('device');
      await arrived;
      assert.equal(resumed(), before + times);
    }
    await closed(client);
  });
}

test('[row 8] a server that nobody verifies: each dial warns, production refuses', async () => {
  const adapter = nodeTls({ dangerouslyTrustAnyServer: true });
  const options = { adapter, endpoints: [platform.endpoints.private], reconnect: { minMillis: 20, maxMillis: 20 } };
  assert.throws(() => clientOf({ ...options, production: true }), {
    code: 'bad-option',
    message: 'production refuses a server that nobody verifies: give its root',
  });
  const client = clientOf(options);
  const warnings: string[] = [];
  client.on('warning', ({ code }) => warnings.push(code));
  for (const times of [1, 2]) {
    const arrived = nextEvent(client, 'connected');
    if (times === 1) client.connect();
    else platform.drop('device');
    await arrived;
    assert.deepEqual(warnings, Array(times).fill('unauthenticated-server'));
  }
  await closed(client);
});

test('a closed port and a name that does not exist have codes of their own', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const refused = await firstFailure({ endpoints: [{ host: '127.0.0.1', port }] });
  assert.deepEqual([refused.code, refused.reason], ['tcp', 'econnrefused']);
  const unknown = await firstFailure({ endpoints: [{ host: 'no-such-host.invalid', port: 1 }] });
  assert.equal(unknown.code, 'dns');
});

test('TLS spoken to a plain port, and plain TCP to a TLS port, end with an error and never connect', async () => {
  const tls = await firstFailure({ endpoints: [platform.endpoints.tcp] });
  assert.equal(tls.code, 'tls');
  const plain = await firstFailure({
    adapter: nodeTcp(),
    allowPlaintext: true,
    endpoints: [platform.endpoints.private],
  });
  assert.ok(['closed-by-peer', 'malformed-packet', 'unexpected-packet', 'tcp'].includes(plain.code), plain.code);
});
