// Stores on Moddable, for sessions and for what a device keeps: the key-value storage of ECMA-419, or the module `preference`.

import { mqttError } from '../error.ts';
import { type CellOptions, type Cells, cellKeyValueStore, cellStore } from './cells.ts';
import type { KeyValueStore } from './key-value.ts';
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

/** @throws MqttError 'bad-option' */
function storageCells(storage: KeyValueStorage): Cells {
  for (const name of ['read', 'write', 'delete'] as const) {
    if (typeof storage?.[name] !== 'function') throw mqttError('bad-option', `storage.${name} must be a function`);
  }
  return {
    read: (key) => bytesOf(storage.read(key)),
    write: (key, value) => storage.write(key, bufferOf(value)),
    remove: (key) => storage.delete(key),
    keys() {
      const keys: string[] = []; // All of them first: what is removed must not disturb the iterator.
      for (const key of storage) keys.push(key);
      return keys;
    },
  };
}

/** @throws MqttError 'bad-option' */
function preferenceCells(preference: PreferenceStorage, domain: string): Cells {
  for (const name of ['get', 'set', 'delete', 'keys'] as const) {
    if (typeof preference?.[name] !== 'function') throw mqttError('bad-option', `preference has no ${name}()`);
  }
  if (typeof domain !== 'string' || domain === '' || domain.length > MAX_DOMAIN) {
    throw mqttError('bad-option', `domain must have 1 to ${MAX_DOMAIN} characters`);
  }
  return {
    read: (key) => bytesOf(preference.get(domain, key)),
    write: (key, value) => preference.set(domain, key, bufferOf(value)),
    remove: (key) => preference.delete(domain, key),
    keys: () => preference.keys(domain),
  };
}

/**
 * A session store in a key-value storage, one for each client id.
 * @throws MqttError 'bad-option'
 * @example persistSession(client, keyValueStore(keyValue.open({ path: 'mqtt' })))
 */
export const keyValueStore = (storage: KeyValueStorage, options?: CellOptions): SessionStore =>
  cellStore(storageCells(storage), options);

/**
 * A session store in preferences. On ESP32 a value is erased before it is written again: a power cut between the two loses
 * it, so prefer {@link keyValueStore} where the host has both.
 * @param domain 1 to 15 characters, one for each client id
 * @throws MqttError 'bad-option'
 */
export const preferenceStore = (preference: PreferenceStorage, domain: string, options?: CellOptions): SessionStore =>
  cellStore(preferenceCells(preference, domain), options);

/**
 * Where an identity or sets of roots are kept, in a key-value storage.
 * @throws MqttError 'bad-option'
 * @example new RootStore({ store: keyValueRecords(keyValue.open({ path: 'device' })), wallClock: Date.now, sets })
 */
export const keyValueRecords = (storage: KeyValueStorage, options?: CellOptions): KeyValueStore =>
  cellKeyValueStore(storageCells(storage), options);

/**
 * As {@link keyValueRecords}, in preferences. A power cut may lose the record that is being written again: an identity is written
 * once, and of the sets of roots the one that the app was built with is still there.
 * @param domain 1 to 15 characters, shared with nothing else
 * @throws MqttError 'bad-option'
 */
export const preferenceRecords = (
  preference: PreferenceStorage,
  domain: string,
  options?: CellOptions,
): KeyValueStore => cellKeyValueStore(preferenceCells(preference, domain), options);
