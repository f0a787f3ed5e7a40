// What the benches have recorded, for those figures that are the same in every run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Figures = Readonly<Record<string, number>>;

function onRecord(bench: string): Figures {
  const file = join(import.meta.dirname, `../../bench/results/${bench}.json`);
  return JSON.parse(readFileSync(file, 'utf8')).exact;
}

const stale = (bench: string): string =>
  `bench/results is out of date: run npm run bench -- ${bench} --exact, and look at what has changed`;

/** @throws AssertionError where what is published is not what is measured now */
export function checkRecorded(bench: string, measured: Figures): void {
  assert.ok(Object.keys(measured).length > 0, 'nothing was measured');
  assert.deepEqual(measured, onRecord(bench), stale(bench));
}

/** How far what is published, in three digits, may be from what is measured now: a hundredth. */
const NEAR = 0.01;

/** As {@link checkRecorded}, of some of the figures: bytes, slots. @throws AssertionError where one is further off than a hundredth */
export function checkNearRecord(bench: string, measured: Figures): void {
  const record = onRecord(bench);
  assert.ok(Object.keys(measured).length > 0, 'nothing was measured');
  for (const [name, value] of Object.entries(measured)) {
    const published = record[name];
    assert.ok(published !== undefined, `${stale(bench)}: ${name} is missing`);
    assert.ok(Math.abs(value - published) <= NEAR * published, `${stale(bench)}: ${name} ${published}, now ${value}`);
  }
}
