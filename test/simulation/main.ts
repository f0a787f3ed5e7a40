// A long simulation: tsx test/simulation/main.ts --seeds N --from S. A failing seed is printed with the command that
// replays it: tsx test/simulation/main.ts --seed S --verbose.

import { Command } from 'commander';
import { simulate } from './simulation.ts';
import type { Totals } from './world.ts';

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly verbose?: boolean;
}

const PROGRESS = 1_000;
const MAX_FAILURES = 10;

function report(totals: Totals): void {
  for (const [name, count] of [...totals].sort()) console.log(`${String(count).padStart(12)}  ${name}`);
}

/** Whether the seed passes. */
function run(seed: number, totals: Totals, verbose = false): boolean {
  try {
    for (const [name, count] of simulate(seed, verbose ? { print: console.log } : {})) {
      totals.set(name, (totals.get(name) ?? 0) + count);
    }
    return true;
  } catch (error) {
    console.error(verbose ? error : String(error));
    console.error(`replay: npx tsx test/simulation/main.ts --seed ${seed} --verbose`);
    return false;
  }
}

function runMany({ seeds, from }: Options, totals: Totals): number {
  const start = performance.now();
  let failures = 0;
  for (let done = 0; done < seeds && failures < MAX_FAILURES; ) {
    if (!run(from + done, totals)) failures++;
    done++;
    if (done % PROGRESS !== 0 && done !== seeds) continue;
    const perSecond = Math.round((done / (performance.now() - start)) * 1_000);
    console.log(`${done} of ${seeds} seeds, ${failures} failed, ${perSecond} a second`);
  }
  return failures;
}

const program = new Command()
  .description('Runs the client against a faulty network and a broker in virtual time, once for each seed.')
  .option('--seeds <count>', 'how many seeds', Number, 10_000)
  .option('--from <seed>', 'the first seed', Number, 1)
  .option('--seed <seed>', 'only this one', Number)
  .option('--verbose', 'with --seed: print every event')
  .parse();
const options = program.opts<Options>();
const totals: Totals = new Map();
const failures =
  options.seed === undefined ? runMany(options, totals) : run(options.seed, totals, options.verbose) ? 0 : 1;
report(totals);
process.exitCode = failures > 0 ? 1 : 0;
