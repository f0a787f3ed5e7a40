// npm run mutation [-- --mutate FILE]: how many small faults in src/framing, src/protocol and src/timer the tests notice. A run
// over all of them on a clean tree writes README.md, with the commit it was made at.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';

const GOAL = 90;

// Processes of Stryker's own load runner.ts as well.
process.env.NODE_OPTIONS = '--import tsx';

const { mutate } = parseArgs({ options: { mutate: { type: 'string' } } }).values;
const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
const commit = git('rev-parse', '--short=12', 'HEAD');
const isClean = git('status', '--porcelain', 'src', 'test') === '';

const results = await new Stryker({
  configFile: 'test/mutation/stryker.config.json',
  ...(mutate === undefined ? {} : { mutate: [mutate] }),
}).runMutationTest();

interface Counts {
  killed: number;
  timedOut: number;
  survived: number;
}

const countsOf = (them: readonly MutantResult[]): Counts => {
  const counted = (...statuses: MutantResult['status'][]) => them.filter((it) => statuses.includes(it.status)).length;
  return { killed: counted('Killed'), timedOut: counted('Timeout'), survived: counted('Survived', 'NoCoverage') };
};

const scoreOf = ({ killed, timedOut, survived }: Counts): number =>
  (100 * (killed + timedOut)) / Math.max(1, killed + timedOut + survived);

const pathOf = (it: MutantResult): string => it.fileName.slice(it.fileName.indexOf('src/'));

const row = (name: string, counts: Counts): string =>
  `| ${name} | ${scoreOf(counts).toFixed(1)} | ${counts.killed} | ${counts.timedOut} | ${counts.survived} |`;

/** One line for each mutant that no test has noticed: where it is, and what it puts there. */
const survivor = (it: MutantResult): string =>
  `- ${pathOf(it).slice(4)}:${it.location.start.line} ${it.mutatorName}: \`${it.replacement?.replace(/\s+/g, ' ').slice(0, 90)}\``;

function readme(): string {
  const paths = [...new Set(results.map(pathOf))].sort();
  const rows = paths.map((path) => row(path.slice(4), countsOf(results.filter((it) => pathOf(it) === path))));
  const survivors = results.filter((it) => it.status === 'Survived' || it.status === 'NoCoverage').map(survivor);
  return `# Mutation testing

Written by \`npm run mutation\` at commit ${commit}. Each mutant is one small fault in \`src/framing\`, \`src/protocol\` or
\`src/timer\`; it is killed when a test fails, or never ends, because of it. Goal: ${GOAL} %.

| file | score, % | killed | timed out | survived |
|---|--:|--:|--:|--:|
${row('**all**', countsOf(results))}
${rows.join('\n')}

What survived, to be read with the source beside it: most of it changes nothing that can be seen.

${survivors.join('\n')}
`;
}

if (mutate === undefined && isClean) writeFileSync(join(import.meta.dirname, 'README.md'), readme());
const score = scoreOf(countsOf(results));
console.log(`score ${score.toFixed(1)} %, goal ${GOAL} %`);
if (score < GOAL) process.exitCode = 1;
