// A session store on Node: a file for each record, in a folder of its own, written whole or not at all.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './node-file.ts';
import type { SessionStore } from './session-store.ts';

const RECORD = /^[io][0-9a-f]{1,4}$/;

/** @param folder is made where it does not exist; one for each client id */
export function nodeFolderStore(folder: string): SessionStore {
  mkdirSync(folder, { recursive: true });
  return {
    put: (key, record) => writeDurably(folder, key, record, 'next'),
    remove: (key) => rmSync(join(folder, key), { force: true }),
    each(visit) {
      for (const key of readdirSync(folder)) {
        if (RECORD.test(key)) visit(key, readFileSync(join(folder, key)));
      }
    },
  };
}
