// The three programs and npm start, run as a user runs them: as processes of their own, against a local platform.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fromPem } from '../../src/trust.ts';
import { tell, wantsColour } from '../../targets/node/transcript.ts';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';
import { Platform } from '../platform/platform.ts';
import type { ListenerKind } from '../platform/profile.ts';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Place = 'tcp' | 'tls-public' | 'tls-private';

const SECRET = 'a-secret-that-nobody-may-see';
const DEVICE = { productKey: 'a1B2c3D4e5F', deviceName: 'device_01', deviceSecret: SECRET };
const THREE_VALUES: Environment = {
  MQTT_MOTE_PRODUCT_KEY: DEVICE.productKey,
  MQTT_MOTE_DEVICE_NAME: DEVICE.deviceName,
  MQTT_MOTE_DEVICE_SECRET: SECRET,
};
const KINDS: Readonly<Record<Place, ListenerKind>> = { tcp: 'tcp', 'tls-public': 'public', 'tls-private': 'private' };
const PLACES = Object.keys(KINDS) as Place[];
const DAY = 86_400_000;

const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-test-'));
const fileOf = (name: string, content: string | Uint8Array): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

let platform: Platform;
const authority = { private: '', public: '' };

before(async () => {
  platform = await Platform.start({ devices: [DEVICE] });
  authority.private = fileOf('private-ca.pem', platform.authorities.private);
  authority.public = fileOf('public-ca.pem', platform.authorities.public);
});

after(async () => {
  rmSync(folder, { recursive: true });
  await platform.close();
});

const TSX = import.meta.resolve('tsx');
const TARGETS = join(import.meta.dirname, '..', '..', 'targets', 'node');

/** This process's environment, without what would fill in a value or change an output. */
const CLEAN = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(MQTT_MOTE_|NODE_EXTRA_CA_CERTS$|NODE_TEST_)/.test(name)),
);

async function run(program: Place | 'start', flags: readonly string[], env: Environment = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', TSX, join(TARGETS, `${program}.ts`), ...flags], {
    env: { ...CLEAN, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

function endpointOf(program: Place, of = platform): string {
  const { host, port } = of.endpoints[KINDS[program]];
  return `${host}:${port}`;
}

const PLAINTEXT = 'warning     plain TCP: anyone on the way can read and change everything\n';

/** What a program says that got its message back. */
const conversation = (program: Place, endpoint: string): string =>
  `${program === 'tcp' ? PLAINTEXT : ''}connected   ${endpoint}
subscribed  /a1B2c3D4e5F/device_01/user/get, QoS 1
published   /a1B2c3D4e5F/device_01/user/update, QoS 1: "hello from device_01"
received    /a1B2c3D4e5F/device_01/user/get, QoS 1: "hello from device_01"
closed      in order
`;

/** One line on stderr, exit code 1, and nothing of the secret. */
function assertFails({ code, stdout, stderr }: Outcome, line: string): void {
  assert.equal(stderr, `error: ${line}\n`);
  assert.equal(code, 1);
  assert.ok(!(stdout + stderr).includes(SECRET));
}

/** The flags of a program that would succeed; later flags count. */
const goodFlags = (program: Place): string[] => [
  ...['--endpoint', endpointOf(program)],
  ...(program === 'tcp' ? [] : ['--ca', authority[program === 'tls-public' ? 'public' : 'private']]),
];

for (const program of PLACES) {
  test(`[row 28] ${program} connects, subscribes, publishes, receives and closes`, async () => {
    const outcome = await run(program, goodFlags(program), THREE_VALUES);
    assert.deepEqual(outcome, { code: 0, stdout: conversation(program, endpointOf(program)), stderr: '' });
  });

  test(`[row 29] ${program} asks for productKey, deviceName, deviceSecret and endpoint, and nothing else`, async () => {
    const { productKey, deviceName, deviceSecret } = DEVICE;
    const identity = ['--product-key', productKey, '--device-name', deviceName, '--device-secret', deviceSecret];
    // The local root stands where Node.js keeps the roots that it ships.
    const roots = program === 'tls-public' ? authority.public : authority.private;
    const flags = [...identity, '--endpoint', endpointOf(program)];
    const { code, stdout, stderr } = await run(program, flags, { NODE_EXTRA_CA_CERTS: roots });
    assert.equal(stderr, '');
    assert.equal(code, 0);
    assert.match(stdout, /^received {4}/m);
  });
}

test('[row 14] an endpoint may be a name as well as an address', async () => {
  const { code } = await run('tcp', ['--endpoint', `localhost:${platform.endpoints.tcp.port}`], THREE_VALUES);
  assert.equal(code, 0);
});

for (const signMethod of ['hmacmd5', 'hmacsha256']) {
  test(`a program signs with ${signMethod} when told to`, async () => {
    const { code } = await run('tcp', [...goodFlags('tcp'), '--sign-method', signMethod], THREE_VALUES);
    assert.equal(code, 0);
  });
}

test('a program that gets no message back says so and ends well', async () => {
  const quiet = await Platform.start({ devices: [DEVICE], profile: { echo: undefined } });
  try {
    const endpoint = endpointOf('tcp', quiet);
    const { code, stdout, stderr } = await run('tcp', ['--endpoint', endpoint, '--timeout', '1'], THREE_VALUES);
    const get = '/a1B2c3D4e5F/device_01/user/get';
    const line = `nothing     came within 1 s: publish to ${get} from the console of the platform\n`;
    assert.equal(stdout, conversation('tcp', endpoint).replace(/^received.*\n/m, line));
    assert.equal(stderr, '');
    assert.equal(code, 0);
  } finally {
    await quiet.close();
  }
});

test('a program whose subscription is refused says so, and closes', async () => {
  const strict = await Platform.start({ devices: [DEVICE], profile: { subscribeTopics: [] } });
  try {
    assertFails(
      await run('tcp', ['--endpoint', endpointOf('tcp', strict)], THREE_VALUES),
      'the server refused /a1B2c3D4e5F/device_01/user/get: check that the topic belongs to this device, and is open for subscribing',
    );
    assert.equal(strict.log.entries.at(-1)?.reason, 'device disconnected');
  } finally {
    await strict.close();
  }
});

test('a program gives up a server that answers CONNECT and nothing more', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(Uint8Array.of(0x20, 2, 0, 0)));
    socket.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const outcome = await run('tcp', ['--endpoint', endpoint, '--timeout', '1'], THREE_VALUES);
  server.close();
  assertFails(outcome, 'no SUBACK within 1 s: try again, or with a longer --timeout');
});

describe('a wrong input is one line on stderr that says what to do, and exit code 1', { concurrency: 4 }, () => {
  for (const program of PLACES) {
    test(`[row 29] ${program} names every value that is missing`, async () => {
      assertFails(
        await run(program, []),
        'missing --product-key, --device-name, --device-secret, --endpoint (or MQTT_MOTE_PRODUCT_KEY, ' +
          'MQTT_MOTE_DEVICE_NAME, MQTT_MOTE_DEVICE_SECRET, MQTT_MOTE_ENDPOINT): copy from the console of the platform (see --help)',
      );
    });

    test(`[row 14] ${program} knows no host: without an endpoint it says where to get one`, async () => {
      assertFails(
        await run(program, [], { ...THREE_VALUES, MQTT_MOTE_ENDPOINT: '' }),
        'missing --endpoint (or MQTT_MOTE_ENDPOINT): copy from the console of the platform (see --help)',
      );
    });

    test(`[row 28] ${program}: wrong secret`, async () => {
      assertFails(
        await run(program, goodFlags(program), { ...THREE_VALUES, MQTT_MOTE_DEVICE_SECRET: 'wrong' }),
        `${endpointOf(program)} refused the login (code 5): check productKey, deviceName and deviceSecret, and that the device is enabled`,
      );
    });

    test(`[row 28] ${program}: a secret that was copied with a space`, async () => {
      assertFails(
        await run(program, goodFlags(program), { ...THREE_VALUES, MQTT_MOTE_DEVICE_SECRET: `${SECRET} ` }),
        'deviceSecret begins or ends with a space: copy it again, without the space',
      );
    });

    test(`[row 28] ${program}: productKey and deviceName swapped`, async () => {
      const { productKey, deviceName } = DEVICE;
      const swapped = { MQTT_MOTE_PRODUCT_KEY: deviceName, MQTT_MOTE_DEVICE_NAME: productKey };
      assertFails(
        await run(program, goodFlags(program), { ...THREE_VALUES, ...swapped }),
        `${endpointOf(program)} refused the login (code 5): check productKey, deviceName and deviceSecret, and that the device is enabled`,
      );
    });

    test(`[row 28] ${program}: keep-alive out of range`, async () => {
      assertFails(
        await run(program, [...goodFlags(program), '--keep-alive', '29'], THREE_VALUES),
        'keepAliveSeconds must be a whole number from 30 to 1200, not 29',
      );
    });

    test(`[row 28] ${program}: port closed`, async () => {
      assertFails(
        await run(program, [...goodFlags(program), '--endpoint', '127.0.0.1:1'], THREE_VALUES),
        'nothing listens at 127.0.0.1:1: check host and port, and that the server runs',
      );
    });

    test(`[row 28] ${program}: a flag that it does not know`, async () => {
      assertFails(
        await run(program, [`--device-secrt=${SECRET}`], THREE_VALUES),
        "unknown option '--device-secrt' (see --help)",
      );
    });
  }

  for (const program of ['tls-public', 'tls-private'] as const) {
    const wrong = program === 'tls-public' ? 'private' : 'public';

    test(`[row 28] ${program}: wrong CA`, async () => {
      assertFails(
        await run(program, [...goodFlags(program), '--ca', authority[wrong]], THREE_VALUES),
        `the certificate of ${endpointOf(program)} is not signed by a trusted root (self-signed certificate in certificate chain): give the root certificate that the platform names for this port`,
      );
    });

    test(`[row 28] ${program}: TLS spoken to a plain port`, async () => {
      assertFails(
        await run(program, [...goodFlags(program), '--endpoint', endpointOf('tcp')], THREE_VALUES),
        `no TLS handshake with ${endpointOf('tcp')} (Client network socket disconnected before secure TLS connection was established): check that this is a TLS port, 8883 or 443, not 1883`,
      );
    });

    test(`[row 28] ${program}: unreadable CA file`, async () => {
      const missing = join(folder, 'missing.pem');
      assertFails(
        await run(program, [...goodFlags(program), '--ca', missing], THREE_VALUES),
        `--ca cannot be read: ENOENT: no such file or directory, open '${missing}' (see --help)`,
      );
    });

    test(`[row 28] ${program}: CA file without a certificate`, async () => {
      const empty = fileOf(`${program}-empty.pem`, 'no certificate');
      assertFails(
        await run(program, [...goodFlags(program), '--ca', empty], THREE_VALUES),
        'ca holds no certificate: give the root certificate of the platform, PEM or DER',
      );
    });

    test(`[row 28] ${program}: CA file with the certificate of the server`, async () => {
      const { chain, authority: root } = await makeServer(await makeAuthority('Root'));
      const leaf = chain.slice(0, -root.length);
      assertFails(
        await run(program, [...goodFlags(program), '--ca', fileOf(`${program}-leaf.pem`, leaf)], THREE_VALUES),
        "ca holds CN=localhost, which is no authority's: give the root certificate, not that of the server",
      );
    });

    test(`[row 28] ${program}: CA file in DER, whole and cut short`, async () => {
      const pem = readFileSync(goodFlags(program).at(-1)!, 'utf8');
      const der = fromPem(pem)[0]!;
      const whole = await run(program, [...goodFlags(program), '--ca', fileOf(`${program}.der`, der)], THREE_VALUES);
      assert.deepEqual([whole.code, whole.stderr], [0, '']);
      const short = fileOf(`${program}-short.der`, der.subarray(0, -9));
      assertFails(
        await run(program, [...goodFlags(program), '--ca', short], THREE_VALUES),
        'ca holds a certificate that is damaged or cut short: save it again',
      );
    });

    test(`[row 28] ${program}: wrong port for the set of roots`, async () => {
      const endpoint = endpointOf(program === 'tls-public' ? 'tls-private' : 'tls-public');
      assertFails(
        await run(program, [...goodFlags(program), '--endpoint', endpoint], THREE_VALUES),
        `the certificate of ${endpoint} is not signed by a trusted root (self-signed certificate in certificate chain): give the root certificate that the platform names for this port`,
      );
    });
  }

  test('[row 28] plain TCP spoken to a TLS port', async () => {
    const endpoint = endpointOf('tls-private');
    assertFails(
      await run('tcp', ['--endpoint', endpoint], THREE_VALUES),
      `${endpoint} closed the connection: check the port, TLS or plain TCP, and that no other device uses this identity`,
    );
  });

  for (const endpoint of ['mqtt://iot.example.com', '::1', 'host:']) {
    test(`[row 14] ${endpoint} is no endpoint`, async () => {
      assertFails(
        await run('tcp', ['--endpoint', endpoint], THREE_VALUES),
        `--endpoint must be host or host:port, not '${endpoint}' (see --help)`,
      );
    });
  }

  test('[row 14] a port that is none', async () => {
    assertFails(
      await run('tcp', ['--endpoint', 'localhost:65536'], THREE_VALUES),
      'port must be a whole number from 1 to 65535, not 65536',
    );
  });

  for (const flag of ['--keep-alive', '--timeout']) {
    test(`${flag} that is no number`, async () => {
      assertFails(
        await run('tcp', [...goodFlags('tcp'), flag, 'soon'], THREE_VALUES),
        `${flag} must be a whole number of seconds, not 'soon' (see --help)`,
      );
    });
  }

  for (const seconds of ['0', '3601']) {
    test(`--timeout ${seconds} is out of range`, async () => {
      assertFails(
        await run('tcp', [...goodFlags('tcp'), '--timeout', seconds], THREE_VALUES),
        `--timeout must be 1 to 3600 seconds, not ${seconds} (see --help)`,
      );
    });
  }

  test('a sign method that is none', async () => {
    assertFails(
      await run('tcp', [...goodFlags('tcp'), '--sign-method', 'md4'], THREE_VALUES),
      "option '--sign-method <name>' argument 'md4' is invalid. Allowed choices are hmacsha1, hmacsha256, hmacmd5. (see --help)",
    );
  });
});

describe('a certificate that does not fit', () => {
  const withPrivate = async (chain: ServerCertificates): Promise<Outcome & { at: string }> => {
    const it = await Platform.start({ devices: [DEVICE], certificates: { private: chain } });
    try {
      const ca = fileOf('own-ca.pem', chain.authority);
      const at = `localhost:${it.endpoints.private.port}`;
      const outcome = await run('tls-private', ['--endpoint', at, '--ca', ca], THREE_VALUES);
      assert.equal(it.counts.connectPackets, 0, 'no CONNECT, and so no signature, was sent');
      return { ...outcome, at };
    } finally {
      await it.close();
    }
  };

  test('[row 28] wrong host name', async () => {
    const hostNames = ['iot.example.com'];
    const outcome = await withPrivate(await makeServer(await makeAuthority('Root'), { hostNames }));
    assertFails(
      outcome,
      `the certificate of ${outcome.at} is for another host (Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames: DNS:iot.example.com): copy the host from the console of the platform`,
    );
  });

  test('[row 28] certificate at its end', async () => {
    const notAfter = new Date(Date.now() - DAY);
    const notBefore = new Date(Date.now() - 2 * DAY);
    const outcome = await withPrivate(await makeServer(await makeAuthority('Root'), { notBefore, notAfter }));
    assertFails(
      outcome,
      `the certificate of ${outcome.at} has ended: if the clock of this device is right, tell whoever runs it`,
    );
  });

  test('[row 28] root certificate at its end', async () => {
    const validity = { notBefore: new Date('2019-01-01T00:00:00Z'), notAfter: new Date('2020-01-02T00:00:00Z') };
    const outcome = await withPrivate(await makeServer(await makeAuthority('Old Root', validity)));
    assertFails(
      outcome,
      'the root certificate CN=Old Root ended on 2020-01-02: replace it by the root certificate that the platform uses now',
    );
  });
});

/** What start says of one program, with ports left out. */
const chapter = (title: string, program: Place): string => `
${title}  targets/node/${program}.ts

${conversation(program, '127.0.0.1:PORT').replaceAll(/^(?=.)/gm, '  device    ')}  platform  online      at the ${KINDS[program]} port, keep-alive 360 s
  platform  subscribe   /a1B2c3D4e5F/device_01/user/get, granted QoS 1
  platform  publish     /a1B2c3D4e5F/device_01/user/update, QoS 1: 20 bytes
  platform  offline     device disconnected
`;

const TRANSCRIPT = `
How a device logs in  the worked example of the platform’s documentation

  productKey    pk
  deviceName    device
  clientId      12345
  timestamp     789

  client id     12345|securemode=3,signmethod=hmacsha1,timestamp=789|
  user name     device&pk
  password      FAFD82A3D602B37FB0FA8B7892F24A477F851A14

  The password is a signature of the four values, made with the deviceSecret, which itself is never sent.

A platform on this machine  with one device, for this run

  productKey    a1B2c3D4e5F
  deviceName    device_01
  deviceSecret  made for this run, and never shown
${chapter('Plain TCP, for tests only', 'tcp')}${chapter('TLS with the standard certificate', 'tls-public')}${chapter('TLS with the self-signed certificate', 'tls-private')}
All 3 programs connected, subscribed, published and closed.
`;

describe('npm start', { concurrency: 2 }, () => {
  test('[row 28] runs the three programs on a platform of its own and shows both sides, uncoloured in a pipe', async () => {
    const { code, stdout, stderr } = await run('start', [], { FORCE_COLOR: '1' });
    assert.equal(stderr, '');
    assert.equal(stdout.replaceAll(/127\.0\.0\.1:[0-9]+/g, '127.0.0.1:PORT'), TRANSCRIPT);
    assert.equal(code, 0);
  });

  test('hands its flags on, and fails when a program fails', async () => {
    const { code, stdout, stderr } = await run('start', ['--keep-alive', '29']);
    assert.equal(stderr, '\nerror: 3 of 3 programs failed: tcp.ts, tls-public.ts, tls-private.ts\n');
    assert.equal(code, 1);
    const line = '  device    error: keepAliveSeconds must be a whole number from 30 to 1200, not 29\n';
    assert.equal(stdout.split(line).length, 4);
  });

  test('runs against an endpoint that it is given, and starts no platform', async () => {
    const { code, stdout, stderr } = await run('start', ['--endpoint', 'iot.invalid', '--timeout', '5'], THREE_VALUES);
    assert.equal(stderr, '\nerror: 3 of 3 programs failed: tcp.ts, tls-public.ts, tls-private.ts\n');
    assert.equal(code, 1);
    for (const port of [1883, 443, 8883]) assert.ok(stdout.includes(` iot.invalid:${port} `), stdout);
    assert.ok(!stdout.includes('platform  '));
    assert.ok(!stdout.includes(SECRET));
  });

  test('asks for what is missing once one value is given', async () => {
    assertFails(
      await run('start', ['--endpoint', 'iot.invalid']),
      'missing --product-key, --device-name, --device-secret (or MQTT_MOTE_PRODUCT_KEY, MQTT_MOTE_DEVICE_NAME, ' +
        'MQTT_MOTE_DEVICE_SECRET): copy from the console of the platform (see --help)',
    );
  });

  test('takes no port, since each program has its own', async () => {
    assertFails(
      await run('start', ['--endpoint', 'iot.invalid:8883'], THREE_VALUES),
      '--endpoint must be a host without port: each of the three programs has its own (see --help)',
    );
  });

  test('uses colours at a terminal only, and never with NO_COLOR', () => {
    assert.equal(wantsColour(true, undefined), true);
    assert.equal(wantsColour(true, ''), true);
    assert.equal(wantsColour(true, '1'), false);
    assert.equal(wantsColour(undefined, undefined), false);
  });

  test('tells of a refusal with its reason and code', () => {
    const entry = { time: '', event: 'refused', listener: 'tcp', reason: 'wrong signature', code: 5 } as const;
    assert.equal(tell(entry), 'refused     at the tcp port: wrong signature, code 5');
  });
});
