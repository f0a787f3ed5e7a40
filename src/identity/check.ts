// What the identities ask of values that a maker copies from a console, or that a platform sends.

import { mqttError } from '../error.ts';
import type { Attempt } from './identity.ts';

const MAX_CLIENT_ID = 64;

const bad = (message: string) => mqttError('bad-option', message);

/**
 * A text that is there, whole. `without`: characters that would end it on the wire.
 * @throws MqttError 'bad-option'
 */
export function text(name: string, value: unknown, without = ''): string {
  if (typeof value !== 'string' || value === '') throw bad(`${name} is missing`);
  if (value.trim() !== value) throw bad(`${name} begins or ends with a space: copy it again, without the space`);
  for (let i = 0; i < without.length; i++) {
    if (value.indexOf(without.charAt(i)) >= 0) throw bad(`${name} must not contain ${without.charAt(i)}`);
  }
  return value;
}

/** The part of a client id in front of the bars. @throws MqttError 'bad-option' */
export function clientIdPart(value: unknown): string {
  if (typeof value !== 'string' || value.length > MAX_CLIENT_ID) {
    throw bad('clientId must be a string of at most 64 characters');
  }
  if (value.indexOf('|') >= 0) throw bad('clientId must not contain |');
  return value;
}

/** Pairs that are sent and not signed, each behind a comma. @throws MqttError 'bad-option' */
export function pairsOf(extras: Readonly<Record<string, string>>): string {
  let pairs = '';
  for (const name of Object.keys(extras)) {
    pairs += `,${text('the name of an extra pair', name, '|,=')}=${text(`extras.${name}`, extras[name], '|,')}`;
  }
  return pairs;
}

/** A secret that is sent as it is, or that comes back, must not be seen on the way. @throws MqttError 'bad-option' */
export function tlsOnly(what: string, { secure }: Attempt): void {
  if (!secure) throw bad(`${what} needs TLS: plain TCP shows the secret to everyone on the way`);
}
