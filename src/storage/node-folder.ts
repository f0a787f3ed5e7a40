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
    },
    remove: (key) => rmSync(join(folder, key), { force: true }),
    each(visit) {
      for (const key of readdirSync(folder)) {
        if (RECORD.test(key)) visit(key, readFileSync(join(folder, key)));
      }
    },
  };
}
