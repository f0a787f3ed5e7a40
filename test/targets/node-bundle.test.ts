// The one file of the whole client for Node, in a folder that holds nothing else: the end-to-end script over TCP and TLS.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundleForNode } from '../../targets/node/bundle.ts';
import { makeAuthority, makeServer } from '../platform/certificates.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';

const SCRIPT = join(import.meta.dirname, '../../targets/end-to-end/script.ts');

let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-'));
  writeFileSync(join(folder, 'bundled.mjs'), (await bundleForNode()).code);
  await build({
    entryPoints: [SCRIPT],
    outfile: join(folder, 'script.mjs'),
    bundle: true,
    format: 'esm',
    plugins: [
      {
        name: 'the bundle in place of the sources',
        setup: ({ onResolve }) =>
          onResolve({ filter: /src\/index\.ts$/ }, () => ({ path: './bundled.mjs', external: true })),
      },
    ],
  });
  writeFileSync(
    join(folder, 'run.mjs'),
    `import { nodeTcp, nodeTls } from './bundled.mjs';
    import { endToEnd } from './script.mjs';
    const { ca, ...device } = JSON.parse(process.env.DEVICE);
    endToEnd({ adapter: ca ? nodeTls({ ca }) : nodeTcp(), ...device, print: console.log });`,
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const kind of ['TCP', 'TLS']) {
  test(`the end-to-end script passes with the bundled client over ${kind}`, async () => {
    const { chain, privateKey, authority } = await makeServer(await makeAuthority('Root'));
    const tls = kind === 'TLS';
    const server = await EndToEndServer.start(tls ? { tls: { cert: chain, key: privateKey } } : {});
    const device = { endpoint: server.endpoint, ...server.device, ...(tls && { ca: authority }) };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'run.mjs')], {
      env: { DEVICE: JSON.stringify(device) },
    });
    assert.equal(stderr, '');
    server.judge(stdout.trim().split('\n'));
    await server.close();
  });
}
