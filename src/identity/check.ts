// What the identities ask of values that a maker copies from a console, or that a platform sends.

import { type MqttError, mqttError } from '../error.ts';
import type { Attempt } from './identity.ts';
import type { SignMethod } from './signing.ts';

const MAX_CLIENT_ID = 64;

/** Pairs that the identities send themselves. */
const RESERVED: readonly string[] = Object.freeze(['securemode', 'signmethod', 'timestamp', 'authType', 'random']);

/** @param name of the option, which is its reason too: a bundle may hold no sentences */
export const bad = (name: string, message: string): MqttError =>
  mqttError('bad-option', `${name} ${message}`, { reason: name });

/**
 * A text that is there, whole. `without`: what would end it on the wire.
 * @throws MqttError 'bad-option'
 */
export function text(name: string, value: unknown, without?: RegExp): string {
  if (typeof value !== 'string' || value === '') throw bad(name, 'is missing');
  if (value.trim() !== value) throw bad(name, 'begins or ends with a space: copy it again, without the space');
  const found = without?.exec(value);
  if (found) throw bad(name, `must not contain ${found[0]}`);
  return value;
}

/** The part of a client id in front of the bars. @throws MqttError 'bad-option' */
export function clientIdPart(value: unknown): string {
  if (typeof value === 'string' && value.length <= MAX_CLIENT_ID && value.indexOf('|') < 0) return value;
  throw bad('clientId', `must be a string of at most ${MAX_CLIENT_ID} characters without |`);
}

/** Pairs that are sent and not signed, each behind a comma. @throws MqttError 'bad-option' */
export function pairsOf(extras: Readonly<Record<string, string>>): string {
  let pairs = '';
  for (const name of Object.keys(extras)) {
    if (RESERVED.indexOf(name) >= 0) throw bad('extras', `must not contain ${name}`);
    pairs += `,${text('extras', name, /[|,=]/)}=${text(`extras.${name}`, extras[name], /[|,]/)}`;
  }
  return pairs;
}

/** @throws MqttError 'bad-option' where it is none, such as its name */
export function signMethodOf(method: SignMethod): SignMethod {
  if (typeof method?.hmac === 'function') return method;
  throw bad('signMethod', 'must be hmacsha1, hmacsha256 or hmacmd5, imported from mqtt-mote');
}

/** The time of a CONNECT as it is sent, undefined where none is. @throws MqttError 'bad-option' */
export function timestampOf(source: number | (() => number) | undefined): string | undefined {
  const value = typeof source === 'function' ? source() : source;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value % 1 === 0) return String(value);
  throw bad('timestamp', 'must be a whole number of milliseconds');
}

/** A secret that is sent as it is, or that comes back, must not be seen on the way. @throws MqttError 'bad-option' */
export function tlsOnly(what: string, { secure }: Attempt): void {
  if (!secure) throw bad(what, 'needs TLS: plain TCP shows the secret to everyone on the way');
}
