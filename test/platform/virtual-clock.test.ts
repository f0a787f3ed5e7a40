// The virtual clock runs what is due, in order, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from './virtual-clock.ts';

test('timers run in the order they fall due, and in the order they were set when that is the same', () => {
  const clock = new VirtualClock(1000);
  const ran: string[] = [];
  for (const [name, delay] of Object.entries({ late: 30, first: 10, second: 10, never: 31 })) {
    clock.setTimeout(() => ran.push(`${name} at ${clock.now()}`), delay);
  }
  clock.advance(30);
  assert.deepEqual(ran, ['first at 1010', 'second at 1010', 'late at 1030']);
  assert.equal(clock.pendingTimers, 1);
});

test('a timer that a timer sets runs too when it falls due in time', () => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.now());
    clock.setTimeout(again, 10);
  };
  clock.setTimeout(again, 10);
  clock.advance(35);
  assert.deepEqual(ran, [10, 20, 30]);
  assert.equal(clock.now(), 35);
});

test('a timer that was cleared does not run', () => {
  const clock = new VirtualClock();
  clock.clearTimeout(clock.setTimeout(() => assert.fail(), 5));
  clock.advance(10);
});

test('the async advance lets promises come to rest between timers', async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  clock.setTimeout(() => void Promise.resolve().then(() => clock.setTimeout(() => ran.push('nested'), 5)), 5);
  clock.setTimeout(() => ran.push('later'), 20);
  await clock.advanceAsync(20);
  assert.deepEqual(ran, ['nested', 'later']);
});
