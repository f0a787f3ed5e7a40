// Reads what a black box has kept. For the side that gets the bytes; a device leaves it out.

import type { Warning } from '../adapters/adapter.ts';
import { STATE_NAMES } from '../client/state.ts';
import { type ErrorCode, mqttError } from '../error.ts';
import { type Instant, type Millis, since } from '../time.ts';
import { byteOf, ENTRY, Kind, NO_DETAIL } from './black-box.ts';

/** All that there are. */
export const ERROR_CODES: readonly ErrorCode[] = Object.freeze([
  'bad-option',
  'bad-topic',
  'bad-filter',
  'bad-packet',
  'packet-too-large',
  'queue-full',
  'window-full',
  'not-connected',
  'closed',
  'cancelled',
  'timeout',
  'dropped',
  'set-aside',
  'malformed-packet',
  'unexpected-packet',
  'refused',
  'subscription-refused',
  'connect-timeout',
  'pingresp-timeout',
  'dns',
  'tcp',
  'tls',
  'closed-by-peer',
  'host-failed',
  'enrolment-failed',
  'clock',
]);

export const WARNING_CODES: readonly Warning['code'][] = Object.freeze([
  'plaintext',
  'unauthenticated-server',
  'ca-expiring',
  'takeover-suspected',
  'keep-alive-lengthened',
  'subscription-refused',
  'listener-failed',
  'roots-rolled-back',
  'roots-fallback',
  'rate-shaped',
  'clock-wrong',
  'failover',
]);

export interface BlackBoxEntry {
  /** How long before the dump it happened. */
  readonly ageMillis: Millis;
  readonly what: 'state' | 'session' | 'disconnected' | 'warning' | 'mark';
  /** The state, the code of the error or warning, whether there was a session, or the number of the mark. */
  readonly code: string;
  /** Of a state: messages in flight. Of a disconnection: return code, or tenths of a second until the next dial. */
  readonly detail: number | undefined;
}

/** The word that this byte stands for. */
const wordOf = (words: readonly string[], byte: number): string =>
  words.find((it) => byteOf(it) === byte) ?? `unknown ${byte}`;

function describe(kind: number, code: number): Pick<BlackBoxEntry, 'what' | 'code'> | undefined {
  switch (kind) {
    case Kind.State:
      return { what: 'state', code: wordOf(STATE_NAMES, code) };
    case Kind.Session:
      return { what: 'session', code: code === 1 ? 'present' : 'new' };
    case Kind.Disconnected:
      return { what: 'disconnected', code: wordOf(ERROR_CODES, code) };
    case Kind.Warning:
      return { what: 'warning', code: wordOf(WARNING_CODES, code) };
    case Kind.Mark:
      return { what: 'mark', code: String(code) };
    default:
      return undefined;
  }
}

const instantAt = (bytes: Uint8Array, at: number): Instant =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

/**
 * The entries of a dump, oldest first.
 * @throws MqttError 'bad-packet' when these are not the bytes of a dump
 */
export function decodeBlackBox(bytes: Uint8Array): BlackBoxEntry[] {
  if (bytes[0] !== 0x4d || bytes[1] !== 0x42 || bytes[2] !== 1 || bytes.length % ENTRY !== 0) {
    throw mqttError('bad-packet', 'this is not the dump of a black box, version 1');
  }
  const dumpedAt = instantAt(bytes, 4);
  const entries: BlackBoxEntry[] = [];
  for (let at = ENTRY; at < bytes.length; at += ENTRY) {
    const described = describe(bytes[at + 4]!, bytes[at + 5]!);
    if (!described) continue;
    const detail = (bytes[at + 6]! << 8) | bytes[at + 7]!;
    entries.push({
      ageMillis: since(instantAt(bytes, at), dumpedAt),
      ...described,
      detail: detail === NO_DETAIL ? undefined : detail,
    });
  }
  return entries;
}
