// Bytes are the same in every run: the README shows those of now. Heap, slots and steps are looked at where they are measured
// (test/targets).

import { test } from 'node:test';
import { APPS, exactBytes, exactEntryPoints, TARGETS } from '../../bench/footprint/exact.ts';
import { checkNearRecord } from './recorded.ts';

for (const app of APPS) {
  for (const target of TARGETS) {
    test(`bytes of the ${app} for ${target} are those on record`, async () => {
      checkNearRecord('footprint', await exactBytes(app, target));
    });
  }
}

test('bytes of the entry points are those on record, and none is missing there', async () => {
  checkNearRecord('footprint', await exactEntryPoints());
});
