import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaign } from './campaign.ts';
import { corpus } from './corpus.ts';
import { examine } from './examine.ts';

const RUNS = 2_000;

test('[MQTT-4.8.0-1] [pain 27] whatever a server sends is accepted or ends in a typed close, however it is cut', () => {
  const verdicts = campaign(1, RUNS);
  // The generator is worth something only while inputs of every kind come often.
  for (const verdict of ['accepted', 'malformed-packet', 'unexpected-packet']) {
    assert.ok(verdicts.get(verdict)! > RUNS / 20, `${verdict} is rare: ${verdicts.get(verdict)}`);
  }
});

for (const { name, bytes } of corpus()) {
  test(`[MQTT-4.8.0-1] the input ${name} is accepted or ends in a typed close`, () => {
    const verdict = examine(bytes);
    if (name.startsWith('good-')) assert.equal(verdict, undefined);
    if (name.startsWith('bad-')) assert.notEqual(verdict, undefined);
  });
}
