// A session store on Node: a file for each record, in a folder of its own, written whole or not at all.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { SessionStore } from './session-store.ts';

const RECORD = /^[io][0-9a-f]{1,4}$/;

/** Makes the renaming itself durable, where the system can. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** @param folder is made where it does not exist; one for each client id */
export function nodeFolderStore(folder: string): SessionStore {
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, 'next');
  return {
    put(key, record) {
      const file = openSync(temporary, 'w');
      try {
        writeSync(file, record);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, join(folder, key)); // Atomic: a power cut leaves the old record or the new one.
      syncFolder(folder);
    },
    remove: (key) => rmSync(join(folder, key), { force: true }),
    each(visit) {
      for (const key of readdirSync(folder)) {
        if (RECORD.test(key)) visit(key, readFileSync(join(folder, key)));
      }
    },
  };
}
