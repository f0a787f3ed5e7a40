// When to dial again: full jitter under a growing ceiling, which falls back only after a connection has lasted.

import type { Adapter } from '../adapters/adapter.ts';
import type { ErrorCode, MqttError } from '../error.ts';
import type { Millis } from '../time.ts';

export interface BackoffOptions {
  /** Ceiling of the first delay, in milliseconds, 1 to maxMillis; default 2,000, or maxMillis where that is less. */
  readonly minMillis?: Millis | undefined;
  /** Ceiling that doubling ends at, in milliseconds, up to 86,400,000; default 120,000. */
  readonly maxMillis?: Millis | undefined;
  /** A connection that lasted this long counts as good: the ceiling falls back. In milliseconds; default 60,000. */
  readonly stableMillis?: Millis | undefined;
  /** What follows a CONNACK that refuses, by its return code, 1 to 5 (3.2.2.3); default {@link defaultRefusal}. */
  readonly refused?: ((returnCode: number) => Refusal) | undefined;
}

/** `retry`: dial again as after any failure. `patient`: with the longest delay at once. `stop`: only connect() dials again. */
export type Refusal = 'retry' | 'patient' | 'stop';

/** {@link BackoffOptions} with every default. A module that knows better may change what is not readonly. */
export interface Backoff {
  /** No dial follows by itself. */
  readonly isOnce: boolean;
  readonly least: Millis;
  most: Millis;
  readonly stable: Millis;
  /** Whether a connection that was lost counts as good, by how long it lasted and how it ended. */
  hasLasted: (millis: Millis, code: ErrorCode) => boolean;
  readonly refused: (returnCode: number) => Refusal;
}

/** How {@link Backoff.hasLasted} begins. */
export function isStable(this: Backoff, millis: Millis): boolean {
  return millis >= this.stable;
}

/**
 * Protocol version and client id are not going to be accepted [MQTT-3.1.2-2] [MQTT-3.1.3-9]; a server that is not available will
 * be; bad credentials may be a clock that is about to be set: signed anew, but seldom.
 */
export const defaultRefusal = (returnCode: number): Refusal =>
  returnCode < 3 ? 'stop' : returnCode === 3 ? 'retry' : 'patient';

/** Not even the luckiest draw, nor a host whose randomness is stuck, makes a tight loop of dials; in milliseconds. */
const LEAST_DELAY: Millis = 20;

/** These will fail again however often they are tried: the caller has to change something. */
export const isFinal = (code: ErrorCode): boolean =>
  code === 'bad-option' || code === 'bad-packet' || code === 'bad-topic' || code === 'packet-too-large';

/**
 * What follows a failure. The app's own policy may throw: that is reported, and taken for patience.
 * @param returnCode of a CONNACK that refuses
 */
function refusalOf(backoff: Backoff, returnCode: number | undefined, host: Pick<Adapter, 'report'>): Refusal {
  try {
    return returnCode === undefined ? 'retry' : backoff.refused(returnCode);
  } catch (thrown) {
    host.report(thrown);
    return 'patient';
  }
}

/**
 * How long to wait before the next dial.
 * @param failures dials, or connections that did not last, in a row: from 1
 * @param random uniform in [0, 1)
 */
export function delayOf(
  { least, most }: Pick<Backoff, 'least' | 'most'>,
  failures: number,
  isPatient: boolean,
  random: number,
): Millis {
  const ceiling = isPatient ? most : Math.min(most, least * 2 ** Math.min(failures - 1, 30));
  return Math.max(LEAST_DELAY, Math.floor(random * ceiling));
}

/** How long to wait before the next dial, or undefined where none follows. @param failures as of {@link delayOf} */
export function delayAfter(error: MqttError, backoff: Backoff, failures: number, host: Adapter): Millis | undefined {
  const refusal = refusalOf(backoff, error.returnCode, host);
  if (backoff.isOnce || isFinal(error.code) || refusal === 'stop') return undefined;
  return delayOf(backoff, failures, refusal !== 'retry', host.random());
}
