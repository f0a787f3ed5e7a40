// Timers: the wheel beside what hosts and packages offer, from one timer to a million.

import type { TopLevelSpec } from 'vega-lite';
import type { Bench, Findings, Progress } from './runner/bench.ts';
import { lines } from './runner/charts.ts';
import { digits } from './runner/format.ts';
import { type Goal, goalTable } from './runner/goals.ts';
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

async function measure(progress: Progress, quick: boolean): Promise<Findings> {
  const program = await buildProgram('timers/program.ts');
  const results: BySize = new Map();
  const sizes = quick ? [1, MANY] : SIZES;
  for (const size of sizes) {
    const run = (name: string) => runProgram(program, [name, String(size)], ['--expose-gc']);
    const told: Progress = (doing) => progress(`${size.toLocaleString('en-US')} timers, ${doing}`);
    results.set(size, await interleave(NAMES, quick ? 1 : roundsOf(size), run, told));
  }
  const tables = sizes.map((size) => table(size, results));
  const set = quick ? [] : [goalTable(goals(results))];
  return {
    tables: [...tables, memory(results), ...set],
    shown: [tables.at(-2)!, ...set],
    charts: [
      { name: 'operations', title: 'Nanoseconds per timer operation, by number of timers', spec: chart(results) },
    ],
    notes: [
      'Each contender runs once in each round, in a process of its own; of its passes the best counts, of the rounds the median.',
      'Timers have a hundred different durations between 30 and 1,200 s. They are set, reset and cancelled in turn; "in no order" is a shuffled one, where of many timers each is a miss of the caches.',
      '"put off" is how a keep-alive is reset for each packet: one store. MQTT.js clears an interval and sets another one. u8-mqtt has a fixed interval, which nothing resets.',
      '"wheel alone" reads the clock once per turn of the event loop; "alarms" read it at every operation, as setTimeout need not.',
      'Where an alarm is the only one, the timer of the host below it is set and cleared as well: what it costs beyond that is one look at the clock, and the wheel.',
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

/** Of each row of figures, those that we set out to reach. */
function goals(results: BySize): Goal[] {
  const many = results.get(100_000)!;
  const one = results.get(1)!;
  const { 'mqtt-mote: alarms': alarm, 'setTimeout, clearTimeout': host } = one;
  const alone = many['mqtt-mote: wheel alone']!;
  const goal = (what: string, value: number, most: number, unit = 'ns') => ({ what, unit, value, most });
  return [
    goal('reset of a keep-alive, 100,000 timers', many['mqtt-mote: alarms put off']!.reset!, 12),
    goal('arm, 100,000 timers, wheel alone', alone.arm!, 40),
    goal('cancel, 100,000 timers, wheel alone', alone.cancel!, 40),
    goal('arm, 100,000 timers, alarms', many['mqtt-mote: alarms']!.arm!, 40),
    goal('cancel, 100,000 timers, alarms', many['mqtt-mote: alarms']!.cancel!, 40),
    goal('a timer of 100,000, wheel alone', alone.bytes!, 20, 'bytes'),
    goal('reset, 1 timer, alarms, beside setTimeout', alarm!.reset!, host!.reset!),
    goal('arm + cancel, 1 timer, alarms, beside setTimeout', alarm!.pair!, host!.pair!),
  ];
}

function memory(results: BySize) {
  const sizes = [...results.keys()].filter((size) => size >= MANY);
  const rows = NAMES.map((name) => [name, ...sizes.map((size) => digits(results.get(size)![name]!.bytes!))]);
  return { title: 'Bytes per timer', columns: ['', ...sizes.map((size) => size.toLocaleString('en-US'))], rows };
}

function chart(results: BySize): TopLevelSpec {
  const rows = [...results.keys()].flatMap((timers) =>
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
