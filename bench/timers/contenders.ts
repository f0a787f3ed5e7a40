// Ways of keeping many timers, behind one interface. A timer that is due calls the ring of its number.

import { ActionTimerWheel, type TimerHandle } from 'timer-wheel';
import { nodeHost } from '../../src/adapters/node-socket.ts';
import { type SharedAlarm, SharedTimer } from '../../src/timer/shared-timer.ts';
import { Wheel } from '../../src/timer/wheel.ts';
import { BinaryHeap } from './binary-heap.ts';

const host = nodeHost();

export interface Contender {
  /** Sets a timer that is not set. */
  arm(timer: number, millis: number): void;
  /** Moves one that is set. */
  reset(timer: number, millis: number): void;
  cancel(timer: number): void;
}

/** One for each timer; as many timers as rings. */
type Rings = readonly (() => void)[];
type Make = (rings: Rings) => Contender;

class HostTimeouts implements Contender {
  private readonly timeouts: (NodeJS.Timeout | undefined)[];
  private readonly rings: Rings;

  constructor(rings: Rings) {
    this.timeouts = new Array(rings.length).fill(undefined);
    this.rings = rings;
  }

  arm(timer: number, millis: number): void {
    this.timeouts[timer] = setTimeout(this.rings[timer]!, millis);
  }

  reset(timer: number, millis: number): void {
    this.cancel(timer);
    this.arm(timer, millis);
  }

  cancel(timer: number): void {
    clearTimeout(this.timeouts[timer]);
  }

  /** Of a timer that keeps its duration. */
  protected refresh(timer: number): void {
    this.timeouts[timer]!.refresh();
  }
}

class RefreshedTimeouts extends HostTimeouts {
  override reset(timer: number): void {
    this.refresh(timer);
  }
}

/** As MQTT.js puts its keep-alive off: an interval is cleared, another one set. */
class HostIntervals implements Contender {
  private readonly intervals: (NodeJS.Timeout | undefined)[];
  private readonly rings: Rings;

  constructor(rings: Rings) {
    this.intervals = new Array(rings.length).fill(undefined);
    this.rings = rings;
  }

  arm(timer: number, millis: number): void {
    this.intervals[timer] = setInterval(() => {
      this.cancel(timer);
      this.rings[timer]!();
    }, millis);
  }

  reset(timer: number, millis: number): void {
    this.cancel(timer);
    this.arm(timer, millis);
  }

  cancel(timer: number): void {
    clearInterval(this.intervals[timer]);
  }
}

class NpmTimerWheel implements Contender {
  private readonly wheel = new ActionTimerWheel();
  private readonly handles: (TimerHandle | undefined)[];
  private readonly rings: Rings;
  private turning: NodeJS.Timeout | undefined = undefined;

  constructor(rings: Rings) {
    this.handles = new Array(rings.length).fill(undefined);
    this.rings = rings;
  }

  arm(timer: number, millis: number): void {
    this.handles[timer] = this.wheel.schedule(this.rings[timer]!, millis);
    this.turning ??= setInterval(() => this.wheel.advance(), 20).unref(); // It has to be turned; it does not say when.
  }

  reset(timer: number, millis: number): void {
    this.cancel(timer);
    this.arm(timer, millis);
  }

  cancel(timer: number): void {
    this.handles[timer]!.remove();
  }
}

class Heap implements Contender {
  private readonly heap: BinaryHeap;
  private readonly rings: Rings;
  private timeout: NodeJS.Timeout | undefined = undefined;
  private ringAt = Number.POSITIVE_INFINITY;

  constructor(rings: Rings) {
    this.heap = new BinaryHeap(rings.length);
    this.rings = rings;
  }

  arm(timer: number, millis: number): void {
    this.heap.add(timer, performance.now() + millis);
    this.sleep();
  }

  reset(timer: number, millis: number): void {
    this.heap.move(timer, performance.now() + millis);
    this.sleep();
  }

  cancel(timer: number): void {
    this.heap.remove(timer);
  }

  private sleep(): void {
    const next = this.heap.firstAt();
    if (next >= this.ringAt) return;
    this.ringAt = next;
    clearTimeout(this.timeout);
    this.timeout = setTimeout(() => this.ring(), next - performance.now());
  }

  private ring(): void {
    this.ringAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    while (this.heap.firstAt() <= now) this.rings[this.heap.removeFirst()]!();
    if (this.heap.size > 0) this.sleep();
  }
}

class SharedAlarms implements Contender {
  private readonly shared = new SharedTimer(host);
  protected readonly alarms: SharedAlarm[];

  constructor(rings: Rings) {
    this.alarms = rings.map((ring) => this.shared.alarm(ring));
  }

  arm(timer: number, millis: number): void {
    this.alarms[timer]!.set(millis);
  }

  reset(timer: number, millis: number): void {
    this.alarms[timer]!.set(millis);
  }

  cancel(timer: number): void {
    this.alarms[timer]!.clear();
  }
}

/** As a client puts its keep-alive off: the clock was read for the packet that does it. */
class AlarmsPutOff extends SharedAlarms {
  override reset(timer: number, millis: number): void {
    this.alarms[timer]!.putOff(turn.now + millis);
  }
}

/** The wheel alone: timers are numbers, and whoever turns it reads the clock once for all that is done at a time. */
class BareWheel implements Contender {
  private readonly wheel = new Wheel(host.now());
  private readonly rings: Rings;
  private readonly alarm = host.alarm(() => this.ring());
  private ringAt: number | undefined = undefined;

  constructor(rings: Rings) {
    this.rings = rings;
    for (const _ of rings) this.wheel.add();
  }

  arm(timer: number, millis: number): void {
    const at = turn.now + millis;
    this.wheel.arm(timer, at, 0, turn.now);
    if (this.ringAt !== undefined && this.ringAt <= at) return;
    this.ringAt = at;
    this.alarm.set(millis);
  }

  reset(timer: number, millis: number): void {
    this.arm(timer, millis);
  }

  cancel(timer: number): void {
    this.wheel.disarm(timer);
  }

  private ring(): void {
    this.wheel.advance(host.now());
    for (let timer = this.wheel.due(); timer !== undefined; timer = this.wheel.due()) this.rings[timer]!();
    this.ringAt = this.wheel.next();
    if (this.ringAt !== undefined) this.alarm.set(Math.max(0, this.ringAt - host.now()));
  }
}

/** The clock as it was read at the begin of a turn of the event loop. */
export const turn = { now: host.now() };

export const CONTENDERS: Readonly<Record<string, Make>> = {
  'setTimeout, clearTimeout': (rings) => new HostTimeouts(rings),
  'Timeout.refresh()': (rings) => new RefreshedTimeouts(rings),
  'setInterval, clearInterval (MQTT.js)': (rings) => new HostIntervals(rings),
  'npm timer-wheel': (rings) => new NpmTimerWheel(rings),
  'binary heap': (rings) => new Heap(rings),
  'mqtt-mote: alarms': (rings) => new SharedAlarms(rings),
  'mqtt-mote: alarms put off': (rings) => new AlarmsPutOff(rings),
  'mqtt-mote: wheel alone': (rings) => new BareWheel(rings),
};
