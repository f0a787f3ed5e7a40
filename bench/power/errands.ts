// An app with errands of its own, on timers of the host or on a shared timer that knows how much earlier they may be run.

import type { Alarm } from '../../src/adapters/adapter.ts';
import { VirtualTime } from '../../src/memory.ts';
import { SharedTimer } from '../../src/wheel.ts';
import { DAY_MILLIS } from './scenarios.ts';

/** Seconds: how often, and how much earlier an errand may be run. */
const ERRANDS = [
  { every: 60, slack: 10 },
  { every: 90, slack: 20 },
  { every: 110, slack: 20 },
  { every: 300, slack: 60 },
  { every: 1_000, slack: 200 },
] as const;

export interface ErrandDay {
  readonly wakeUps: number;
  readonly run: number;
}

/** Counts for a day. @param shared `slack`: errands may be early; `exact`: they may not; `own`: each has a host timer */
export function errandDay(kind: 'own' | 'exact' | 'slack'): ErrandDay {
  const time = new VirtualTime();
  const wakeUps = new Set<number>();
  let run = 0;
  const hostAlarm = (ring: () => void): Alarm =>
    time.alarm(() => {
      wakeUps.add(time.now());
      ring();
    });
  const timer = new SharedTimer({ now: () => time.now(), alarm: hostAlarm, report: () => {} });
  for (const { every, slack } of ERRANDS) {
    const again = () => {
      run++;
      set();
    };
    const shared = timer.alarm(again);
    const own = hostAlarm(again);
    const set = () => {
      if (kind === 'own') own.set(1_000 * every);
      else shared.set(1_000 * every, kind === 'slack' ? 1_000 * slack : 0);
    };
    set();
  }
  time.advance(DAY_MILLIS);
  return { wakeUps: wakeUps.size, run };
}
