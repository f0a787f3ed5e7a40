// What a simulated day costs: the instants at which the device's processor woke for a timer, and its radio sent or received.

import { DAY_MILLIS, SETTLED_MILLIS } from './scenarios.ts';

/** After the last bit a radio stays on for so long; what happens meanwhile costs no new start. */
const TAIL_MILLIS = 5_000;
const HOURS = DAY_MILLIS / 3_600_000;

export interface Cost {
  /** Per hour: wake-ups of the processor by timers, those of the app included. */
  readonly wakeUps: number;
  /** Per hour: transmissions of the radio, and the times it had to be started to send or receive. */
  readonly sent: number;
  readonly radioStarts: number;
  /** Connections that ended, in the day. */
  readonly losses: number;
}

export class Ledger {
  private readonly wakeUps = new Set<number>();
  private readonly sent = new Set<number>();
  private readonly radio = new Set<number>();
  private losses = 0;
  private readonly now: () => number;

  /** @param now milliseconds since the begin, whole ones */
  constructor(now: () => number) {
    this.now = now;
  }

  wokeUp = (): void => this.note(this.wakeUps);

  hasSent = (): void => {
    this.note(this.sent);
    this.note(this.radio);
  };

  hasReceived = (): void => this.note(this.radio);

  hasLost = (): void => {
    if (this.counts()) this.losses++;
  };

  cost(): Cost {
    let radioStarts = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (const instant of [...this.radio].sort((a, b) => a - b)) {
      if (instant - last > TAIL_MILLIS) radioStarts++;
      last = instant;
    }
    return {
      wakeUps: this.wakeUps.size / HOURS,
      sent: this.sent.size / HOURS,
      radioStarts: radioStarts / HOURS,
      losses: this.losses,
    };
  }

  private counts(): boolean {
    return this.now() >= SETTLED_MILLIS && this.now() < SETTLED_MILLIS + DAY_MILLIS;
  }

  private note(instants: Set<number>): void {
    if (this.counts()) instants.add(this.now());
  }
}
