// `npm run bench`: measures, prints, records. `npm run bench -- timers power` runs those.

import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Bench } from './runner/bench.ts';

const BENCHES = ['timers', 'power', 'footprint', 'signing', 'throughput', 'reconnect'];

const load = async (name: string): Promise<Bench> => (await import(`./${name}.ts`)).bench;

/** The peers are installed when they are first needed: users of the package never see them. */
function installPeers(): void {
  const lock = join(import.meta.dirname, 'package-lock.json');
  const installed = join(import.meta.dirname, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('installing the peers: npm ci --prefix bench');
  const { status } = spawnSync('npm', ['ci', '--prefix', import.meta.dirname], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('npm ci --prefix bench failed');
}

interface How {
  readonly record: boolean;
  readonly quick: boolean;
  readonly exact: boolean;
}

async function run(names: readonly string[], how: How): Promise<void> {
  installPeers();
  const { default: ora } = await import('ora');
  const { findingsText, record, recorded } = await import('./runner/record.ts');
  for (const name of names) {
    const bench = await load(name);
    if (how.exact && !bench.exact) continue;
    const spinner = ora({ text: name, prefixText: name }).start();
    const progress = (doing: string) => {
      if (process.stderr.isTTY) spinner.text = doing;
      else console.error(`${name}: ${doing}`);
    };
    const exact = how.quick ? undefined : await bench.exact?.();
    const before = how.exact && bench.restate ? recorded(name) : undefined;
    const findings = before
      ? await bench.restate!(exact!, before.measured as never)
      : await bench.measure(progress, how.quick);
    spinner.succeed('done');
    console.log(`\n${findingsText(findings)}\n`);
    if (how.record && !how.quick) await record(name, findings, exact, before?.measuredOn);
  }
}

const command = new Command('bench')
  .argument('[names...]', `what to run: ${BENCHES.join(', ')}; default: all`)
  .option('--no-record', 'print, but leave bench/results and the README as they are')
  .option('--quick', 'a little of everything, only to see that it runs; records nothing', false)
  .option('--exact', 'record anew what is the same in every run, and leave the rest as it was measured', false)
  .action(async (given: string[], how: How) => {
    const unknown = given.filter((it) => !BENCHES.includes(it));
    if (unknown.length > 0) command.error(`there is no bench ${unknown.join(', ')}; there are ${BENCHES.join(', ')}`);
    await run(given.length > 0 ? given : BENCHES, how);
  });

await command.parseAsync();
