// One timer of the host for all clients of a process, and for the app's own timers: a wheel between them and an adapter.

import type { Adapter, Alarm } from '../adapters/adapter.ts';
import { mqttError } from '../error.ts';
import { after, type Instant, MAX_AHEAD, type Millis, remaining, until } from '../time.ts';
import { checkWhole, MAX_SLACK, type TimerId, Wheel } from './wheel.ts';

/** What a shared timer needs of an adapter. */
export type TimerHost = Pick<Adapter, 'now' | 'alarm' | 'report'>;

export interface SharedTimerOptions {
  /** Most alarms that may be set at once, 1 to 16,777,216; default 1,000,000. More of them throw 'queue-full'. */
  readonly maxTimers?: number | undefined;
}

/** So many alarms are looked through when one is cleared, to sleep longer. Where there are more, waking once for nothing is little. */
const FEW = 32;

/** What an alarm can be set to. */
const MAX_MILLIS: Millis = 2 ** 31 - 1;

/** An alarm that shares the host's timer with others. It is held by the wheel only while it is set. */
export class SharedAlarm implements Alarm {
  /** @internal When it rings, as an int32. */
  deadline: Instant = 0;
  /** @internal When the wheel has it due, as an int32: not after the deadline. */
  due: Instant = 0;
  /** @internal */
  id: TimerId | undefined = undefined;
  /** @internal */
  slack: Millis = 0;
  /** @internal */
  readonly ring: () => void;
  private readonly timer: SharedTimer;

  constructor(timer: SharedTimer, ring: () => void) {
    this.timer = timer;
    this.ring = ring;
  }

  /**
   * Rings once after so many milliseconds; replaces an earlier setting.
   * @param millis 0 to 2^31 - 1 @param slack how much earlier it may ring where the host is awake anyway, 0 to 8,388,607
   * @throws MqttError 'bad-option'; 'queue-full' above maxTimers
   */
  set(millis: Millis, slack: Millis = 0): void {
    this.timer.set(this, millis, slack);
  }

  clear(): void {
    this.timer.clear(this);
  }

  /**
   * Puts off the ring of an alarm that is set, at the cost of one store: nothing is moved, and the alarm is looked at again when
   * it would have rung. An instant before the present deadline changes nothing.
   * @param instant up to 2^30 ms (12.4 days) ahead
   */
  putOff(instant: Instant): void {
    if (until(instant, this.deadline) > 0) this.deadline = instant | 0;
  }
}

/**
 * Any number of alarms on one timer of the host.
 * @example
 * const timer = new SharedTimer(nodeTls({ ca }));
 * const adapter = timer.share(nodeTls({ ca })); // For every client of the process.
 * const alarm = timer.alarm(() => measure()); // And for the app.
 * alarm.set(60_000, 5_000);
 */
export class SharedTimer {
  private readonly host: TimerHost;
  private readonly wheel: Wheel;
  private readonly timer: Alarm;
  private readonly alarms: (SharedAlarm | undefined)[] = [];
  /** What the host's timer is set to, as an int32. */
  private ringAt: Instant | undefined = undefined;
  private ringing = false;

  /** @throws MqttError 'bad-option' */
  constructor(host: TimerHost, options: SharedTimerOptions = {}) {
    this.host = host;
    this.wheel = new Wheel(host.now(), options.maxTimers);
    this.timer = host.alarm(() => {
      this.ringAt = undefined;
      this.poke();
    });
  }

  /** Makes an alarm that is not set. What `ring` throws is reported to the host; the other alarms ring all the same. */
  alarm(ring: () => void): SharedAlarm {
    if (typeof ring !== 'function') throw mqttError('bad-option', 'ring must be a function');
    return new SharedAlarm(this, ring);
  }

  /** An adapter whose clients' timers are alarms of this one. Its clock is that of this timer's host. */
  share(adapter: Adapter): Adapter {
    return {
      security: adapter.security,
      dial: (endpoint, events) => adapter.dial(endpoint, events),
      now: () => this.host.now(),
      alarm: (ring) => this.alarm(ring),
      random: () => adapter.random(),
      report: (error) => adapter.report(error),
    };
  }

  /** Alarms that are set. */
  get size(): number {
    return this.wheel.size;
  }

  /** Looks at the clock at once, and rings what is due: for a host whose timers stood still. */
  poke(): void {
    this.wheel.advance(this.host.now());
    if (this.ringing) return; // A ring called us: the loop that called it goes on.
    this.ringing = true;
    for (let id = this.wheel.due(); id !== undefined; id = this.wheel.due()) this.look(id);
    this.ringing = false;
    this.sleep();
  }

  /** @internal */
  set(alarm: SharedAlarm, millis: Millis, slack: Millis): void {
    checkWhole('the time of an alarm', millis, 0, MAX_MILLIS);
    checkWhole('slack', slack, 0, MAX_SLACK);
    const now = this.host.now();
    const { ringAt } = this;
    const wasFirst = this.isFirst(alarm);
    if (alarm.id === undefined) {
      alarm.id = this.wheel.add();
      this.alarms[alarm.id] = alarm;
    }
    alarm.deadline = after(now, millis) | 0;
    alarm.slack = slack;
    this.file(alarm, alarm.id, now, Math.min(millis, MAX_AHEAD)); // Beyond, it is looked at on the way.
    if (this.ringing) return;
    if (ringAt === undefined || until(alarm.due, ringAt) < 0) this.sleepUntil(alarm.due, now);
    else if (wasFirst) this.sleep();
  }

  /** @internal */
  clear(alarm: SharedAlarm): void {
    if (alarm.id === undefined) return;
    const wasFirst = this.isFirst(alarm);
    this.release(alarm, alarm.id);
    if (wasFirst && !this.ringing) this.sleep();
  }

  /** Whether the host sleeps until this one, and it is worth while to look for another. */
  private isFirst({ id, due }: SharedAlarm): boolean {
    return id !== undefined && due === this.ringAt && this.wheel.size <= FEW;
  }

  private file(alarm: SharedAlarm, id: TimerId, now: Instant, left: Millis): void {
    alarm.due = after(now, left) | 0;
    this.wheel.arm(id, alarm.due, alarm.slack, now);
  }

  private release(alarm: SharedAlarm, id: TimerId): void {
    this.wheel.remove(id);
    this.alarms[id] = undefined;
    alarm.id = undefined;
  }

  /** Its time has come, unless it was put off. */
  private look(id: TimerId): void {
    const alarm = this.alarms[id]!;
    const now = this.wheel.now();
    const left = remaining(alarm.deadline, now);
    if (left > alarm.slack) return this.file(alarm, id, now, left);
    this.release(alarm, id);
    try {
      alarm.ring();
    } catch (error) {
      this.host.report(error);
    }
  }

  /** Reading the clock costs more than all the rest: that is left to when it is needed. */
  private sleep(): void {
    const next = this.wheel.next();
    if (next === undefined) {
      this.ringAt = undefined;
      this.timer.clear();
    } else if ((next | 0) !== this.ringAt) {
      this.sleepUntil(next | 0, this.host.now());
    }
  }

  private sleepUntil(at: Instant, now: Instant): void {
    this.ringAt = at;
    this.timer.set(remaining(at, now));
  }
}
