import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { after, until } from '../src/time.ts';

const instant = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff),
);
const span = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(-1, 0, 1));

test('time goes on over the wrap of the clock at 2^32', () => {
  assert.equal(after(0xffffffff, 1), 0);
  assert.equal(after(0xfffffff0, 0x20), 0x10);
  assert.equal(until(0, 0xffffffff), 1);
  assert.equal(until(0xffffffff, 0), -1);
  assert.equal(until(0x10, 0xfffffff0), 0x20);
});

test('the longest span is 2^31 - 1 either side of the wrap', () => {
  assert.equal(until(0x7fffffff, 0), 2 ** 31 - 1);
  assert.equal(until(0x7ffffffe, 0xffffffff), 2 ** 31 - 1);
  assert.equal(until(after(0xffffffff, 2 ** 31 - 1), 0xffffffff), 2 ** 31 - 1);
});

test('until is the inverse of after for every instant and span', () => {
  fc.assert(
    fc.property(instant, span, (start, millis) => {
      const then = after(start, millis);
      assert.equal(until(then, start), millis);
      assert.equal(then, then >>> 0);
    }),
  );
});
