// The end-to-end script on plain Node, from source: what every other engine is compared with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Adapter } from '../../src/index.ts';
import { nodeTcp, nodeTls } from '../../src/node.ts';
import { type EndToEndHost, endToEnd } from '../../targets/end-to-end/script.ts';
import { makeAuthority, makeServer } from '../platform/certificates.ts';
import { ALL_WELL, EndToEndServer } from '../support/end-to-end-server.ts';

function run(server: EndToEndServer, adapter: Adapter, changes: Partial<EndToEndHost> = {}): Promise<string[]> {
  const lines: string[] = [];
  return new Promise((resolve) => {
    const print = (line: string) => void lines.push(line);
    const { device, endpoint } = server;
    endToEnd({ adapter, endpoint, ...device, print, done: () => resolve(lines), ...changes });
  });
}

test('the end-to-end script passes on Node over TCP', async () => {
  const server = await EndToEndServer.start();
  server.judge(await run(server, nodeTcp()));
  await server.close();
});

test('the end-to-end script passes on Node over TLS', async () => {
  const { chain, privateKey, authority } = await makeServer(await makeAuthority('Root'));
  const server = await EndToEndServer.start({ tls: { cert: chain, key: privateKey } });
  server.judge(await run(server, nodeTls({ ca: authority })));
  await server.close();
});

test('a device that fails says at which step and why, and is not judged well', async () => {
  const server = await EndToEndServer.start();
  const lines = await run(server, nodeTcp(), { deviceSecret: 'guess' });
  assert.deepEqual(lines, ['ok sign', 'not ok connect: refused', 'end not ok']);
  assert.throws(() => server.judge(lines), /not ok connect: refused/);
  await server.close();
});

test('a step that takes too long fails', async () => {
  const server = await EndToEndServer.start({ mute: true });
  const lines = await run(server, nodeTcp(), { stepMillis: 50 });
  assert.deepEqual(lines, ['ok sign', 'not ok connect: timeout', 'end not ok']);
  await server.close();
});

test('a device that only claims that all went well is found out', async () => {
  const server = await EndToEndServer.start();
  assert.throws(() => server.judge(ALL_WELL), /connections/);
  await server.close();
});
