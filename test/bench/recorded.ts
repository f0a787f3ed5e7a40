// What the benches have recorded, for those figures that are the same in every run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @throws AssertionError where what is published is not what is measured now */
export function checkRecorded(bench: string, measured: Readonly<Record<string, number>>): void {
  const file = join(import.meta.dirname, `../../bench/results/${bench}.json`);
  const { exact } = JSON.parse(readFileSync(file, 'utf8'));
  assert.ok(Object.keys(measured).length > 0, 'nothing was measured');
  assert.deepEqual(
    measured,
    exact,
    `bench/results is out of date: run npm run bench -- ${bench}, and look at what has changed`,
  );
}
