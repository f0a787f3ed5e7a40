// A clock that can be learned, for hosts whose own may be unset, and a gate in front of the first dial.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import { mqttError } from '../error.ts';
import { type Instant, type Millis, since } from '../time.ts';

export interface DeviceClockOptions {
  /** The host's monotonic clock: the adapter. */
  readonly host: { now(): Instant };
  /** The host's time of day in milliseconds since 1970, where it has one: `Date.now`. */
  readonly wallClock?: (() => number) | undefined;
  /** It cannot be earlier than this, in milliseconds since 1970: when the app was built. Default 2026-01-01. */
  readonly earliest?: number | undefined;
}

/** 2026-01-01. */
const EARLIEST = 1_767_225_600_000;

/** A clock that shows the host's time until it has learned a better one. */
export class DeviceClock {
  private readonly host: { now(): Instant };
  private readonly wallClock: (() => number) | undefined;
  private readonly earliest: number;
  /** What was learned, moved on to an instant of the monotonic clock. */
  private learned: number | undefined = undefined;
  private learnedAt: Instant;
  private waiting: (() => void)[] = [];

  /** @throws MqttError 'bad-option' */
  constructor(options: DeviceClockOptions) {
    const { host, wallClock, earliest = EARLIEST } = options;
    if (typeof host?.now !== 'function')
      throw mqttError('bad-option', 'host must be the adapter: its now() is missing');
    if (wallClock !== undefined && typeof wallClock !== 'function') {
      throw mqttError('bad-option', 'wallClock must be a function, such as Date.now');
    }
    this.host = host;
    this.wallClock = wallClock;
    this.earliest = inRange('earliest', earliest, 0, Number.MAX_SAFE_INTEGER);
    this.learnedAt = host.now();
  }

  /** Milliseconds since 1970. Without any clock it begins with 0 when it is made. Called at least every 49 days. */
  now(): number {
    if (this.learned === undefined && this.wallClock) return this.wallClock();
    const now = this.host.now();
    this.learned = (this.learned ?? 0) + since(this.learnedAt, now);
    this.learnedAt = now;
    return this.learned;
  }

  /** Whether it shows a time at which this app can run. */
  isRight(): boolean {
    return this.now() >= this.earliest;
  }

  /** The time was learned, from whatever source. The host's own is not looked at any more. @param millis since 1970 */
  set(millis: number): void {
    this.learned = inRange('millis', Math.round(millis), this.earliest, Number.MAX_SAFE_INTEGER);
    this.learnedAt = this.host.now();
    const { waiting } = this;
    this.waiting = [];
    for (const it of waiting) it();
  }

  /** Calls once, the next time that set() is called. @returns how to take it back */
  onSet(call: () => void): () => void {
    this.waiting = this.waiting.concat([call]);
    return () => {
      this.waiting = this.waiting.filter((it) => it !== call);
    };
  }
}

/**
 * Connects once the clock is right: at once, when it is set, or when the host's own time has become right, which is looked at
 * every so often. No dial, no failure and no warning comes before.
 * @param pollMillis 1 to 3,600,000; default 1,000
 * @returns how to give it up
 * @throws MqttError 'bad-option'
 */
export function connectWhenRight(client: Client, clock: DeviceClock, pollMillis: Millis = 1_000): () => void {
  inRange('pollMillis', pollMillis, 1, 3_600_000);
  const timer = client.alarm(() => look());
  let forget = () => {};
  const stop = () => {
    timer.clear();
    forget();
  };
  const look = () => {
    stop();
    if (clock.isRight()) return client.connect();
    forget = clock.onSet(look);
    timer.set(pollMillis);
  };
  look();
  return stop;
}
