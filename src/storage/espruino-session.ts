// Sessions in the flash of Espruino: a record for each message in flight, in two files in turn as everything that is kept there.

import { mqttError } from '../error.ts';
import { type EspruinoStorage, recordsUnder } from './espruino.ts';
import type { SessionStore } from './session-store.ts';

/** What `require('Storage')` returns, with the names of its files. */
export interface EspruinoFiles extends EspruinoStorage {
  list(): readonly string[];
}

const PREFIX = /^[A-Za-z0-9_-]+$/;
const MAX_PREFIX = 10;

/**
 * A session store, one for each client id. Each message of QoS 1 or 2 writes to the flash, which takes time, and wears out.
 * @param prefix of its files' names, 1 to 10 letters, digits, `-` or `_`, which nothing else has; not `mote`
 * @throws MqttError 'bad-option'; put() throws 'host-failed' where there is no room
 * @example persistSession(client, storageSession(require('Storage'), 'session'))
 */
export function storageSession(storage: EspruinoFiles, prefix: string): SessionStore {
  if (typeof prefix !== 'string' || prefix.length > MAX_PREFIX || !PREFIX.test(prefix) || prefix === 'mote') {
    throw mqttError('bad-option', 'prefix must have 1 to 10 letters, digits, - or _, and not be mote');
  }
  if (typeof storage?.list !== 'function') throw mqttError('bad-option', 'storage.list must be a function');
  const { get, put, remove } = recordsUnder(storage, prefix);
  return {
    put,
    remove,
    each(visit) {
      const seen: string[] = [];
      for (const name of storage.list()) {
        const [owner, key, place, more] = name.split('.');
        if (owner !== prefix || !key || (place !== '0' && place !== '1') || more !== undefined) continue;
        if (seen.indexOf(key) >= 0 || !/^[io][0-9a-f]+$/.test(key)) continue;
        const record = get(key);
        if (record) {
          seen.push(key);
          visit(key, record);
        } else {
          storage.erase(name); // Cut short by a loss of power.
        }
      }
    },
  };
}
