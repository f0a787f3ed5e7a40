// The smallest store that an identity or a set of roots needs: named records, each durable before the call returns.

import { mqttError } from '../error.ts';

/** Where records are kept: a folder, Preferences, flash. Everything is done before a call returns. */
export interface KeyValueStore {
  /** The record under a key, or undefined where there is none. What it returns is not changed later. */
  get(key: string): Uint8Array | undefined;
  /**
   * Keeps a record under a key of up to 12 characters, small letters, digits and `-`, in place of an earlier one. May throw.
   * A power cut may leave a torn record: whoever reads it finds out. One that leaves the old record is better.
   */
  put(key: string, record: Uint8Array): void;
  /** Forgets a record; one that is not there is ignored. */
  remove(key: string): void;
}

/** Flash storage takes names of 15, and a record may need three of its own. */
const MAX_KEY = 12;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-';

/** Without a regular expression: not every engine can count in one. */
export function isKey(text: string, most: number): boolean {
  if (typeof text !== 'string' || text === '' || text.length > most) return false;
  for (let i = 0; i < text.length; i++) if (LETTERS.indexOf(text.charAt(i)) < 0) return false;
  return true;
}

/** A key that every store takes. @throws MqttError 'bad-option' */
export function checkKey(key: string): string {
  if (isKey(key, MAX_KEY)) return key;
  throw mqttError('bad-option', `${key} is no key: up to 12 small letters, digits and -`, { reason: 'key' });
}
