// Every vector of the platform, on Node, in the XS engine, and in the bundle for each level of the language: Espruino's among them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInContext } from 'node:vm';
import { bareWorld, script } from '../bundler/support.ts';
import { EXPECTED, vectors } from '../identity/vectors.ts';
import { bundleOf } from '../support/bundles.ts';
import { Xsnap, xsnapPath } from '../support/xsnap.ts';

test('[row 18] vectors T1 to T19 on Node', () => {
  assert.equal(new Set(EXPECTED.map((it) => it.split(' ')[0])).size, 19);
  assert.deepEqual(vectors(), EXPECTED);
});

for (const target of ['es2022', 'espruino', 'hermes', 'duktape', 'es5'] as const) {
  test(`[row 18] vectors T1 to T19 in a bundle for ${target}, in a world that has nothing but the language`, async () => {
    const context = bareWorld(target);
    runInContext(await script('test/identity/vectors.ts', target, true), context);
    assert.deepEqual(JSON.parse(runInContext('JSON.stringify(app.vectors())', context)), EXPECTED);
  });
}

const skip = xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it';

test('[row 18] vectors T1 to T19 in the XS engine', { skip }, async () => {
  const machine = new Xsnap();
  try {
    await machine.evaluate((await bundleOf('test/targets/xs/vectors.ts', 'moddable')).code);
    const { reply } = await machine.command('vectors');
    assert.deepEqual(JSON.parse(reply.toString()), EXPECTED);
  } finally {
    await machine.close();
  }
});
