// TLS on Node beyond the one handshake: what is resumed, and what never is.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { createServer, type SecureVersion } from 'node:tls';
import type { Adapter, MqttError } from '../../src/index.ts';
import { nodeTls } from '../../src/node.ts';
import { fromPem } from '../../src/trust.ts';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';

/** A server that says one byte to everyone, and notes who was resumed. */
async function withServer(
  certificates: ServerCertificates,
  version: SecureVersion,
  use: (
    port: number,
    resumed: boolean[],
    replace: (it: ServerCertificates) => void,
    reset: () => void,
  ) => Promise<void>,
): Promise<void> {
  const resumed: boolean[] = [];
  const links: Socket[] = [];
  const server = createServer(
    { cert: certificates.chain, key: certificates.privateKey, maxVersion: version },
    (socket) => {
      resumed.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.write('.');
    },
  );
  server.on('connection', (link: Socket) => links.push(link));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const replace = (it: ServerCertificates) =>
    server.setSecureContext({ cert: it.chain, key: it.privateKey, maxVersion: version });
  try {
    await use((server.address() as AddressInfo).port, resumed, replace, () => links.at(-1)?.resetAndDestroy());
  } finally {
    server.close();
    await once(server, 'close');
  }
}

/** Connects, hears the byte, closes, unless it does something else then. */
const visit = (adapter: Adapter, port: number, heard?: () => void): Promise<MqttError | undefined> =>
  new Promise((resolve) => {
    const transport = adapter.dial(
      { host: '127.0.0.1', port },
      {
        opened: () => {},
        received: () => (heard ? heard() : transport.close()),
        writable: () => {},
        closed: resolve,
        warning: () => {},
      },
    );
  });

/** As {@link visit}, also where the adapter does not dial at all. */
const visitOrThrow = async (adapter: Adapter, port: number): Promise<MqttError | undefined> => {
  try {
    return await visit(adapter, port);
  } catch (error) {
    return error as MqttError;
  }
};

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`[pain 19] ${version}: the second handshake is resumed, by the adapter that made the first`, async () => {
    const certificates = await makeServer(await makeAuthority('root'));
    await withServer(certificates, version, async (port, resumed) => {
      const adapter = nodeTls({ ca: certificates.authority });
      for (let i = 0; i < 3; i++) assert.equal(await visit(adapter, port), undefined);
      assert.equal(await visit(nodeTls({ ca: certificates.authority }), port), undefined);
      assert.deepEqual(resumed, [false, true, true, false]);
    });
  });

  test(`${version}: a server that comes back with a certificate that is not trusted is not trusted`, async () => {
    const [good, bad] = [await makeServer(await makeAuthority('root')), await makeServer(await makeAuthority('other'))];
    await withServer(good, version, async (port, resumed, replace) => {
      const adapter = nodeTls({ ca: good.authority });
      assert.equal(await visit(adapter, port), undefined);
      replace(bad);
      const error = await visit(adapter, port);
      assert.deepEqual([error?.code, error?.reason], ['tls', 'untrusted']);
      replace(good);
      assert.equal(await visit(adapter, port), undefined);
      assert.equal(resumed.at(-1), false, 'what failed is forgotten');
    });
  });
}

test('a link that breaks after the handshake is resumed all the same', async () => {
  const certificates = await makeServer(await makeAuthority('root'));
  await withServer(certificates, 'TLSv1.3', async (port, resumed, _, reset) => {
    const adapter = nodeTls({ ca: certificates.authority });
    for (let i = 0; i < 3; i++) assert.equal((await visit(adapter, port, reset))?.reason, 'econnreset');
    assert.deepEqual(resumed, [false, true, true]);
  });
});

test('a handshake that failed leaves nothing to be resumed', async () => {
  const certificates = await makeServer(await makeAuthority('root'), { hostNames: ['elsewhere.example'] });
  await withServer(certificates, 'TLSv1.2', async (port, resumed) => {
    const adapter = nodeTls({ ca: certificates.authority });
    for (let i = 0; i < 3; i++) {
      const error = await visit(adapter, port);
      assert.deepEqual([error?.code, error?.reason], ['tls', 'host-name']);
    }
    assert.ok(!resumed.includes(true), `${resumed}`);
  });
});

// What a maker may hand in, and what is done about it.

const message = (reason: RegExp | string) => ({ code: 'bad-option', message: reason });

test('wrong input: what is no root certificate is refused when the adapter is made, with a sentence', async () => {
  const root = await makeAuthority('root');
  const { chain, privateKey } = await makeServer(root);
  const leaf = chain.slice(0, -root.certificate.length);
  const [der] = fromPem(root.certificate);
  const none = 'ca holds no certificate: give the root certificate of the platform, PEM or DER';
  const damaged = 'ca holds a certificate that is damaged or cut short: save it again';
  for (const [ca, sentence] of [
    [leaf, "ca holds CN=localhost, which is no authority's: give the root certificate, not that of the server"],
    [
      fromPem(leaf)[0],
      "ca holds CN=localhost, which is no authority's: give the root certificate, not that of the server",
    ],
    [der!.subarray(0, 100), damaged],
    [root.certificate.replace(/\n.{64}\n/, '\n'), damaged],
    [root.certificate.slice(0, -30), none],
    [privateKey, none],
    ['', none],
    [[], 'ca holds no certificate: leave it out to trust the roots of Node'],
    [7, 'ca must be PEM, as text or bytes, or DER'],
  ] as const) {
    assert.throws(() => nodeTls({ ca: ca as string }), message(sentence));
  }
  for (const ca of [root.certificate, Buffer.from(root.certificate), der!, leaf + root.certificate]) nodeTls({ ca });
});

for (const [options, sentence] of [
  [{ warnDays: -1 }, 'warnDays must be a number of days, 0 or more'],
  [{ wallClock: 7 }, 'wallClock must be a function, such as Date.now'],
  [{ minVersion: 'TLSv1.1' }, 'minVersion must be TLSv1.2 or TLSv1.3'],
  [{ serverName: '' }, 'serverName must be the name that stands in the certificate of the server'],
  [{ dangerouslyTrustAnyServer: 1 }, 'dangerouslyTrustAnyServer must be true or false'],
] as const) {
  test(`a bad option is refused: ${sentence}`, () => {
    assert.throws(() => nodeTls(options as object), message(sentence));
  });
}

test('minVersion TLSv1.3 refuses a server that can no more than TLS 1.2', async () => {
  const certificates = await makeServer(await makeAuthority('root'));
  await withServer(certificates, 'TLSv1.2', async (port) => {
    const error = await visit(nodeTls({ ca: certificates.authority, minVersion: 'TLSv1.3' }), port);
    assert.deepEqual([error?.code, error?.reason], ['tls', 'handshake']);
  });
});

test('verification is not lost to the environment: NODE_TLS_REJECT_UNAUTHORIZED=0 changes nothing', async () => {
  const certificates = await makeServer(await makeAuthority('root'));
  await withServer(certificates, 'TLSv1.3', async (port) => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const error = await visit(nodeTls({ ca: (await makeAuthority('other')).certificate }), port);
      assert.deepEqual([error?.code, error?.reason], ['tls', 'untrusted']);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
});

test('dangerouslyTrustAnyServer connects to anybody, and is no authenticated adapter', async () => {
  const past = { notBefore: new Date('2019-01-01'), notAfter: new Date('2020-01-01') };
  const certificates = await makeServer(await makeAuthority('root', past), {
    hostNames: ['elsewhere.example'],
    ...past,
  });
  await withServer(certificates, 'TLSv1.3', async (port) => {
    const ca = certificates.authority;
    assert.equal((await visitOrThrow(nodeTls({ ca }), port))?.reason, 'ca-expired');
    const adapter = nodeTls({ ca, dangerouslyTrustAnyServer: true });
    assert.equal(await visit(adapter, port), undefined);
    assert.equal(adapter.security, 'unauthenticated');
    assert.equal(nodeTls({ ca, dangerouslyTrustAnyServer: false }).security, 'authenticated');
    assert.equal(nodeTls().security, 'authenticated');
  });
});
