// Runs the tests: every *.test.ts below the folders or files named, or below test/. Options go to Node's test runner.

import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const args = process.argv.slice(2);
const options = args.filter((it) => it.startsWith('-'));
const places = args.filter((it) => !it.startsWith('-'));

const testsBelow = (place: string): string[] =>
  statSync(place).isFile()
    ? [place]
    : readdirSync(place, { recursive: true, encoding: 'utf8' })
        .filter((it) => it.endsWith('.test.ts'))
        .map((it) => join(place, it))
        .sort();

const files = (places.length > 0 ? places : ['test']).flatMap(testsBelow);
if (files.length === 0) {
  console.error(`no tests below ${places.join(', ')}`);
  process.exit(1);
}
// A file that hangs is ended, and fails; no test takes anything near this long.
const defaults = ['--import', 'tsx', '--test', '--test-timeout=600000'];
const { status } = spawnSync(process.execPath, [...defaults, ...options, ...files], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
