// Every demand of the platform has a test whose title names its row: `[row 12]`. None may get lost.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const TESTS = join(import.meta.dirname, '..');

/** Of 30: the last says that the text is given without guarantee, and is kept by the profiles being objects. */
const DEMANDS = 29;

/** Rows in titles of tests, by file: what stands in a string that begins as a title does. */
function rowsOf(file: string): number[] {
  const titles = readFileSync(join(TESTS, file), 'utf8').matchAll(/\btest\(\s*(['"`])(.*?)\1/gs);
  return [...titles].flatMap(([, , title]) => [...title!.matchAll(/\[row (\d+)\]/g)].map(([, row]) => Number(row)));
}

const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((it) => it.endsWith('.test.ts'));
const byFile = new Map(files.map((file) => [file.replaceAll('\\', '/'), rowsOf(file)]));

test('each of the 29 rows is named by the title of a test', () => {
  const named = new Set([...byFile.values()].flat());
  const missing = Array.from({ length: DEMANDS }, (_, index) => index + 1).filter((row) => !named.has(row));
  assert.deepEqual(missing, []);
  assert.ok([...named].every((row) => row >= 1 && row <= DEMANDS));
});

test('the rows that a fleet depends on are tested end to end on the local platform', () => {
  const endToEnd = [...byFile].filter(([file]) => /^(end-to-end|drill)\//.test(file)).flatMap(([, rows]) => rows);
  const missing = [2, 3, 4, 11, 12, 16, 18, 19, 20, 21, 22].filter((row) => !endToEnd.includes(row));
  assert.deepEqual(missing, []);
});
