// The platform's keep-alive check: at ticks w, w+30, ... after CONNACK, not at the moment the time is over.
import type { Clock, TimerHandle } from './clock.ts';
import type { Profile } from './profile.ts';

export class KeepAliveWatch {
  private readonly clock: Clock;
  private readonly limit: number;
  private readonly tick: number;
  private readonly expired: () => void;
  private lastCounted: number;
  private nextTick: number;
  private timer: TimerHandle;

  /** Starts at once: make it when CONNACK is sent. */
  constructor(clock: Clock, profile: Profile, keepAliveSeconds: number, expired: () => void) {
    this.clock = clock;
    this.limit = keepAliveSeconds * profile.keepAliveFactor * 1000;
    this.tick = profile.keepAliveTickSeconds * 1000;
    this.expired = expired;
    this.lastCounted = clock.now();
    this.nextTick = this.lastCounted + firstTick(profile) * 1000;
    this.wait();
  }

  reset(): void {
    this.lastCounted = this.clock.now();
  }

  stop(): void {
    this.clock.clearTimeout(this.timer);
  }

  private wait(): void {
    this.timer = this.clock.setTimeout(() => this.check(), this.nextTick - this.clock.now());
  }

  private check(): void {
    if (this.clock.now() - this.lastCounted >= this.limit) return this.expired();
    this.nextTick += this.tick;
    this.wait();
  }
}

function firstTick(profile: Profile): number {
  if (profile.firstTickSeconds !== 'random') return profile.firstTickSeconds;
  return profile.keepAliveTickSeconds * (1 - Math.random()); // above 0, at most a whole tick
}
