// Methods that nobody can call are left out, and a script for Espruino lies in the global scope.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInContext } from 'node:vm';
import { bundle } from '../../targets/bundler/bundle.ts';
import { dropMethods } from '../../targets/bundler/output/drop-methods.ts';
import { generate, readModule } from '../../targets/bundler/passes/pass.ts';
import { bareWorld } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-methods-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE = `
  class Base { used() { return this.helper(); } helper() { return 1; } unused() { return this.onlyByUnused(); }
    onlyByUnused() {} get shown() { return 2; } get hidden() { return 3; } set hidden(value) {} static made() {} }
  class Derived extends Base { used() { return super.used() + this['spelled-' + 1] + this[names[0]](); } listed() { return 5; }
    toString() { return 'd'; } picked() {} constructor() { super(); } }
  const names = ['listed'];
  const { picked } = new Derived();
  print(new Derived().used(), new Derived()?.shown, picked);`;

const methodsOf = (text: string): string[] =>
  [...text.matchAll(/^ {2}(?:static |[gs]et )?(\w+)\(.*\) \{/gm)].map((it) => it[1]!);

test('what nothing calls goes, with what only that called; what is spelled out somewhere stays', () => {
  const { tree } = readModule('x', SOURCE);
  assert.equal(dropMethods(tree, true), 5);
  assert.deepEqual(methodsOf(generate(tree).code), [
    'used',
    'helper',
    'shown',
    'used',
    'listed',
    'toString',
    'picked',
    'constructor',
  ]);
});

test('where others can call, everything stays', () => {
  const { tree } = readModule('x', `${SOURCE} export { Base };`);
  assert.equal(dropMethods(tree, true), 0);
  assert.equal(dropMethods(tree, false), 5, 'a script without a name for its exports');
});

test('an app that only publishes carries nothing of what else a client can do', async () => {
  const entry = join(folder, 'app.ts');
  writeFileSync(
    entry,
    `import { Client, plainIdentity } from 'mqtt-mote';
    const client = new Client({ adapter, endpoints: [{ host: 'h', port: 1 }], identity: plainIdentity({ clientId: 'c' }) });
    client.publish('t', 'x');`,
  );
  const { code } = await bundle({ entry, target: 'espruino' });
  assert.match(code, /\bpublish\(/);
  for (const method of ['isWanted', 'stats', 'cancel', 'attempt']) {
    assert.equal(new RegExp(`\\b${method}\\(`).test(code), false, method);
  }
});

test('a script for Espruino has no function around it, and takes no name of its pins or functions', async () => {
  const entry = join(folder, 'many.mjs');
  const functions = Array.from({ length: 400 }, (_, i) => `export const f${i} = (n) => (n ? got.push(${i}) : f${i});`);
  writeFileSync(entry, `const got = [];\n${functions.join('\n')}\nexport { got };`);
  const { code } = await bundle({ entry, target: 'espruino', globalName: 'app' });
  const context = bareWorld('espruino');
  const { E } = context;
  runInContext(code, context);
  const globals = Object.keys(context).filter((it) => it !== 'E' || context.E !== E);
  assert.equal(runInContext('app.f7(true), app.f399(true), app.got.join()', context), '7,399');
  assert.ok(globals.length > 300, `${globals.length} globals`);
  assert.deepEqual(
    globals.filter((it) => /^(E|[A-H]\d)$/.test(it)),
    [],
  );
});
