// As src/utf8.ts for mqtt-packet, on Node, whose Buffers read themselves. The guard has seen that the bytes are well-formed.

import { utf8Length as anyLength, textOf as decoded } from '../../../src/utf8.ts';

/** Most topics are one byte a character. */
export function utf8Length(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return anyLength(text);
  return text.length;
}

export const textOf = (bytes: Uint8Array): string => (Buffer.isBuffer(bytes) ? bytes.toString() : decoded(bytes));
