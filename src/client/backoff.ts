// When to dial again: full jitter under a growing ceiling, which falls back only after a connection has lasted.

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

/**
 * Protocol version and client id are not going to be accepted [MQTT-3.1.2-2] [MQTT-3.1.3-9]; a server that is not available will
 * be; bad credentials may be a clock that is about to be set: signed anew, but seldom.
 */
export const defaultRefusal = (returnCode: number): Refusal =>
  returnCode < 3 ? 'stop' : returnCode === 3 ? 'retry' : 'patient';

/** So many connections in a row that the server closed soon after accepting them look like a second device. */
const TAKEOVERS = 3;

/** Not even the luckiest draw, nor a host whose randomness is stuck, makes a tight loop of dials; in milliseconds. */
const LEAST_DELAY: Millis = 20;

/** These will fail again however often they are tried: the caller has to change something. */
const FINAL: readonly ErrorCode[] = Object.freeze(['bad-option', 'bad-packet', 'bad-topic', 'packet-too-large']);

export class Backoff {
  minMillis: Millis;
  maxMillis: Millis;
  stableMillis: Millis;
  refused: (returnCode: number) => Refusal;
  /** Dials, or connections that did not last, in a row. */
  failures = 0;
  /** Connections in a row that the server accepted and closed soon after. */
  takeovers = 0;

  constructor(options: BackoffOptions) {
    this.maxMillis = options.maxMillis ?? 120_000;
    this.minMillis = options.minMillis ?? Math.min(2_000, this.maxMillis);
    this.stableMillis = options.stableMillis ?? 60_000;
    this.refused = options.refused ?? defaultRefusal;
  }

  /**
   * A dial failed or a connection ended.
   * @param lasted how long it was connected, undefined when it never was
   * @param byPeer whether the peer closed it in order
   */
  ended(lasted: Millis | undefined, byPeer: boolean): void {
    if (lasted !== undefined && lasted >= this.stableMillis) this.reset();
    else if (lasted !== undefined && byPeer) this.takeovers++;
    else if (lasted !== undefined) this.takeovers = 0;
    this.failures++;
  }

  takeoverSuspected(): boolean {
    return this.takeovers >= TAKEOVERS;
  }

  /**
   * How long to wait before the next dial, or undefined where it would only fail the same way.
   * @param random uniform in [0, 1) @param report gets what the app's own policy throws; then there is no next dial
   */
  delay({ code, returnCode }: MqttError, random: number, report: (thrown: unknown) => void): Millis | undefined {
    let refusal: Refusal = 'retry';
    try {
      if (returnCode !== undefined) refusal = this.refused(returnCode);
    } catch (thrown) {
      report(thrown);
      refusal = 'stop';
    }
    if (FINAL.indexOf(code) >= 0 || refusal === 'stop') return undefined;
    const doublings = Math.min(this.failures - 1, 30);
    const ceiling = refusal === 'patient' ? this.maxMillis : Math.min(this.maxMillis, this.minMillis * 2 ** doublings);
    return Math.max(LEAST_DELAY, Math.floor(random * ceiling));
  }

  reset(): void {
    this.failures = 0;
    this.takeovers = 0;
  }
}

/** Connections in a row that died silently before the keep-alive is lengthened. */
const SILENT_LOSSES = 2;

/** The keep-alive, which grows where a network keeps losing links without a word: longer is recommended there. */
export class Patience {
  keepAliveSeconds: number;
  private readonly most: number;
  private losses = 0;

  constructor(keepAliveSeconds: number, most: number) {
    this.keepAliveSeconds = keepAliveSeconds;
    this.most = most;
  }

  /** A connection has ended. @returns whether the keep-alive is longer from now on */
  ended(code: ErrorCode): boolean {
    this.losses = code === 'pingresp-timeout' ? this.losses + 1 : 0;
    if (this.losses < SILENT_LOSSES || this.keepAliveSeconds === this.most) return false;
    this.losses = 0;
    this.keepAliveSeconds = Math.min(this.most, this.keepAliveSeconds * 2);
    return true;
  }
}
