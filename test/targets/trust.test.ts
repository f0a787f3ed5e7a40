// Roots that can be replaced, on every level of the language and in the XS engine: PEM and DER are read without help of a host.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { runInContext } from 'node:vm';
import { bareWorld, script } from '../bundler/support.ts';
import { bundleOf } from '../support/bundles.ts';
import { makeRoot } from '../support/trust-world.ts';
import { Xsnap, xsnapPath } from '../support/xsnap.ts';
import { type TrustInput, trust } from './apps/trust.ts';

const NOW = Date.UTC(2026, 10, 1);
const DAY = 86_400_000;

const EXPECTED = [
  'before',
  'no-authority',
  'pem',
  'certificate',
  'older',
  'false', // What is in use is no news.
  'true',
  'replaced later',
  'still before',
  'confirmed later',
  'after a restart later',
  'replaced sooner',
  'rolled-back sooner',
  'back to later',
  'older',
];

let input: TrustInput;
before(async () => {
  const ending = (days: number) => ({ notAfter: new Date(NOW + days * DAY) });
  const root = await makeRoot('before', NOW, ending(1_000));
  const [later, sooner] = [await makeRoot('later', NOW, ending(2_000)), await makeRoot('sooner', NOW, ending(500))];
  const leaf = root.server.chain.slice(0, -root.pem.length);
  input = { before: root.pem, later: later.pem, sooner: sooner.pem, leaf, now: NOW };
});

test('[row 12] on Node', () => assert.deepEqual(trust(input), EXPECTED));

for (const target of ['es2022', 'espruino', 'hermes', 'duktape', 'es5'] as const) {
  test(`[row 12] in a bundle for ${target}, in a world that has nothing but the language`, async () => {
    const context = bareWorld(target);
    runInContext(await script('test/targets/apps/trust.ts', target, true), context);
    const told = runInContext(`JSON.stringify(app.trust(${JSON.stringify(input)}))`, context);
    assert.deepEqual(JSON.parse(told), EXPECTED);
  });
}

const skip = xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it';

test('[row 12] in the XS engine', { skip }, async () => {
  const machine = new Xsnap();
  try {
    await machine.evaluate((await bundleOf('test/targets/xs/trust.ts', 'moddable')).code);
    const { reply } = await machine.command(JSON.stringify(input));
    assert.deepEqual(JSON.parse(reply.toString()), EXPECTED);
  } finally {
    await machine.close();
  }
});
