// A key-value store on Node: a file for each record, written whole or not at all.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mqttError } from '../error.ts';
import type { KeyValueStore } from './key-value.ts';
import { syncFolder, writeDurably } from './node-file.ts';

const KEY = /^[a-z0-9-]{1,15}$/;

/** The file of a key; a name that could leave the folder is none. */
function fileOf(key: string): string {
  if (!KEY.test(key)) throw mqttError('bad-option', `${key} is no key: up to 15 small letters, digits and -`);
  return `${key}.record`;
}

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
