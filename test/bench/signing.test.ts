// What a signature takes in XS is the same in every run.

import { test } from 'node:test';
import { exactSigning } from '../../bench/signing/exact.ts';
import { xsnapPath } from '../support/xsnap.ts';
import { checkNearRecord } from './recorded.ts';

const skip = xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it';

test('steps of XS for each HMAC are those on record', { skip }, async () => {
  checkNearRecord('signing', await exactSigning());
});
