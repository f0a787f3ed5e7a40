// Sets of root certificates that can be replaced while a device runs, each under a name: one set is in use, a candidate lies
// beside it until a connection has proved it, and what the app was built with is there in the end.

import { dayOf } from '../calendar.ts';
import { type MqttError, mqttError } from '../error.ts';
import { isKey, type KeyValueStore } from '../storage/key-value.ts';
import { getSealed, putSealed } from '../storage/sealed.ts';
import {
  checkCandidate,
  decodeRoots,
  encodeRoots,
  endOf,
  isSame,
  nameOf,
  type Roots,
  type RootsInput,
  readRoots,
  stillValid,
} from './roots.ts';

export interface RootStoreOptions {
  /** Where sets are kept that have come later than the app. */
  readonly store: KeyValueStore;
  /** Milliseconds since 1970: `Date.now`, or a DeviceClock's. */
  readonly wallClock: () => number;
  /** The sets that the app was built with, by their names of up to 8 small letters and digits: `private`, `public`. */
  readonly sets: Readonly<Record<string, RootsInput>>;
  /** Handshakes in a row that fail with a set before another is tried, 1 to 100; default 3. */
  readonly attempts?: number | undefined;
  /** Days before its end at which a root in use is warned of, each once; default 90, 30, 7 and 1. */
  readonly warnDays?: readonly number[] | undefined;
  /** Hears what becomes of the sets. */
  readonly changed?: ((change: RootChange) => void) | undefined;
}

/**
 * `replaced`: a candidate is kept, and tried at the next dial. `confirmed`: a connection has proved a set, which is in use from
 * now on. `rolled-back`: handshakes with the candidate kept failing. `fallback`: those with the set in use did, another is tried.
 */
export interface RootChange {
  readonly set: string;
  readonly what: 'replaced' | 'confirmed' | 'rolled-back' | 'fallback';
  readonly roots: Roots;
}

export interface ReplaceOptions {
  /** Takes a candidate that ends sooner than what it replaces, or that was rolled back before; default false. */
  readonly force?: boolean | undefined;
  /** Once it is proved nothing else is ever tried again: for a root that is not to be trusted any more. Default false. */
  readonly only?: boolean | undefined;
}

/** Where a set comes from: the app, or one of two places in the store. */
type Place = 0 | 1 | 2;

const BUILT_IN: Place = 0;

/** What is tried, and in which order, where handshakes keep failing. */
const RING: readonly Place[] = Object.freeze([1, 2, 0]);

const MAX_NAME = 8;
const DAY = 86_400_000;
const VERSION = 1;
const NONE = 3;
const ONLY = 1;
const WITHOUT_BUILT_IN = 2;

/** One set by its name. */
class NamedSet {
  readonly places: (Roots | undefined)[];
  /** What was last proved. */
  inUse: Place = BUILT_IN;
  /** What has come to replace it, and is not proved yet. */
  candidate: Place | undefined = undefined;
  /** What was rolled back, if anything. */
  aside: Place | undefined = undefined;
  /** Once the candidate is proved, nothing before it counts any more. */
  isOnly = false;
  /** What the next dial tries. */
  tried: Place = BUILT_IN;
  failures = 0;
  /** For each root, by its name and end, the days of the last warning. */
  readonly warned: Record<string, number> = {};
  /** A root that the app was built with is not to be trusted any more. */
  private isWithoutBuiltIn = false;
  private readonly store: KeyValueStore;
  private readonly key: string;

  constructor(store: KeyValueStore, name: string, builtIn: Roots) {
    this.store = store;
    this.key = `t-${name}`;
    this.places = [builtIn, this.read(1), this.read(2)];
    const state = getSealed(store, this.key);
    if (state?.length !== 5 || state[0] !== VERSION) return; // None yet, or torn: the handshakes will tell.
    const present = (place: number) => (this.places[place] ? (place as Place) : undefined);
    this.inUse = present(state[1]!) ?? BUILT_IN;
    this.candidate = present(state[2]!);
    this.aside = present(state[3]!);
    this.isOnly = (state[4]! & ONLY) > 0;
    this.isWithoutBuiltIn = (state[4]! & WITHOUT_BUILT_IN) > 0 && this.inUse !== BUILT_IN;
    this.tried = this.candidate ?? this.inUse;
    if (this.isWithoutBuiltIn) this.places[BUILT_IN] = undefined;
    if (this.isOnly && this.candidate === undefined) this.forgetOthers();
  }

  private read(place: Place): Roots | undefined {
    return decodeRoots(getSealed(this.store, `${this.key}-${place}`));
  }

  /** @throws what the store throws */
  keep(): void {
    const { inUse, candidate = NONE, aside = NONE } = this;
    const flags = (this.isOnly ? ONLY : 0) | (this.isWithoutBuiltIn ? WITHOUT_BUILT_IN : 0);
    putSealed(this.store, this.key, Uint8Array.of(VERSION, inUse, candidate, aside, flags));
  }

  /** Puts a candidate beside what is in use. @throws what the store throws; what is in use is as it was */
  put(roots: Roots, isOnly: boolean): void {
    const place: Place = this.inUse === 1 ? 2 : 1;
    putSealed(this.store, `${this.key}-${place}`, encodeRoots(roots));
    this.places[place] = roots;
    if (this.aside === place) this.aside = undefined;
    this.candidate = place;
    this.isOnly = isOnly;
    this.try(place);
    this.keep();
  }

  try(place: Place): void {
    this.tried = place;
    this.failures = 0;
  }

  /** A set is proved. */
  use(place: Place): void {
    this.inUse = place;
    if (this.candidate === place) this.candidate = undefined;
    if (this.aside === place) this.aside = undefined;
    this.try(this.candidate ?? place);
    if (this.isOnly && this.candidate === undefined) this.forgetOthers();
    this.keep();
  }

  /** The candidate does not fit. */
  rollBack(): void {
    this.aside = this.candidate;
    this.candidate = undefined;
    this.isOnly = false;
    this.try(this.inUse);
    this.keep();
  }

  private forgetOthers(): void {
    for (const place of RING) {
      if (place === this.inUse) continue;
      this.places[place] = undefined;
      if (place !== BUILT_IN) this.store.remove(`${this.key}-${place}`);
    }
    this.aside = undefined;
    this.isWithoutBuiltIn = this.inUse !== BUILT_IN;
  }

  /** The next place in the ring that holds a set which has not ended; this one where there is no other. */
  after(place: Place, now: number): Place {
    const start = RING.indexOf(place);
    for (let i = 1; i < RING.length; i++) {
      const next = RING[(start + i) % RING.length]!;
      const roots = this.places[next];
      if (roots && endOf(roots) >= now) return next;
    }
    return place;
  }
}

/** A set as it is used for one dial. */
export interface Choice {
  readonly set: string;
  readonly place: 0 | 1 | 2;
  /** Those of its roots that have not ended. */
  readonly roots: Roots;
  readonly whole: Roots;
}

/**
 * Keeps sets of roots. A client uses them through `trusted()`.
 * @example
 * const roots = new RootStore({ store: nodeKeyValueStore('roots'), wallClock: Date.now, sets: { private: pem } });
 * client.on('message', ({ topic, payload }) => topic === `${own}/roots` && roots.replace('private', payload));
 */
export class RootStore {
  private readonly options: RootStoreOptions;
  private readonly sets: Record<string, NamedSet> = {};
  private readonly attempts: number;
  private readonly warnDays: readonly number[];

  /** @throws MqttError 'bad-option', or what the store throws */
  constructor(options: RootStoreOptions) {
    const { store, wallClock, sets, attempts = 3, warnDays = [90, 30, 7, 1], changed } = options;
    const bad = (message: string) => mqttError('bad-option', message);
    for (const name of ['get', 'put', 'remove'] as const) {
      if (typeof store?.[name] !== 'function') throw bad(`store.${name} must be a function`);
    }
    if (changed !== undefined && typeof changed !== 'function') throw bad('changed must be a function');
    if (typeof wallClock !== 'function') throw bad('wallClock must be a function, such as Date.now');
    if (!(attempts >= 1 && attempts <= 100 && attempts % 1 === 0))
      throw bad('attempts must be a whole number from 1 to 100');
    if (!Array.isArray(warnDays) || !warnDays.every((days) => days > 0)) throw bad('warnDays must be numbers of days');
    this.options = options;
    this.attempts = attempts;
    this.warnDays = warnDays;
    for (const name of Object.keys(sets ?? {})) {
      if (!isKey(name, MAX_NAME) || name.indexOf('-') >= 0)
        throw bad(`${name} names no set: up to 8 small letters and digits`);
      this.sets[name] = new NamedSet(store, name, readRoots(sets[name]!));
    }
    if (this.names().length === 0) throw bad('sets holds no set of roots');
  }

  names(): readonly string[] {
    return Object.keys(this.sets);
  }

  /** The roots of the set that was last proved. @throws MqttError 'bad-option' */
  inUse(set: string): Roots {
    const it = this.named(set);
    return it.places[it.inUse]!;
  }

  private named(set: string): NamedSet {
    const it = this.sets[set];
    if (!it) throw mqttError('bad-option', `there is no set of roots called ${set}`);
    return it;
  }

  /**
   * Takes a candidate for a set, from whatever source: keeps it beside the set in use, and has it tried at the next dial. The
   * first CONNACK proves it. Where handshakes keep failing with it, the set before it is used again.
   * @returns whether there is anything to try: not where it is the set in use, or the candidate already
   * @throws MqttError 'bad-option' that says what is wrong with it, or what the store throws: the set in use is as it was
   */
  replace(set: string, input: RootsInput, options: ReplaceOptions = {}): boolean {
    const it = this.named(set);
    const { force = false, only = false } = options;
    const roots = readRoots(input);
    checkCandidate(roots, this.options.wallClock());
    if (it.candidate !== undefined && isSame(roots, it.places[it.candidate]!)) return false;
    if (isSame(roots, it.places[it.inUse]!)) {
      if (it.candidate !== undefined) it.rollBack(); // It was taken back.
      return false;
    }
    if (!force) this.checkAgainst(it, roots);
    it.put(roots, only);
    this.tell(set, 'replaced', roots);
    return true;
  }

  private checkAgainst(it: NamedSet, roots: Roots): void {
    const now = it.places[it.inUse]!;
    const bad = (reason: string, message: string) => mqttError('bad-option', message, { reason });
    if (endOf(roots) < endOf(now)) {
      const ends = `${dayOf(endOf(roots))}, and what they replace on ${dayOf(endOf(now))}`;
      throw bad('older', `these roots end on ${ends}: an older set? force takes it all the same`);
    }
    const aside = it.aside === undefined ? undefined : it.places[it.aside];
    if (!aside || !isSame(roots, aside)) return;
    throw bad('rolled-back', 'this set was tried before, and rolled back: force tries it again');
  }

  // What trusted() asks and tells.

  /** @internal The set for the next dial. @throws MqttError 'tls' with reason 'ca-expired' where all of them have ended */
  choose(set: string): Choice {
    const it = this.named(set);
    const now = this.options.wallClock();
    if (endOf(it.places[it.tried] ?? []) < now) it.try(it.after(it.tried, now));
    const whole = it.places[it.tried] ?? [];
    const roots = stillValid(whole, now);
    if (roots.length > 0) return { set, place: it.tried, roots, whole };
    throw this.ended(set);
  }

  private ended(set: string): MqttError {
    const roots = this.inUse(set);
    const last = roots.filter(({ notAfter }) => notAfter === endOf(roots))[0]!;
    const today = dayOf(this.options.wallClock());
    const message = `${nameOf(last)} ended on ${dayOf(last.notAfter)}, and the clock of this device says ${today}`;
    return mqttError('tls', message, { reason: 'ca-expired' });
  }

  /** @internal A CONNACK came over a connection that this choice was made for. @throws what the store throws */
  prove({ set, place, whole }: Choice): void {
    const it = this.named(set);
    if (it.places[place] !== whole) return; // Another has taken its place meanwhile.
    it.failures = 0;
    if (it.inUse === place) return it.try(it.candidate ?? place);
    it.use(place);
    this.tell(set, 'confirmed', whole);
  }

  /**
   * @internal A handshake failed with this choice. @param isFinal the host cannot use these roots at all
   * @returns what became of it, for a warning @throws what the store throws
   */
  fail({ set, place, whole }: Choice, isFinal: boolean): RootChange | undefined {
    const it = this.named(set);
    if (it.tried !== place || it.places[place] !== whole) return undefined; // Another is tried already.
    if (++it.failures < this.attempts && !isFinal) return undefined;
    it.failures = 0;
    if (it.candidate === place) {
      it.rollBack();
      return this.tell(set, 'rolled-back', whole);
    }
    const next = it.after(place, this.options.wallClock());
    it.try(next);
    // Told once, where the set in use is left; others may follow until one is proved.
    return next === place || place !== it.inUse ? undefined : this.tell(set, 'fallback', it.places[next]!);
  }

  /** @internal Sentences about roots in use that are near their end, each told once for each number of days. */
  warnings(set: string): readonly string[] {
    const it = this.named(set);
    const now = this.options.wallClock();
    const sentences: string[] = [];
    for (const root of this.inUse(set)) {
      const left = Math.ceil((root.notAfter - now) / DAY);
      let due = Number.POSITIVE_INFINITY;
      for (const days of this.warnDays) if (left <= days && days < due) due = days;
      if (left <= 0) due = 0;
      const id = `${root.subject} ${root.notAfter}`;
      if (due >= (it.warned[id] ?? Number.POSITIVE_INFINITY)) continue;
      it.warned[id] = due;
      const end = dayOf(root.notAfter);
      sentences.push(left > 0 ? `${nameOf(root)} ends on ${end}, in ${left} days` : `${nameOf(root)} ended on ${end}`);
    }
    return sentences;
  }

  private tell(set: string, what: RootChange['what'], roots: Roots): RootChange {
    const change = { set, what, roots };
    this.options.changed?.(change);
    return change;
  }
}
