import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeFigures } from '../../targets/figures.ts';

test('the READMEs of the targets show the figures of budget.json', () => {
  assert.deepEqual(writeFigures(false), [], 'stale: run npm run generate');
});
