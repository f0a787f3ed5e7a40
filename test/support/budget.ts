// Figures that are the same in every run, held against targets/budget.json: `limit` is what was promised, `measured` what it was
// when somebody last looked. More than a little above the latter fails as well, so that growth is decided on, not found later.
// RECORD=1 in the environment writes down what is measured now.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFigures } from '../../targets/figures.ts';

interface Figure {
  readonly limit: number;
  measured: number;
}

interface Budget {
  readonly [name: string]: Figure | Budget;
}

const FILE = join(import.meta.dirname, '../../targets/budget.json');

const GROWTH = 1.03;

/**
 * @param path names in the file, such as `xs/slice/slots`
 * @param growth how far above the record is too far; Infinity where a figure is not the same in every run
 * @throws AssertionError above the limit, or much above the record
 */
export function checkBudget(path: string, now: number, growth: number = GROWTH): void {
  const file = JSON.parse(readFileSync(FILE, 'utf8')) as Budget;
  const figure = path.split('/').reduce((it: Budget | Figure, name) => (it as Budget)[name]!, file) as Figure;
  assert.equal(typeof figure?.limit, 'number', `targets/budget.json has no ${path}`);
  if (process.env.RECORD) {
    figure.measured = now;
    const text = JSON.stringify(file, undefined, 2).replace(/\{[^{}]*\}/g, (leaf) => leaf.replace(/\s+/g, ' '));
    writeFileSync(FILE, `${text}\n`);
    writeFigures();
  }
  assert.equal(now <= figure.limit, true, `${path} is ${now}, above its limit of ${figure.limit}`);
  const most = figure.measured * growth;
  assert.equal(now <= most, true, `${path} is ${now}; it was ${figure.measured}: run with RECORD=1 if that is meant`);
}
