import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayOf, millisOf } from '../src/calendar.ts';

test('days are those of the Gregorian calendar, over four thousand years', () => {
  const most = Date.UTC(5999, 11, 31);
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1800, 0, 1), max: most }), (millis) => {
      const date = new Date(millis);
      assert.equal(dayOf(millis), date.toISOString().slice(0, 10));
      const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
      const second = Math.floor((millis - Date.UTC(year, month - 1, day)) / 1_000);
      const [hour, minute] = [Math.floor(second / 3_600), Math.floor(second / 60) % 60];
      assert.equal(millisOf(year, month, day, hour, minute, second % 60), Math.floor(millis / 1_000) * 1_000);
    }),
    { numRuns: 5_000 },
  );
});

for (const day of ['1970-01-01', '1999-12-31', '2000-02-29', '2028-09-05', '2053-07-04', '2100-02-28', '2100-03-01']) {
  test(`${day} is ${day}`, () => {
    const [year, month, date] = day.split('-').map(Number);
    assert.equal(millisOf(year!, month!, date!), Date.parse(day));
    assert.equal(dayOf(Date.parse(day)), day);
    assert.equal(dayOf(Date.parse(day) + 86_399_999), day);
  });
}
