// How often a device wakes up and sends is the same in every run: it is what the README says, and does not grow unnoticed.

import { test } from 'node:test';
import { exactPower } from '../../bench/power/exact.ts';
import { checkRecorded } from './recorded.ts';

test('wake-ups and transmissions of a simulated day are those on record', () => {
  checkRecorded('power', exactPower());
});
