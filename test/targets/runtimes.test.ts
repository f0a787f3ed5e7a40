// Bun and Deno, with the adapters of Node: the end-to-end script over TCP and TLS, from the sources.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { engine, unless } from '../support/engines.ts';

const PROGRAM = join(import.meta.dirname, 'apps/end-to-end.ts');

/** What each is called with to run a program. */
const RUNTIMES = {
  BUN: ['run'],
  DENO: ['run', '--allow-all', '--no-check', '--no-lock', '--node-modules-dir=manual'],
} as const;

let certificates: ServerCertificates;
before(async () => {
  certificates = await makeServer(await makeAuthority('Root'));
});

for (const name of ['BUN', 'DENO'] as const) {
  for (const kind of ['TCP', 'TLS']) {
    test(`the end-to-end script passes in ${name.toLowerCase()} over ${kind}`, {
      skip: unless(name),
    }, async (context) => {
      const { chain, privateKey, authority } = certificates;
      const tls = kind === 'TLS';
      const server = await EndToEndServer.start(tls ? { tls: { cert: chain, key: privateKey } } : {});
      context.after(() => server.close());
      const device = { endpoint: server.endpoint, ...server.device, ...(tls && { ca: authority }) };
      const { stdout, stderr } = await promisify(execFile)(engine(name)!, [...RUNTIMES[name], PROGRAM], {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, DEVICE: JSON.stringify(device) },
      });
      assert.equal(stderr, '');
      server.judge(stdout.trim().split('\n'));
    });
  }
}
