// Bytes as tests write and cut them.

/** Bytes from hexadecimal digits; blanks do not count. */
export const unhex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits.replace(/\s/g, ''), 'hex'));

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The bytes in pieces that end at the given places, which may lie anywhere and in any order. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...places.map((it) => it % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

/** Every byte alone. */
export const bytewise = (bytes: Uint8Array): Uint8Array[] => cut(bytes, [...bytes.keys()]);
