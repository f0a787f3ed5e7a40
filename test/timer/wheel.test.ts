// The timer wheel against timers without a thought for speed, and what it says to wrong input.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc, { type Arbitrary } from 'fast-check';
import { MAX_SLACK, Wheel } from '../../src/timer/wheel.ts';
import { SlowTimers } from './slow-timers.ts';

const DAY = 24 * 3_600_000;
const WRAP = 2 ** 32;
const AHEAD = 2 ** 30;
const TIMERS = 12;

type Operation =
  | { readonly do: 'arm'; readonly timer: number; readonly ahead: number; readonly slack: number }
  | { readonly do: 'disarm' | 'remove'; readonly timer: number }
  | { readonly do: 'sleep'; readonly millis: number }
  | { readonly do: 'wake' | 'until next' };

/** Spans of every order of magnitude: those near a power of two are where slots and levels end. */
const span = (most: number): Arbitrary<number> =>
  fc
    .tuple(
      fc.integer({ min: 0, max: Math.ceil(Math.log2(most)) }),
      fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
      fc.oneof(fc.constant(0), fc.integer({ min: -2, max: 2 })),
    )
    .map(([bits, share, near]) => Math.min(most, Math.max(0, Math.floor(share * 2 ** bits) + near)));

const timer = fc.nat(TIMERS - 1);

/** @param most how far ahead timers are set, and how long the host sleeps */
const operations = (most: number): Arbitrary<Operation[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('arm' as const),
          timer,
          ahead: fc.oneof({ weight: 9, arbitrary: span(most) }, fc.constant(most), fc.integer({ min: -5_000, max: 0 })),
          slack: fc.oneof(fc.constant(0), span(Math.min(most, MAX_SLACK))),
        }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('disarm' as const, 'remove' as const), timer }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('sleep' as const), millis: span(most) }) },
      // A host that was suspended, and one whose clock was put back a little.
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('sleep' as const),
          millis: fc.integer({ min: -59_000, max: 45 * DAY }),
        }),
      },
      { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('wake' as const, 'until next' as const) }) },
    ),
    { maxLength: 80 },
  );

/** The wheel and its slow twin, to which the same happens. */
class Twins {
  private readonly start: number;
  private readonly wheel: Wheel;
  private readonly slow = new SlowTimers(0);
  private readonly ids: (number | undefined)[] = [];
  /** Never wraps. */
  private clock = 0;
  /** How far time had come when someone looked last: two looks lie less than a turn of the clock apart. */
  private looked = 0;

  constructor(start: number) {
    this.start = start;
    this.wheel = new Wheel(start);
  }

  run(operation: Operation): void {
    switch (operation.do) {
      case 'arm':
        return this.arm(operation.timer, operation.ahead, operation.slack);
      case 'disarm':
        return this.disarm(operation.timer);
      case 'remove':
        return this.remove(operation.timer);
      case 'sleep':
        return this.pass(operation.millis);
      case 'until next':
        this.pass(Math.max(0, (this.slow.next() ?? this.clock) - this.clock));
        return this.wake();
      case 'wake':
        return this.wake();
    }
  }

  /** What both say when asked. */
  compare(): void {
    assert.equal(this.wheel.size, this.slow.size);
    const next = this.slow.next();
    assert.equal(this.wheel.next(), next === undefined ? undefined : this.instant(next));
  }

  /** Sleeps from one end of a window to the next until nothing is left. */
  finish(): void {
    for (let left = 2 * TIMERS; this.slow.size > 0; left--) {
      assert.notEqual(left, 0, 'more wake-ups than timers');
      this.run({ do: 'until next' });
      this.compare();
    }
  }

  private instant(at: number): number {
    return (((this.start + at) % WRAP) + WRAP) % WRAP;
  }

  private pass(millis: number): void {
    this.clock = Math.min(Math.max(this.clock + millis, this.looked - 59_000), this.looked + 45 * DAY);
  }

  private arm(timer: number, ahead: number, slack: number): void {
    this.ids[timer] ??= this.wheel.add();
    const at = this.clock + ahead;
    if (this.slow.size > 0 && this.clock - this.looked >= AHEAD) this.slowLook(); // The wheel does it by itself.
    this.wheel.arm(this.ids[timer], this.instant(at), slack, this.instant(this.clock));
    this.slow.arm(timer, at, slack, this.clock);
    if (this.slow.size === 1) this.looked = Math.max(this.looked, this.clock);
  }

  private disarm(timer: number): void {
    const id = this.ids[timer];
    if (id !== undefined) this.wheel.disarm(id);
    this.slow.disarm(timer);
  }

  private remove(timer: number): void {
    const id = this.ids[timer];
    if (id !== undefined) this.wheel.remove(id);
    this.ids[timer] = undefined;
    this.slow.disarm(timer);
  }

  private slowLook(): void {
    this.slow.advance(this.clock);
    this.looked = Math.max(this.looked, this.clock);
  }

  private wake(): void {
    this.wheel.advance(this.instant(this.clock));
    this.slowLook();
    this.compare();
    for (let timer = this.slow.due(); timer !== undefined; timer = this.slow.due()) {
      assert.equal(this.wheel.due(), this.ids[timer]);
    }
    assert.equal(this.wheel.due(), undefined);
  }
}

const start = fc.oneof(fc.constant(0), fc.constant(WRAP - 5_000), fc.constant(2 ** 31 - 5_000), fc.nat(WRAP - 1));

for (const [title, most] of [
  ['far and near', AHEAD],
  ['crowded into two seconds', 2_000],
] as const) {
  test(`the wheel does what timers without a thought for speed do, wrap, suspension and all: timers ${title}`, () => {
    fc.assert(
      fc.property(start, operations(most), (instant, all) => {
        const twins = new Twins(instant);
        for (const it of all) {
          twins.run(it);
          twins.compare();
        }
        twins.finish();
      }),
      { numRuns: 2_000 },
    );
  });
}

test('a host that sleeps until next() wakes as seldom as windows allow: once for all that overlap', () => {
  const wheel = new Wheel(0);
  const windows = [
    [1_000, 0],
    [61_000, 60_000],
    [61_001, 60_000],
    [130_000, 5_000],
    [131_000, 5_000],
    [200_000, 0],
  ] as const;
  for (const [at, slack] of windows) wheel.arm(wheel.add(), at, slack, 0);
  const wakeUps: number[] = [];
  for (let at = wheel.next(); at !== undefined; at = wheel.next()) {
    wakeUps.push(at);
    wheel.advance(at);
    while (wheel.due() !== undefined);
  }
  assert.deepEqual(wakeUps, [1_000, 61_001, 130_000, 200_000]);
});

test('one of 65,535 s waits on its own through the wrap of the clock', () => {
  const now = WRAP - 1_000;
  const wheel = new Wheel(now);
  const id = wheel.add();
  const at = (now + 65_535_000) % WRAP;
  wheel.arm(id, at, 0, now);
  assert.equal(wheel.next(), at);
  wheel.advance(at - 1);
  assert.equal(wheel.due(), undefined);
  wheel.advance(at);
  assert.equal(wheel.now(), at);
  assert.equal(wheel.due(), id);
  assert.equal(wheel.next(), undefined);
});

test('what one millisecond holds is due in the order in which it was set', () => {
  const wheel = new Wheel(0);
  const ids = Array.from({ length: 100 }, () => wheel.add());
  for (const id of ids) wheel.arm(id, 100_000, 0, 0);
  wheel.advance(99_990);
  assert.equal(wheel.due(), undefined);
  const late = wheel.add();
  wheel.arm(late, 100_000, 0, 99_990);
  wheel.advance(100_000);
  assert.deepEqual(
    Array.from({ length: 102 }, () => wheel.due()),
    [...ids, late, undefined],
  );
});

test('numbers of removed timers are given out again; numbers that are not in use get a typed error', () => {
  const wheel = new Wheel(0);
  const id = wheel.add();
  wheel.arm(id, 5, 0, 0);
  wheel.remove(id);
  assert.equal(wheel.size, 0);
  assert.equal(wheel.next(), undefined);
  for (const wrong of [id, 1, -1, 1.5, 1_000, Number.NaN]) {
    assert.throws(() => wheel.arm(wrong, 1, 0, 0), { code: 'bad-option', message: `there is no timer ${wrong}` });
    assert.throws(() => wheel.disarm(wrong), { code: 'bad-option' });
    assert.throws(() => wheel.remove(wrong), { code: 'bad-option' });
  }
  assert.equal(wheel.add(), id);
});

test('no more timers than allowed; what was there stays as it was', () => {
  const wheel = new Wheel(0, 20);
  const ids = Array.from({ length: 20 }, () => wheel.add());
  for (const id of ids) wheel.arm(id, 7, 0, 0);
  assert.throws(() => wheel.add(), { code: 'queue-full', message: 'there are 20 timers already' });
  assert.equal(wheel.size, 20);
  wheel.remove(ids[3]!);
  assert.equal(wheel.add(), ids[3]);
  for (const wrong of [0, -1, 1.5, 2 ** 24 + 1, Number.NaN]) {
    assert.throws(() => new Wheel(0, wrong), { code: 'bad-option', message: /maxTimers must be a whole number/ });
  }
});

test('a time too far ahead, or a slack that is none, changes nothing', () => {
  const wheel = new Wheel(0);
  const id = wheel.add();
  wheel.arm(id, 500, 0, 0);
  assert.throws(() => wheel.arm(id, AHEAD + 1, 0, 0), { code: 'bad-option' });
  for (const slack of [-1, 0.5, MAX_SLACK + 1, Number.NaN]) {
    assert.throws(() => wheel.arm(id, 1_000, slack, 0), { code: 'bad-option', message: /slack must be/ });
  }
  assert.equal(wheel.next(), 500);
});
