// The sources as they go into a bundle, with short names and numbers in place of tables, pass the tests of the client and of
// the modules, which look at more than a bundled app could.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSource, namesOfSource } from '../../targets/bundler/plugin.ts';

const root = join(import.meta.dirname, '..', '..');

test('the tests of the client, the modules and the stores pass with short names', (context) => {
  const copy = mkdtempSync(join(tmpdir(), 'mqtt-mote-renamed-'));
  context.after(() => rmSync(copy, { recursive: true, force: true }));
  for (const it of ['package.json', 'tsconfig.json', 'test', 'src'])
    cpSync(join(root, it), join(copy, it), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const names = namesOfSource();
  assert.ok(names.properties.size > 50, `only ${names.properties.size} names`);
  assert.ok(names.members.size > 20, `only ${names.members.size} classes with names of their own`);
  for (const it of readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!it.endsWith('.ts')) continue;
    writeFileSync(join(copy, 'src', it), loadSource(join(root, 'src', it), names).contents as string);
  }
  // Tests that look into what they test ask for what they find there by its short name.
  for (const [file, name] of [
    ['modules/trace.test.ts', 'connection'],
    ['storage/espruino.test.ts', 'choose'],
    ['storage/espruino.test.ts', 'prove'],
  ] as const) {
    const path = join(copy, 'test', file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`.${name}`, `.${names.properties.get(name) ?? name}`));
  }
  const places = [
    'client',
    'modules',
    'storage',
    'identity',
    'adapters/ecma419.test.ts',
    'adapters/ecma419-tls.test.ts',
  ];
  const tsx = join(root, 'node_modules', '.bin', 'tsx');
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // Or the tests below would report to this one's runner.
  const { status, stdout } = spawnSync(tsx, ['test/run.ts', ...places.map((it) => join('test', it))], {
    cwd: copy,
    encoding: 'utf8',
    env,
  });
  assert.equal(
    status,
    0,
    stdout
      .split('\n')
      .filter((it) => /not ok|error:/.test(it))
      .join('\n'),
  );
  assert.match(stdout, /pass \d{2,}/);
});
