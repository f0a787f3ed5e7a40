// What everything in one run shares: the clock, the dice, the count of what happened and the first thing that was wrong.

import { VirtualTime } from '../../src/memory.ts';
import type { Random } from './random.ts';

export type Totals = Map<string, number>;

export class World {
  readonly random: Random;
  readonly time: VirtualTime;
  readonly totals: Totals = new Map();
  /** From now on everything works: no faults, no refusals, no new operations. */
  calm = false;
  /** What was wrong, in order. Not thrown at once: the client under test would be in the way. */
  readonly faults: string[] = [];
  private readonly print: ((line: string) => void) | undefined;
  private readonly start: number;

  constructor(random: Random, print?: (line: string) => void) {
    this.random = random;
    this.print = print;
    this.start = random.chance(0.5) ? (2 ** 32 - random.between(0, 200_000)) >>> 0 : random.between(0, 2 ** 32 - 1);
    this.time = new VirtualTime(this.start);
  }

  must(condition: boolean, rule: string): void {
    if (condition) return;
    this.faults.push(rule);
    this.note(`WRONG: ${rule}`);
  }

  count(name: string, by = 1): void {
    this.totals.set(name, (this.totals.get(name) ?? 0) + by);
  }

  /** Whether something goes wrong now. */
  unlucky(probability: number): boolean {
    return !this.calm && this.random.chance(probability);
  }

  later(millis: number, run: () => void): void {
    this.time.schedule(millis, run);
  }

  /** A line of the log of a verbose run. */
  note(text: string): void {
    this.print?.(`${String((this.time.now() - this.start) >>> 0).padStart(8)} ${text}`);
  }
}
