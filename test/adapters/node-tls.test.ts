// TLS on Node beyond the one handshake: what is resumed, and what never is.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer, type SecureVersion } from 'node:tls';
import type { Adapter, MqttError } from '../../src/index.ts';
import { nodeTls } from '../../src/node.ts';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';

/** A server that says one byte to everyone, and notes who was resumed. */
async function withServer(
  certificates: ServerCertificates,
  version: SecureVersion,
  use: (port: number, resumed: boolean[], replace: (it: ServerCertificates) => void) => Promise<void>,
): Promise<void> {
  const resumed: boolean[] = [];
  const server = createServer(
    { cert: certificates.chain, key: certificates.privateKey, maxVersion: version },
    (socket) => {
      resumed.push(socket.isSessionReused());
      socket.on('error', () => {});
      socket.write('.');
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const replace = (it: ServerCertificates) =>
    server.setSecureContext({ cert: it.chain, key: it.privateKey, maxVersion: version });
  try {
    await use((server.address() as AddressInfo).port, resumed, replace);
  } finally {
    server.close();
    await once(server, 'close');
  }
}

/** Connects, hears the byte, closes. */
const visit = (adapter: Adapter, port: number): Promise<MqttError | undefined> =>
  new Promise((resolve) => {
    const transport = adapter.dial(
      { host: '127.0.0.1', port },
      {
        opened: () => {},
        received: () => transport.close(),
        writable: () => {},
        closed: resolve,
        warning: () => {},
      },
    );
  });

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${version}: the second handshake is resumed, by the adapter that made the first`, async () => {
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
