// What a server sees of a thousand clients that were dropped at once is what the README says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactReconnect } from '../../bench/reconnect/exact.ts';
import { checkRecorded } from './recorded.ts';

test('arrivals of a crowd are those on record, and jitter spreads them', () => {
  const exact = exactReconnect();
  checkRecorded('reconnect', exact);
  assert.ok(exact['jitter: in100Millis']! < 0.15 * exact['no jitter: in100Millis']!);
});
