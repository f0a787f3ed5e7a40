// JSON as bytes: what platforms say, and what is kept. The only file that names JSON, since its names are somebody else's.

import { textOf, utf8 } from './utf8.ts';

/** What the bytes say, or undefined where they are no JSON, or more than `most` of them. */
export function parseJson(bytes: Uint8Array, most: number): unknown {
  try {
    return bytes.length > most ? undefined : JSON.parse(textOf(bytes));
  } catch {
    return undefined;
  }
}

/** The UTF-8 of a value as JSON, or undefined when it holds a lone surrogate. */
export const jsonOf = (value: unknown): Uint8Array | undefined => utf8(JSON.stringify(value));
