// A second device with the same identity: each login throws the other one out [MQTT-3.1.4-2]. What tells that from a bad network:
// every dial gets through to a CONNACK, and the server closes soon after it, again and again. A bad network lets dials fail and
// links die. Two devices that both come back at once would do so for ever: each slows down, until neither is thrown out any more.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import type { ErrorCode } from '../error.ts';
import { type Instant, type Millis, since } from '../time.ts';

export interface TakeoverOptions {
  /** So many connections in a row that the server closed soon are suspect, 2 to 100; default 3. */
  readonly times?: number | undefined;
  /** What soon is, in milliseconds after CONNACK, 1 to 86,400,000; default 60,000. */
  readonly soonMillis?: Millis | undefined;
  /** Where the doubling of delays ends meanwhile, in milliseconds, 1 to 86,400,000; default 1,800,000. Never less than the client's. */
  readonly maxDelayMillis?: Millis | undefined;
}

/** What the warning's `cause` tells. */
export interface TakeoverEvidence {
  /** Connections in a row that the server closed soon. */
  readonly times: number;
  /** In how long that happened, from the end of the first of them to that of the last, in milliseconds. */
  readonly withinMillis: Millis;
  /** How long after its CONNACK the last one ended, in milliseconds. */
  readonly lastedMillis: Millis;
}

const DAY: Millis = 86_400_000;

/** How a server ends the older of two connections: in order, or with a reset where something was still on its way. */
const isTakenOver = (code: ErrorCode): boolean => code === 'closed-by-peer' || code === 'tcp';

class Watch {
  private readonly client: Client;
  private readonly enough: number;
  private readonly soon: Millis;
  /** The client's own longest delay, and that while a takeover is suspected. */
  private readonly most: Millis;
  private readonly longest: Millis;
  private times = 0;
  private firstAt: Instant = 0;
  private evidence: TakeoverEvidence | undefined = undefined;

  constructor(client: Client, { times = 3, soonMillis = 60_000, maxDelayMillis = 1_800_000 }: TakeoverOptions) {
    this.client = client;
    this.enough = inRange('times', times, 2, 100);
    this.soon = inRange('soonMillis', soonMillis, 1, DAY);
    this.most = client.settings.backoff.most;
    this.longest = Math.max(this.most, inRange('maxDelayMillis', maxDelayMillis, 1, DAY));
  }

  isSuspected(): boolean {
    return this.times >= this.enough;
  }

  /** A connection was lost, and the delay is not chosen yet. */
  lost(lastedMillis: Millis, code: ErrorCode): void {
    // The other one may be as patient as we are: only a connection that outlasts its longest delay shows that it is gone.
    const soon = this.isSuspected() ? this.soon + this.longest : this.soon;
    if (isTakenOver(code) && lastedMillis < soon) this.count(lastedMillis);
    else this.acquit();
  }

  private count(lastedMillis: Millis): void {
    const now = this.client.now();
    if (this.times++ === 0) this.firstAt = now;
    if (!this.isSuspected()) return;
    this.evidence = { times: this.times, withinMillis: since(this.firstAt, now), lastedMillis };
    this.client.settings.backoff.most = this.longest;
  }

  acquit(): void {
    this.times = 0;
    this.evidence = undefined;
    this.client.settings.backoff.most = this.most;
  }

  /** Tells the app, once it may do as it likes. */
  tell(): void {
    const { evidence } = this;
    this.evidence = undefined;
    if (!evidence) return;
    const { times, withinMillis, lastedMillis } = evidence;
    const often = `${times} times within ${Math.ceil(withinMillis / 60_000)} minutes`;
    const message = `logged in, and closed soon after, ${often}, the last time after ${lastedMillis} ms: is this identity used twice?`;
    this.client.warn('takeover-suspected', message, evidence);
  }
}

/**
 * Warns of `takeover-suspected`, with {@link TakeoverEvidence}, each time once there are enough of them, and lets the delays grow
 * beyond `maxMillis` meanwhile. The first connection that outlasts them, or ends in another way, puts everything back.
 * @throws MqttError 'bad-option'
 */
export function watchTakeover(client: Client, options: TakeoverOptions = {}): void {
  const watch = new Watch(client, options);
  const { backoff } = client.settings;
  const { hasLasted } = backoff;
  backoff.hasLasted = (millis, code) => {
    watch.lost(millis, code);
    return !watch.isSuspected() && hasLasted.call(backoff, millis, code);
  };
  client.on('disconnected', ({ wasConnected, code }) => {
    // Dials that do not get through: it is the network, or the server.
    if (!wasConnected && code !== 'closed' && !watch.isSuspected()) watch.acquit();
    watch.tell();
  });
}
