// The inputs that are kept: a file of hexadecimal digits each, named for what it is. `good-` is accepted by the framing,
// `bad-` is refused, and `found-` once broke something.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex, unhex } from '../framing/bytes.ts';

const FOLDER = join(import.meta.dirname, 'corpus');

export const corpus = (): { name: string; bytes: Uint8Array }[] =>
  readdirSync(FOLDER)
    .sort()
    .map((name) => ({ name, bytes: unhex(readFileSync(join(FOLDER, name), 'utf8')) }));

/** Keeps an input and returns its file. */
export function keep(name: string, bytes: Uint8Array): string {
  const file = join(FOLDER, `${name}.hex`);
  writeFileSync(file, `${hex(bytes)}\n`);
  return file;
}
