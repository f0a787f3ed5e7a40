// Files on Node that are written whole or not at all: what is renamed into place was on the disk before.

import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes what was renamed or removed in a folder durable, where the system can. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a file of a folder in place of an earlier one. `next` is the name of the file that is being written. */
export function writeDurably(folder: string, name: string, content: Uint8Array, next: string): void {
  const temporary = join(folder, next);
  const file = openSync(temporary, 'w', 0o600); // It may hold a secret.
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(folder, name)); // Atomic: a power cut leaves the old record or the new one.
  syncFolder(folder);
}
