// Reading on Node, from real sockets: every byte, in order, kept as it was; and none while it is paused.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { Adapter, MqttError, Transport } from '../../src/index.ts';
import { nodeTcp, nodeTls } from '../../src/node.ts';
import { makeAuthority, makeServer } from '../platform/certificates.ts';

/** More than the buffers of the system and of the server's stream hold. */
const WHOLE = Buffer.alloc(32 * 1_024 * 1_024);
for (let i = 0; i < WHOLE.length; i += 4) WHOLE.writeUInt32LE(i, i);

const authority = await makeAuthority('reading');
const { chain, privateKey } = await makeServer(authority);

const KINDS: readonly [string, (serve: (socket: Socket) => void) => Server, () => Adapter][] = [
  ['TCP', createTcpServer, nodeTcp],
  [
    'TLS',
    (serve) => createTlsServer({ cert: chain, key: privateKey }, serve),
    () => nodeTls({ ca: authority.certificate, serverName: 'localhost' }),
  ],
];

for (const [name, listen, makeAdapter] of KINDS) {
  test(`over ${name} every byte arrives, none while reading is paused, and what came is not written over`, async (context) => {
    const serving: Socket[] = [];
    const server = listen((socket) => {
      serving.push(socket.on('error', () => {}));
      socket.end(WHOLE);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => {
      for (const it of serving) it.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const adapter = makeAdapter();
    let most = 0;
    // Two at once, which read into the same memory in turns.
    const read = async (): Promise<void> => {
      const pieces: Uint8Array[] = [];
      let count = 0;
      let transport!: Transport;
      const ended = new Promise<MqttError | undefined>((closed) => {
        const received = (bytes: Uint8Array) => {
          if (count === 0) transport.pause();
          pieces.push(bytes);
          count += bytes.length;
        };
        const events = { opened: () => {}, received, writable: () => {}, closed, warning: () => {} };
        transport = adapter.dial({ host: '127.0.0.1', port }, events);
      });
      while (count === 0) await turn();
      for (let still = 0, last = 0; still < 500; still++) {
        await turn();
        if (count !== last) still = 0;
        last = count;
      }
      most = Math.max(most, count);
      transport.resume();
      assert.equal(await ended, undefined);
      assert.ok(Buffer.concat(pieces).equals(WHOLE));
    };
    await Promise.all([read(), read()]);
    assert.ok(most < WHOLE.length / 2, `${most} bytes came`);
  });
}

for (const [name, listen, makeAdapter] of KINDS) {
  test(`over ${name} a server that has ended still gets what was taken, and the connection is over`, async (context) => {
    let got = 0;
    let serving!: Socket;
    const server = listen((socket) => {
      serving = socket;
      socket.on('error', () => {}).pause();
      socket.write('.');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => {
      serving.destroy();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    let taken = 0;
    let transport!: Transport;
    const ended = new Promise<MqttError | undefined>((closed) => {
      const received = () => {
        for (let count = 1; count > 0; taken += count) count = transport.write(WHOLE.subarray(0, 1_000_000));
        serving.end();
        setImmediate(() => serving.on('data', (bytes) => (got += bytes.length)).resume());
      };
      const events = { opened: () => {}, received, writable: () => {}, closed, warning: () => {} };
      transport = makeAdapter().dial({ host: '127.0.0.1', port }, events);
    });
    assert.equal(await ended, undefined);
    while (!serving.readableEnded) await turn();
    assert.ok(taken >= 1_000_000);
    assert.equal(got, taken);
  });
}
