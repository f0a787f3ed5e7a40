// Setting, moving, putting off and clearing timers allocates nothing: counted by an engine that says which slots it has filled,
// and on Node by its heap.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SharedTimer, Wheel } from '../../src/wheel.ts';
import { bundleOf } from '../support/bundles.ts';
import { Xsnap, xsnapPath } from '../support/xsnap.ts';

const OPERATIONS = [
  'arm',
  'move',
  'turn',
  'next',
  'cancel',
  'set an alarm',
  'put an alarm off',
  'set an alarm again',
  'clear an alarm',
];

describe('XS', { skip: xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it' }, () => {
  test('no operation on timers fills a slot of the heap', async () => {
    const { code } = await bundleOf('test/timer/guest/wheel.ts', 'moddable');
    const xs = new Xsnap();
    await xs.evaluate(code);
    /** Slots that a command fills, before anything is collected. */
    const filled = async (operation: string) => {
      await xs.evaluate('gc()');
      const { currentHeapCount } = await xs.evaluate('0');
      return (await xs.command(operation)).currentHeapCount - currentHeapCount;
    };
    const bridge = await filled('nothing');
    const slots: Record<string, number> = {};
    for (const it of OPERATIONS) slots[it] = (await filled(it)) - bridge;
    await xs.close();
    assert.deepEqual(slots, Object.fromEntries(OPERATIONS.map((it) => [it, 0])));
  });
});

const TIMERS = 1_000;

/** The fewest bytes per operation in some passes: what a compiler or a collector does in between is not of the operation. */
function bytesEach(run: (index: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 50; pass++) {
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 20 * TIMERS; index++) run(index % TIMERS);
    const grown = process.memoryUsage().heapUsed - before;
    if (grown >= 0) least = Math.min(least, grown / (20 * TIMERS));
  }
  return least;
}

test('on Node no operation on timers allocates, once it is compiled', () => {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const wheel = new Wheel(0);
  const ids = Array.from({ length: TIMERS }, () => wheel.add());
  const host = { now: () => 0, alarm: () => ({ set() {}, clear() {} }), report() {} };
  const shared = new SharedTimer(host);
  const alarms = ids.map(() => shared.alarm(() => {}));
  for (const it of alarms) it.set(1);
  const bytes = {
    'arm and cancel': bytesEach((index) => {
      wheel.arm(ids[index]!, 10 + 997 * index, 0, 0);
      wheel.disarm(ids[index]!);
    }),
    move: bytesEach((index) => wheel.arm(ids[index]!, 10 + 997 * (index ^ 77), 5, 0)),
    'set and clear an alarm': bytesEach((index) => {
      alarms[index]!.set(10 + 997 * index, 5);
      alarms[index]!.clear();
    }),
    'put an alarm off': bytesEach((index) => alarms[index]!.putOff(10 + 997 * index)),
  };
  // A single object of two words would be 16 or more.
  for (const [operation, each] of Object.entries(bytes)) assert.ok(each < 1, `${operation}: ${each} bytes`);
});

test('what the same way of counting says of a timer that does allocate', () => {
  assert.ok(bytesEach(() => clearTimeout(setTimeout(() => {}, 1_000))) > 16);
});
