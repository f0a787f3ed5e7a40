// A hierarchical timer wheel: which of many timers are due, and until when the host can sleep. It knows no host and calls
// nobody: time comes in as an argument, who is due is asked for. shared-timer.ts puts a host's one timer behind it.
//
// A timer has a window: it may be due `slack` early, and must be due at its instant. It is filed under the begin of its window,
// so that everything that can be done at a wake-up is found by walking there; each slot remembers the soonest end of a
// window in it, so that the host sleeps until the first of them all. No other order of wake-ups needs fewer.

import { mqttError } from '../error.ts';
import { type Instant, MAX_AHEAD, type Millis, since, until } from '../time.ts';

/** A place in the wheel's table, from {@link Wheel.add}. */
export type TimerId = number;

// The tick is a millisecond, as hosts and deadlines count, so that nothing is early or late by rounding. 32 slots make the bitmap
// of a level one word, and seven levels of five bits are the whole clock: nothing has to be set aside. The longest keep-alive,
// 65,535 s, is 26 bits: it waits on the sixth level and is moved at most five times in its 18 hours; one of 360 s, three times.
const BITS = 5;
const SLOTS = 32;
const LEVELS = 7;
const TOP = LEVELS - 1;
/** Of the last level two bits are left. */
const TOP_SHIFT = TOP * BITS;
const TOP_SLOTS = 4;

/** Lists beside the slots, of what was not asked for yet: what is due, and what may be early since the host is awake. */
const DUE = LEVELS * SLOTS;
const EARLY = DUE + 1;
/** In place of a slot: a timer that is not set, and a place in the table that is not in use. */
const IDLE = 254;
const FREE = 255;

const NONE = -1;

// A timer is four words of one table: sixteen bytes, next to each other.
const CELL = 4;
const AT = 0;
/** Slack above, slot in the lowest eight bits. */
const META = 1;
const NEXT = 2;
const PREV = 3;

const SLOT_MASK = 255;
const SLACK_SHIFT = 8;

/** The longest slack: 2.3 hours. */
export const MAX_SLACK: Millis = 2 ** 23 - 1;

const MAX_TIMERS = 2 ** 24;

/** What seems to be so long ago lies ahead: the clock was put back by up to a minute, and is taken to stand still. */
const PUT_BACK: Millis = 2 ** 32 - 60_000;

/** @throws MqttError 'bad-option' */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most && value % 1 === 0) return;
  throw mqttError('bad-option', `${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

/** The level on which two instants fall apart: that of the highest bit in which they differ. */
function levelOf(difference: number): number {
  if (difference < 0) return TOP;
  if (difference < 1 << 15) return difference < 1 << 5 ? 0 : difference < 1 << 10 ? 1 : 2;
  return difference < 1 << 20 ? 3 : difference < 1 << 25 ? 4 : difference < 1 << 30 ? 5 : TOP;
}

function emptyLists(): Int32Array {
  const lists = new Int32Array(EARLY + 1);
  for (let slot = 0; slot <= EARLY; slot++) lists[slot] = NONE;
  return lists;
}

/**
 * Many timers, sixteen bytes each: setting, moving and clearing one allocates nothing.
 * @example
 * const wheel = new Wheel(now());
 * const id = wheel.add();
 * wheel.arm(id, after(now(), 1_000), 0, now());
 * wheel.advance(now()); // When next() has come.
 * for (let due = wheel.due(); due !== undefined; due = wheel.due()) ring(due);
 */
export class Wheel {
  /** Timers that are set, or due and not asked for yet. */
  size = 0;
  /** How far the wheel has turned, as an int32. No window of a timer in a slot began before. */
  private turned: number;
  private readonly most: number;
  private capacity = 0;
  private cells = new Int32Array(0);
  private free = NONE;
  private readonly heads = emptyLists();
  private readonly tails = emptyLists();
  /** By slot: no window in it ends before. */
  private readonly soonest = new Int32Array(DUE);
  /** By level, a bit for each slot: whether it holds timers, and whether `soonest` may be earlier than any of them. */
  private readonly occupied = new Int32Array(LEVELS);
  private readonly stale = new Int32Array(LEVELS);

  /** @param maxTimers most timers at once, 1 to 16,777,216; default 1,000,000 @throws MqttError 'bad-option' */
  constructor(now: Instant, maxTimers = 1_000_000) {
    checkWhole('maxTimers', maxTimers, 1, MAX_TIMERS);
    this.turned = now | 0;
    this.most = maxTimers;
  }

  /** How far it has turned: what lies before was due. */
  now(): Instant {
    return this.turned >>> 0;
  }

  /** Makes a timer that is not set. @throws MqttError 'queue-full' above maxTimers */
  add(): TimerId {
    if (this.free === NONE) this.grow();
    const id = this.free;
    this.free = this.cells[id * CELL + NEXT]!;
    this.cells[id * CELL + META] = IDLE;
    return id;
  }

  /** Clears a timer and forgets it: its number may be given out again. @throws MqttError 'bad-option' */
  remove(id: TimerId): void {
    this.disarm(id);
    this.cells[id * CELL + META] = FREE;
    this.cells[id * CELL + NEXT] = this.free;
    this.free = id;
  }

  /**
   * Sets a timer, or moves it.
   * @param at when it is due, up to 2^30 ms (12.4 days) after `now`; where that is past, at once
   * @param slack how much earlier it may be due, where others are: 0 to 8,388,607 ms
   * @throws MqttError 'bad-option'; nothing has changed
   */
  arm(id: TimerId, at: Instant, slack: Millis, now: Instant): void {
    if (until(at, now) > MAX_AHEAD) throw mqttError('bad-option', 'a timer is due at most 2^30 ms ahead');
    checkWhole('slack', slack, 0, MAX_SLACK);
    this.disarm(id);
    if (this.size === 0) this.turned = now | 0;
    else if (since(this.turned, now) >= MAX_AHEAD) this.advance(now); // The host has overslept.
    this.cells[id * CELL + AT] = until(at, this.turned) < 0 ? this.turned : at;
    this.cells[id * CELL + META] = slack << SLACK_SHIFT;
    this.size++;
    this.file(id);
  }

  /** Clears a timer, set or not. @throws MqttError 'bad-option' */
  disarm(id: TimerId): void {
    const slot = this.cells[id * CELL + META]! & SLOT_MASK;
    if (id >>> 0 !== id || id >= this.capacity || slot === FREE)
      throw mqttError('bad-option', `there is no timer ${id}`);
    if (slot !== IDLE) this.unlink(id, slot);
  }

  /** Turns to `now`: due() gives what is due by then. A clock that was put back by less than a minute stands still. */
  advance(now: Instant): void {
    let left = since(this.turned, now);
    if (left > PUT_BACK) return;
    for (let slot = this.firstSlot(); slot !== NONE; slot = this.firstSlot()) {
      const ahead = this.distance(slot);
      if (ahead > left) break;
      left -= ahead;
      this.turned = (this.turned + ahead) | 0;
      this.open(slot, left);
    }
    this.turned = now | 0;
  }

  /**
   * The next timer that is due, those of one millisecond in the order in which they were set. Those that are early come last:
   * what the others do may put them off.
   */
  due(): TimerId | undefined {
    const list = this.heads[DUE] === NONE ? EARLY : DUE;
    const id = this.heads[list]!;
    if (id === NONE) return undefined;
    this.unlink(id, list);
    return id;
  }

  /** Until when the host can sleep: the first instant at which a timer must be due. */
  next(): Instant | undefined {
    if (this.size === 0) return undefined;
    if (this.heads[DUE] !== NONE || this.heads[EARLY] !== NONE) return this.now();
    let best = 2 ** 32;
    for (let level = 0; level < LEVELS; level++) {
      for (let bits = this.ahead(level); bits !== 0; bits &= bits - 1) {
        const slot = this.slotAhead(level, bits);
        if (this.distance(slot) >= best) break;
        best = Math.min(best, this.firstEnd(slot, best));
      }
    }
    return (this.turned + best) >>> 0;
  }

  // The table.

  private grow(): void {
    const { capacity, most, cells } = this;
    if (capacity >= most) throw mqttError('queue-full', `there are ${most} timers already`);
    // By a quarter, so that little of it stands empty.
    this.capacity = Math.min(most, capacity + (capacity >> 2) + 8);
    this.cells = new Int32Array(this.capacity * CELL);
    this.cells.set(cells);
    for (let id = this.capacity - 1; id >= capacity; id--) {
      this.cells[id * CELL + META] = FREE;
      this.cells[id * CELL + NEXT] = this.free;
      this.free = id;
    }
  }

  private append(id: TimerId, slot: number): void {
    const { cells, heads, tails } = this;
    const tail = tails[slot]!;
    cells[id * CELL + META] = (cells[id * CELL + META]! & ~SLOT_MASK) | slot;
    cells[id * CELL + PREV] = tail;
    cells[id * CELL + NEXT] = NONE;
    tails[slot] = id;
    if (tail === NONE) heads[slot] = id;
    else cells[tail * CELL + NEXT] = id;
  }

  private unlink(id: TimerId, slot: number): void {
    const { cells, heads, tails } = this;
    const prev = cells[id * CELL + PREV]!;
    const next = cells[id * CELL + NEXT]!;
    if (prev === NONE) heads[slot] = next;
    else cells[prev * CELL + NEXT] = next;
    if (next === NONE) tails[slot] = prev;
    else cells[next * CELL + PREV] = prev;
    cells[id * CELL + META] = IDLE;
    this.size--;
    if (slot >= DUE) return;
    if (heads[slot] === NONE) this.occupied[slot >> BITS]! &= ~(1 << slot);
    else if (cells[id * CELL + AT] === this.soonest[slot]) this.stale[slot >> BITS]! |= 1 << slot;
  }

  // The slots.

  private file(id: TimerId): void {
    const { cells, turned } = this;
    const at = cells[id * CELL + AT]!;
    const begin = (at - (cells[id * CELL + META]! >>> SLACK_SHIFT)) | 0;
    const from = until(begin, turned) < 0 ? turned : begin;
    const level = levelOf(from ^ turned);
    const slot = level * SLOTS + ((from >>> (level * BITS)) & (SLOTS - 1));
    if (this.heads[slot] === NONE || until(at, this.soonest[slot]!) < 0) {
      this.occupied[level]! |= 1 << slot;
      this.soonest[slot] = at;
      this.stale[level]! &= ~(1 << slot);
    }
    this.append(id, slot);
  }

  /** Time has come to a slot: its timers can be due, or belong on a lower level. @param left how far it is from there to now */
  private open(slot: number, left: Millis): void {
    const { cells, heads, tails } = this;
    let id = heads[slot]!;
    heads[slot] = NONE;
    tails[slot] = NONE;
    this.occupied[slot >> BITS]! &= ~(1 << slot);
    while (id !== NONE) {
      const following = cells[id * CELL + NEXT]!;
      if (slot >= SLOTS) this.file(id);
      else this.append(id, since(this.turned, cells[id * CELL + AT]!) > left ? EARLY : DUE);
      id = following;
    }
  }

  /** The first occupied slot in the order of time: on a lower level more leading bits are those of the present. */
  private firstSlot(): number {
    for (let level = 0; level < LEVELS; level++) {
      const bits = this.ahead(level);
      if (bits !== 0) return this.slotAhead(level, bits);
    }
    return NONE;
  }

  /** The occupied slots of a level as bits, in the order of time: on the top level, where the clock wraps, from the present on. */
  private ahead(level: number): number {
    const bits = this.occupied[level]!;
    return level < TOP ? bits : ((bits | (bits << TOP_SLOTS)) >>> (this.turned >>> TOP_SHIFT)) & (2 ** TOP_SLOTS - 1);
  }

  /** The first of them: that of the lowest bit. Small engines have no Math.clz32. */
  private slotAhead(level: number, bits: number): number {
    // Written out here: a minifier makes a function of one use anew at each call.
    let place = bits & 0xffff ? 0 : 16;
    if (!((bits >>> place) & 0xff)) place += 8;
    if (!((bits >>> place) & 0xf)) place += 4;
    if (!((bits >>> place) & 0x3)) place += 2;
    if (!((bits >>> place) & 1)) place++;
    const digit = level < TOP ? place : (place + (this.turned >>> TOP_SHIFT)) % TOP_SLOTS;
    return level * SLOTS + digit;
  }

  /** How long it is until a slot begins. */
  private distance(slot: number): Millis {
    const level = slot >> BITS;
    const leading = level < TOP ? this.turned & (-1 << ((level + 1) * BITS)) : 0;
    return since(this.turned, leading | ((slot & (SLOTS - 1)) << (level * BITS)));
  }

  /** How long it is until the first window in a slot ends; looked up only where it may be sooner than `best`. */
  private firstEnd(slot: number, best: Millis): Millis {
    const { cells, turned, soonest } = this;
    const bit = 1 << slot;
    const known = since(turned, soonest[slot]!);
    if (known >= best || !(this.stale[slot >> BITS]! & bit)) return known;
    let first = 2 ** 32;
    for (let id = this.heads[slot]!; id !== NONE; id = cells[id * CELL + NEXT]!) {
      first = Math.min(first, since(turned, cells[id * CELL + AT]!));
    }
    soonest[slot] = turned + first;
    this.stale[slot >> BITS]! &= ~bit;
    return first;
  }
}
