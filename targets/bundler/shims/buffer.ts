// What is left of Node's Buffer once mqtt-packet writes into typed arrays. Only a framing that has checked every text
// calls it: a lone surrogate never comes here.

import { utf8Length } from '../../../src/utf8.ts';

export const Buffer = {
  byteLength: (value: string | Uint8Array): number => (typeof value === 'string' ? utf8Length(value) : value.length),
};
