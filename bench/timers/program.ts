// Measures one way of keeping timers: nanoseconds of CPU for each operation, bytes for each timer. Arguments: contender, timers.

import { setImmediate } from 'node:timers/promises';
import { CONTENDERS, type Contender, turn } from './contenders.ts';

const [name = '', size = ''] = process.argv.slice(2);
const count = Number(size);
const make = CONTENDERS[name]!;

/** A hundred different keep-alives between 30 and 1,200 s: Node files its timers by duration. */
const duration = (timer: number): number => 30_000 + (timer % 100) * 11_800;

/** The best of them counts: what is worse was disturbed. */
const PASSES = count < 100_000 ? 9 : count > 100_000 ? 2 : 5;
/** Operations of a kind in a pass, at least. */
const LEAST = 100_000;
/** So many timers are enough for one operation on each of them to be timed. */
const LEAST_MANY = 10_000;

/** In a shuffled order that is the same in every run. */
function shuffled(): Int32Array {
  const numbers = Int32Array.from({ length: count }, (_, index) => index);
  let state = 1;
  for (let index = count - 1; index > 0; index--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = state % (index + 1);
    const number = numbers[index]!;
    numbers[index] = numbers[other]!;
    numbers[other] = number;
  }
  return numbers;
}

const order = shuffled();

const armAll = (it: Contender): void => {
  for (let timer = 0; timer < count; timer++) it.arm(timer, duration(timer));
};
const resetAll = (it: Contender): void => {
  for (let timer = 0; timer < count; timer++) it.reset(timer, duration(timer));
};
const cancelAll = (it: Contender): void => {
  for (let timer = 0; timer < count; timer++) it.cancel(timer);
};
/** As connections come alive in no order: of many timers, each is a miss of the processor's caches. */
const resetAnyhow = (it: Contender): void => {
  for (const timer of order) it.reset(timer, duration(timer));
};
const cancelAnyhow = (it: Contender): void => {
  for (const timer of order) it.cancel(timer);
};

async function newTurn(): Promise<void> {
  await setImmediate();
  turn.now = Math.floor(performance.now());
}

/** Nanoseconds of CPU that the process has spent; microseconds is what the system counts in. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return 1_000 * (user + system);
}

function held(): number {
  for (let turn = 0; turn < 3; turn++) globalThis.gc!(); // Bytes of arrays go a turn later than the arrays.
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The least, over some passes, of the nanoseconds for each of `operations`. */
async function least(operations: number, run: () => void, prepare = () => {}, tidy = () => {}): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES; pass++) {
    prepare();
    await newTurn();
    const begin = spent();
    run();
    best = Math.min(best, (spent() - begin) / operations);
    tidy();
  }
  return best;
}

/** With few timers only pairs of arm and cancel are long enough to be timed. */
async function operations(it: Contender): Promise<Record<string, number>> {
  const repeats = Math.max(1, Math.ceil(LEAST / count));
  const repeated = (run: () => void) => () => {
    for (let repeat = 0; repeat < repeats; repeat++) run();
  };
  const pairs = repeated(() => {
    armAll(it);
    cancelAll(it);
  });
  const fill = () => armAll(it);
  const empty = () => cancelAll(it);
  const many = count >= LEAST_MANY;
  return {
    pair: await least(repeats * count, pairs),
    reset: await least(
      repeats * count,
      repeated(() => resetAll(it)),
      fill,
      empty,
    ),
    ...(many && {
      arm: await least(count, fill, undefined, empty),
      cancel: await least(count, empty, fill),
      resetAnyhow: await least(count, () => resetAnyhow(it), fill, empty),
      cancelAnyhow: await least(count, () => cancelAnyhow(it), fill),
    }),
  };
}

/** Bytes that a timer takes while it is set, its callback aside. */
function bytes(): number {
  const rings = Array.from({ length: count }, (_, timer) => () => timer);
  const before = held();
  const it = make(rings);
  armAll(it);
  const taken = (held() - before) / count;
  cancelAll(it);
  return taken;
}

/** Nanoseconds for each timer, where all have come due at once. */
async function firing(): Promise<number> {
  let left = count;
  let told = () => {};
  const last = new Promise<void>((resolve) => {
    told = resolve;
  });
  const it = make(
    Array(count).fill(() => {
      if (--left === 0) told();
    }),
  );
  await newTurn();
  for (let timer = 0; timer < count; timer++) it.arm(timer, 1 + (timer % 20));
  const wait = name === 'npm timer-wheel' ? 2_500 : 50; // That one ticks in seconds.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wait);
  const begin = spent();
  await last;
  return (spent() - begin) / count;
}

bytes(); // What the compiler makes meanwhile is no part of a timer.
const measured = { bytes: bytes(), ...(await operations(make(Array(count).fill(() => {})))), fire: await firing() };
console.log(JSON.stringify(measured));
process.exit();
