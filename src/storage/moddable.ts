// Session stores on Moddable: the key-value storage of ECMA-419, or the module `preference`.

import { mqttError } from '../error.ts';
import { type CellOptions, cellStore } from './cells.ts';
import type { SessionStore } from './session-store.ts';

/** What `open()` of `embedded:storage/key-value` returns, in its format `buffer`. */
export interface KeyValueStorage extends Iterable<string> {
  read(key: string): unknown;
  write(key: string, value: ArrayBuffer): void;
  delete(key: string): void;
}

/** The class of the module `preference`. */
export interface PreferenceStorage {
  get(domain: string, key: string): unknown;
  set(domain: string, key: string, value: ArrayBuffer): void;
  delete(domain: string, key: string): void;
  keys(domain: string): readonly string[];
}

/** Of the flash storage of ESP32, which keeps both. */
const MAX_DOMAIN = 15;

/** Only bytes can be ours: what else lies there belongs to somebody else. */
const bytesOf = (value: unknown): ArrayBuffer | undefined => (value instanceof ArrayBuffer ? value : undefined);

/** The value as a buffer of its own: not every version takes a view. */
const bufferOf = (value: Uint8Array): ArrayBuffer => value.slice().buffer as ArrayBuffer;

/**
 * A session store in a key-value storage, one for each client id.
 * @throws MqttError 'bad-option'
 * @example persistSession(client, keyValueStore(keyValue.open({ path: 'mqtt' })))
 */
export function keyValueStore(storage: KeyValueStorage, options?: CellOptions): SessionStore {
  for (const name of ['read', 'write', 'delete'] as const) {
    if (typeof storage?.[name] !== 'function') throw mqttError('bad-option', `storage.${name} must be a function`);
  }
  const cells = {
    read: (key: string) => bytesOf(storage.read(key)),
    write: (key: string, value: Uint8Array) => storage.write(key, bufferOf(value)),
    remove: (key: string) => storage.delete(key),
    keys() {
      const keys: string[] = []; // All of them first: what is removed must not disturb the iterator.
      for (const key of storage) keys.push(key);
      return keys;
    },
  };
  return cellStore(cells, options);
}

/**
 * A session store in preferences. On ESP32 a value is erased before it is written again: a power cut between the two loses
 * it, so prefer {@link keyValueStore} where the host has both.
 * @param domain 1 to 15 characters, one for each client id
 * @throws MqttError 'bad-option'
 */
export function preferenceStore(preference: PreferenceStorage, domain: string, options?: CellOptions): SessionStore {
  for (const name of ['get', 'set', 'delete', 'keys'] as const) {
    if (typeof preference?.[name] !== 'function') throw mqttError('bad-option', `preference has no ${name}()`);
  }
  if (typeof domain !== 'string' || domain === '' || domain.length > MAX_DOMAIN) {
    throw mqttError('bad-option', `domain must have 1 to ${MAX_DOMAIN} characters`);
  }
  const cells = {
    read: (key: string) => bytesOf(preference.get(domain, key)),
    write: (key: string, value: Uint8Array) => preference.set(domain, key, bufferOf(value)),
    remove: (key: string) => preference.delete(domain, key),
    keys: () => preference.keys(domain),
  };
  return cellStore(cells, options);
}
