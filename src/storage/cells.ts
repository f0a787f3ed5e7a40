// Records in storage whose values are short: a long record lies in several cells, and is there whole or not at all, whenever
// the power goes. The first cell of a record, written last, says how many others belong to it, and which.

import { mqttError } from '../error.ts';
import { checkKey, type KeyValueStore } from './key-value.ts';
import type { SessionStore } from './session-store.ts';

/** Storage of a host that keeps bytes under short keys. Each call is done, or has failed, when it returns. */
export interface Cells {
  /** Bytes, or undefined where there are none. */
  read(key: string): ArrayBuffer | Uint8Array | undefined;
  /** Keeps bytes in place of earlier ones. May throw: the earlier ones are still there then. */
  write(key: string, value: Uint8Array): void;
  /** Forgets a key that is there. */
  remove(key: string): void;
  /** Every key, others' included. */
  keys(): readonly string[];
}

export interface CellOptions {
  /** Most bytes in one cell, 64 to 1,048,576; default 4,000. */
  readonly maxBytes?: number | undefined;
}

const DEFAULT_MAX_BYTES = 4_000;

/** Of a first cell: how many follow, and whether they are of the even or the odd generation. */
const HEADER = 2;

/** Cells behind the first: of a session record, and of one with a longer key, which leaves room for one digit. */
const MAX_PARTS = 255;
const MAX_KEYED_PARTS = 15;

/** The keys of session records: `i` or `o`, and an identifier in hexadecimal. */
function isRecordKey(key: string): boolean {
  const first = key.charAt(0);
  const id = parseInt(key.slice(1), 16);
  return (first === 'i' || first === 'o') && id > 0 && id < 65_536 && key.slice(1) === id.toString(16);
}

const partKey = (key: string, generation: number, part: number): string => `${key}.${generation}${part.toString(16)}`;

/** What both kinds of stores are made of. @throws MqttError 'bad-option' */
function records(cells: Cells, maxParts: number, { maxBytes = DEFAULT_MAX_BYTES }: CellOptions = {}) {
  if (!(maxBytes >= 64 && maxBytes <= 1_048_576 && maxBytes % 1 === 0)) {
    throw mqttError('bad-option', `maxBytes must be a whole number from 64 to 1048576, not ${maxBytes}`);
  }
  const head = (key: string): Uint8Array | undefined => {
    const value = cells.read(key);
    const bytes = value && new Uint8Array(value as ArrayBuffer);
    return bytes && bytes.length >= HEADER ? bytes : undefined;
  };
  const removeParts = (key: string, [parts, generation]: Uint8Array): void => {
    for (let part = 1; part <= parts!; part++) {
      const it = partKey(key, generation!, part);
      if (cells.read(it)) cells.remove(it);
    }
  };
  /** The record behind a first cell, or undefined where a part is missing. */
  const whole = (key: string, first: Uint8Array): Uint8Array | undefined => {
    const pieces = [first.subarray(HEADER)];
    for (let part = 1; part <= first[0]!; part++) {
      const value = cells.read(partKey(key, first[1]!, part));
      if (!value) return undefined;
      pieces.push(new Uint8Array(value as ArrayBuffer));
    }
    let length = 0;
    for (const it of pieces) length += it.length;
    const record = new Uint8Array(length);
    let at = 0;
    for (const it of pieces) {
      record.set(it, at);
      at += it.length;
    }
    return record;
  };
  const get = (key: string): Uint8Array | undefined => {
    const first = head(key);
    return first && whole(key, first);
  };
  /** Parts of a record that the power has cut short, or whose record is gone. */
  const isStray = (key: string): boolean => {
    const dot = key.indexOf('.');
    const owner = key.slice(0, dot);
    const generation = Number(key.charAt(dot + 1));
    const part = parseInt(key.slice(dot + 2), 16);
    if (!isRecordKey(owner) || !(generation < 2 && part > 0) || partKey(owner, generation, part) !== key) return false;
    const first = head(owner);
    return !first || generation !== first[1] || part > first[0]!;
  };
  return {
    get,
    /** Removes parts that the power has cut short, or left behind: nobody visits these records. */
    sweep(key: string) {
      const first = head(key);
      for (let part = 1; part <= maxParts; part++) {
        for (const generation of [0, 1]) {
          const isOwn = first && generation === first[1] && part <= first[0]!;
          const it = partKey(key, generation, part);
          if (!isOwn && cells.read(it)) cells.remove(it);
        }
      }
    },
    put(key: string, record: Uint8Array) {
      const old = head(key);
      const generation = old ? 1 - old[1]! : 0;
      const inFirst = maxBytes - HEADER;
      const parts = Math.max(0, Math.ceil((record.length - inFirst) / maxBytes));
      if (parts > maxParts)
        throw mqttError('packet-too-large', `a record of ${record.length} bytes is too long to store`);
      for (let part = 1; part <= parts; part++) {
        const start = inFirst + (part - 1) * maxBytes;
        cells.write(partKey(key, generation, part), record.slice(start, start + maxBytes));
      }
      const first = new Uint8Array(HEADER + Math.min(record.length, inFirst));
      first[0] = parts;
      first[1] = generation;
      first.set(record.subarray(0, inFirst), HEADER);
      cells.write(key, first);
      if (old) removeParts(key, old);
    },
    remove(key: string) {
      const old = head(key);
      if (!old) return;
      cells.remove(key);
      removeParts(key, old);
    },
    each(visit: (key: string, record: Uint8Array) => void) {
      const keys = cells.keys();
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i]!;
        if (keys.indexOf(key) < i) continue; // Flash storage may list a long value twice.
        const record = isRecordKey(key) ? get(key) : undefined;
        if (record) visit(key, record);
        else if (isStray(key)) cells.remove(key);
      }
    },
  };
}

/**
 * A session store over the storage of a host, which may hold other things as well.
 * @throws MqttError 'bad-option'; put() throws 'packet-too-large' where 256 cells do not hold a record
 */
export const cellStore = (cells: Cells, options?: CellOptions): SessionStore => records(cells, MAX_PARTS, options);

/**
 * A store for identities and sets of roots over the storage of a host. Keys in it have up to 15 characters.
 * @throws MqttError 'bad-option'; put() throws 'packet-too-large' where 16 cells do not hold a record
 */
export function cellKeyValueStore(cells: Cells, options?: CellOptions): KeyValueStore {
  const { get, put, remove, sweep } = records(cells, MAX_KEYED_PARTS, options);
  return {
    get: (key) => get(checkKey(key)),
    put(key, record) {
      put(checkKey(key), record);
      sweep(key);
    },
    remove(key) {
      remove(checkKey(key));
      sweep(key);
    },
  };
}
