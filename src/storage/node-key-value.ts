// A key-value store on Node: a file for each record, written whole or not at all.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkKey, type KeyValueStore } from './key-value.ts';
import { syncFolder, writeDurably } from './node-file.ts';

/** The file of a key; a name that could leave the folder is none. */
const fileOf = (key: string): string => `${checkKey(key)}.record`;

/** @param folder is made, for its owner only, where it does not exist */
export function nodeKeyValueStore(folder: string): KeyValueStore {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    get(key) {
      try {
        return new Uint8Array(readFileSync(join(folder, fileOf(key))));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    put: (key, record) => writeDurably(folder, fileOf(key), record, 'record.next'),
    remove(key) {
      rmSync(join(folder, fileOf(key)), { force: true });
      syncFolder(folder);
    },
  };
}
