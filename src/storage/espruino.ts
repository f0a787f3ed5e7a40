// What a device keeps, in the flash of Espruino. Its module Storage erases a file before it writes it again: each record has two
// files in turn, and the older one is erased once the newer one is there, so that a power cut leaves one of them whole.

import { mqttError } from '../error.ts';
import { checkKey, type KeyValueStore } from './key-value.ts';
import { seal, unseal } from './sealed.ts';

/** What `require('Storage')` returns. */
export interface EspruinoStorage {
  readArrayBuffer(name: string): ArrayBuffer | undefined;
  write(name: string, content: Uint8Array): boolean | undefined;
  erase(name: string): void;
}

/** A file that is whole: its number, which grows by one with each write, and the record behind it. */
interface Slot {
  readonly place: 0 | 1;
  readonly number: number;
  readonly record: Uint8Array;
}

/** Records in files called by the prefix, the key, and `0` or `1`, with dots between. */
export function recordsUnder(storage: EspruinoStorage, prefix: string): KeyValueStore {
  for (const name of ['readArrayBuffer', 'write', 'erase'] as const) {
    if (typeof storage?.[name] !== 'function') throw mqttError('bad-option', `storage.${name} must be a function`);
  }
  const nameOf = (key: string, place: 0 | 1): string => `${prefix}.${key}.${place}`;
  const slotOf = (key: string, place: 0 | 1): Slot | undefined => {
    const file = storage.readArrayBuffer(nameOf(key, place));
    // A copy: what is read lies in the flash itself.
    const content = file && unseal(new Uint8Array(new Uint8Array(file)));
    return content && content.length > 0 ? { place, number: content[0]!, record: content.subarray(1) } : undefined;
  };
  const newest = (key: string): Slot | undefined => {
    const [first, second] = [slotOf(checkKey(key), 0), slotOf(key, 1)];
    // Numbers wrap: the newer one is one ahead.
    return first && second ? (((first.number - second.number) & 255) === 1 ? first : second) : (first ?? second);
  };
  return {
    get: (key) => newest(key)?.record,
    put(key, record) {
      const old = newest(key);
      const place = old?.place === 0 ? 1 : 0;
      const content = new Uint8Array(1 + record.length);
      content[0] = (old?.number ?? 0) + 1;
      content.set(record, 1);
      if (!storage.write(nameOf(key, place), seal(content))) {
        throw mqttError('host-failed', `there is no room in the flash for the record ${key}`);
      }
      storage.erase(nameOf(key, place === 0 ? 1 : 0));
    },
    remove(key) {
      // The older one first, which must not come back.
      const place = newest(key)?.place === 0 ? 1 : 0;
      storage.erase(nameOf(key, place));
      storage.erase(nameOf(key, place === 0 ? 1 : 0));
    },
  };
}

/**
 * A store for identities and sets of roots. Its files are called `mote.`, the key, and `.0` or `.1`.
 * @throws MqttError 'bad-option'; put() throws 'host-failed' where there is no room
 * @example new RootStore({ store: storageRecords(require('Storage')), wallClock: Date.now, sets })
 */
export function storageRecords(storage: EspruinoStorage): KeyValueStore {
  return recordsUnder(storage, 'mote');
}
