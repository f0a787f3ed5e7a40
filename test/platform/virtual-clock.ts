// A clock that moves only when a test says so, and runs what falls due in order.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock, TimerHandle } from './clock.ts';

interface Timer {
  at: number;
  order: number;
  run: () => void;
}

// A CONNECT takes the most turns on its way through aedes, about 25; the rest is margin.
const SETTLE_TURNS = 60;

export class VirtualClock implements Clock {
  private time: number;
  private order = 0;
  private readonly timers = new Set<Timer>();

  constructor(start = 0) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  get pendingTimers(): number {
    return this.timers.size;
  }

  setTimeout(run: () => void, milliseconds: number): TimerHandle {
    const timer: Timer = { at: this.time + Math.max(0, milliseconds), order: this.order++, run };
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle): void {
    this.timers.delete(handle as Timer);
  }

  /** Runs every timer due within `milliseconds`, those set meanwhile included, without giving streams a turn. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    while (this.runNext(end));
    this.time = end;
  }

  /** Like `advance`, but lets streams and promises come to rest before, between and after the timers. */
  async advanceAsync(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    await settle();
    while (this.runNext(end)) await settle();
    this.time = end;
    await settle();
  }

  private runNext(end: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.timers) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    if (next === undefined || next.at > end) return false;
    this.timers.delete(next);
    this.time = Math.max(this.time, next.at);
    next.run();
    return true;
  }
}

/** Gives in-memory connections enough turns of the event loop to come to rest. */
export async function settle(turns = SETTLE_TURNS): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await nextTurn();
}
