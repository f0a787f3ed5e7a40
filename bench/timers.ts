// Timers: the wheel beside what hosts and packages offer, from one timer to a million.

import type { TopLevelSpec } from 'vega-lite';
import type { Bench, Findings, Progress } from './runner/bench.ts';
import { lines } from './runner/charts.ts';
import { digits } from './runner/format.ts';
import { buildProgram, runProgram, type Sample } from './runner/programs.ts';
import { interleave } from './runner/rounds.ts';
import { CONTENDERS } from './timers/contenders.ts';

const SIZES = [1, 100, 10_000, 100_000, 1_000_000];
/** Of few timers only pairs of arm and cancel, and resets, take long enough to be timed. */
const MANY = 10_000;
const FEW_OPERATIONS = ['pair', 'reset'] as const;
const OPERATIONS = ['pair', 'arm', 'reset', 'cancel', 'resetAnyhow', 'cancelAnyhow', 'fire'] as const;
type Operation = (typeof OPERATIONS)[number];
const HEADS: Readonly<Record<Operation, string>> = {
  pair: 'arm + cancel',
  arm: 'arm',
  reset: 'reset',
  cancel: 'cancel',
  resetAnyhow: 'reset in no order',
  cancelAnyhow: 'cancel in no order',
  fire: 'fire',
};
const roundsOf = (size: number): number => (size > 100_000 ? 1 : 3);
const NAMES = Object.keys(CONTENDERS);

type BySize = Map<number, Record<string, Sample>>;

async function measure(progress: Progress): Promise<Findings> {
  const program = await buildProgram('timers/program.ts');
  const results: BySize = new Map();
  for (const size of SIZES) {
    const run = (name: string) => runProgram(program, [name, String(size)], ['--expose-gc']);
    const told: Progress = (doing) => progress(`${size.toLocaleString('en-US')} timers, ${doing}`);
    results.set(size, await interleave(NAMES, roundsOf(size), run, told));
  }
  const tables = SIZES.map((size) => table(size, results));
  return {
    tables: [...tables, memory(results)],
    shown: [tables.at(-2)!],
    charts: [
      { name: 'operations', title: 'Nanoseconds per timer operation, by number of timers', spec: chart(results) },
    ],
    notes: [
      'Each contender runs once in each round, in a process of its own; of its passes the best counts, of the rounds the median.',
      'Timers have a hundred different durations between 30 and 1,200 s. They are set, reset and cancelled in turn; "in no order" is a shuffled one, where of many timers each is a miss of the caches.',
      '"put off" is how a keep-alive is reset for each packet: one store. MQTT.js clears an interval and sets another one. u8-mqtt has a fixed interval, which nothing resets.',
      '"wheel alone" reads the clock once per turn of the event loop; "alarms" read it at every operation, as setTimeout need not.',
      "npm's timer-wheel ticks in seconds and does not say when it is due: a host has to turn it.",
    ],
  };
}

function table(size: number, results: BySize) {
  const shown = size < MANY ? FEW_OPERATIONS : OPERATIONS;
  const rows = NAMES.map((name) => [name, ...shown.map((it) => digits(results.get(size)![name]![it]!))]);
  const timers = size === 1 ? '1 timer' : `${size.toLocaleString('en-US')} timers`;
  return { title: `${timers}: ns of CPU per operation`, columns: ['', ...shown.map((it) => HEADS[it])], rows };
}

function memory(results: BySize) {
  const sizes = SIZES.filter((size) => size >= MANY);
  const rows = NAMES.map((name) => [name, ...sizes.map((size) => digits(results.get(size)![name]!.bytes!))]);
  return { title: 'Bytes per timer', columns: ['', ...sizes.map((size) => size.toLocaleString('en-US'))], rows };
}

function chart(results: BySize): TopLevelSpec {
  const rows = SIZES.flatMap((timers) =>
    NAMES.flatMap((name) =>
      FEW_OPERATIONS.map((it) => ({ timers, name, operation: HEADS[it], ns: results.get(timers)![name]![it]! })),
    ),
  );
  return lines(
    rows,
    { field: 'timers', title: 'timers', log: true },
    { field: 'ns', title: 'ns per operation', log: true },
    { field: 'name', values: NAMES },
    { field: 'operation', values: FEW_OPERATIONS.map((it) => HEADS[it]) },
  );
}

export const bench: Bench = { about: 'timers: the wheel beside what hosts and packages offer', measure };
