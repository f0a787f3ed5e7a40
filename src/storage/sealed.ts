// Records that tell whether they are whole: a power cut may leave half of one on hosts that cannot write at once.

import { mqttError } from '../error.ts';
import type { KeyValueStore } from './key-value.ts';

const SEAL = 4;

/** CRC-32 as in ISO 3309, bit by bit: a record is short, a table is not. */
function crc32(bytes: Uint8Array, end: number): number {
  let crc = -1;
  for (let i = 0; i < end; i++) {
    crc ^= bytes[i]!;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/** A record with its check sum behind it. */
export function seal(record: Uint8Array): Uint8Array {
  const { length } = record;
  const sealed = new Uint8Array(length + SEAL);
  sealed.set(record);
  const sum = crc32(record, length);
  for (let i = 0; i < SEAL; i++) sealed[length + i] = sum >>> (8 * i);
  return sealed;
}

/** The record, or undefined where it is torn, or none. */
export function unseal(sealed: Uint8Array | undefined): Uint8Array | undefined {
  if (!sealed || sealed.length < SEAL) return undefined;
  const length = sealed.length - SEAL;
  const sum = crc32(sealed, length);
  for (let i = 0; i < SEAL; i++) if (sealed[length + i] !== ((sum >>> (8 * i)) & 255)) return undefined;
  return sealed.subarray(0, length);
}

/**
 * Keeps a record and reads it back: a store that says yes and keeps nothing is found before anything relies on it.
 * @throws MqttError 'host-failed', or what the store throws
 */
export function putSealed(store: KeyValueStore, key: string, record: Uint8Array): void {
  store.put(key, seal(record));
  const kept = unseal(store.get(key));
  let same = kept?.length === record.length;
  for (let i = 0; same && i < record.length; i++) same = kept![i] === record[i];
  if (!same) throw mqttError('host-failed', `the store did not keep the record ${key}`);
}

/** The record under a key, or undefined where there is none that is whole. */
export const getSealed = (store: KeyValueStore, key: string): Uint8Array | undefined => unseal(store.get(key));
