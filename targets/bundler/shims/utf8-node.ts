// As src/utf8.ts for mqtt-packet, on Node, whose Buffers read themselves. The guard has seen that the bytes are well-formed.

import { textOf as decoded } from '../../../src/utf8.ts';

export { utf8Length } from '../../../src/utf8.ts';

export const textOf = (bytes: Uint8Array): string => (Buffer.isBuffer(bytes) ? bytes.toString() : decoded(bytes));
