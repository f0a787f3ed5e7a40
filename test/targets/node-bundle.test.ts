// What the package holds for Node, in a folder that holds nothing else: the end-to-end script over TCP and TLS, with the modules of
// the entry points and with the one file of the whole client.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildForNode } from '../../targets/entry-points.ts';
import { bundleForNode } from '../../targets/node/bundle.ts';
import { makeAuthority, makeServer } from '../platform/certificates.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';

const SCRIPT = join(import.meta.dirname, '../../targets/end-to-end/script.ts');

/** By name: the modules that the client and the adapters come from. */
const FORMS = { modules: ['index', 'node'], 'one file': ['bundled', 'bundled'] } as const;
type Form = keyof typeof FORMS;

let folder: string;
const folderOf = (form: Form): string => join(folder, form.replace(' ', '-'));

async function addScript(form: Form): Promise<void> {
  const [client, adapters] = FORMS[form];
  writeFileSync(join(folderOf(form), 'package.json'), '{ "type": "module" }');
  await build({
    entryPoints: [SCRIPT],
    outfile: join(folderOf(form), 'script.js'),
    bundle: true,
    format: 'esm',
    plugins: [
      {
        name: 'what was built in place of the sources',
        setup: ({ onResolve }) =>
          onResolve({ filter: /src\/index\.ts$/ }, () => ({ path: `./${client}.js`, external: true })),
      },
    ],
  });
  writeFileSync(
    join(folderOf(form), 'run.js'),
    `import { nodeTcp, nodeTls } from './${adapters}.js';
    import { endToEnd } from './script.js';
    const { ca, ...device } = JSON.parse(process.env.DEVICE);
    endToEnd({ adapter: ca ? nodeTls({ ca }) : nodeTcp(), ...device, print: console.log });`,
  );
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-'));
  await buildForNode(folderOf('modules'));
  mkdirSync(folderOf('one file'));
  writeFileSync(join(folderOf('one file'), 'bundled.js'), (await bundleForNode()).code);
  await addScript('modules');
  await addScript('one file');
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const form of Object.keys(FORMS) as Form[]) {
  for (const kind of ['TCP', 'TLS']) {
    test(`the end-to-end script passes with the client as ${form} over ${kind}`, async () => {
      const { chain, privateKey, authority } = await makeServer(await makeAuthority('Root'));
      const tls = kind === 'TLS';
      const server = await EndToEndServer.start(tls ? { tls: { cert: chain, key: privateKey } } : {});
      const device = { endpoint: server.endpoint, ...server.device, ...(tls && { ca: authority }) };
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folderOf(form), 'run.js')], {
        env: { DEVICE: JSON.stringify(device) },
      });
      assert.equal(stderr, '');
      server.judge(stdout.trim().split('\n'));
      await server.close();
    });
  }
}

test('the modules for Node name no path of the machine that built them', () => {
  const names = readdirSync(folderOf('modules')).filter((it) => it.endsWith('.js'));
  assert.ok(names.length > 30, `${names.length} files`);
  const root = join(import.meta.dirname, '../..');
  for (const name of names) assert.ok(!readFileSync(join(folderOf('modules'), name), 'utf8').includes(root), name);
});
