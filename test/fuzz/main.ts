// A long fuzz run: tsx test/fuzz/main.ts --runs N --seed S. The failing input is printed and kept in test/fuzz/corpus.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { campaign } from './campaign.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
const runs = Number(values.runs ?? 100_000);
const seed = Number(values.seed ?? randomInt(2 ** 32));

console.log(`${runs} runs from seed ${seed}`);
const verdicts = campaign(seed, runs, (run) => {
  if (run % 10_000 === 9_999) console.log(`${run + 1} done`);
});
for (const [verdict, count] of verdicts) console.log(`${verdict}: ${count}`);
