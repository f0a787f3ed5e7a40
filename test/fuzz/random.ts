// A small random generator with a seed, so that a failing input can be made again (mulberry32).

export class Random {
  state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 up to, not including, `limit`. */
  below(limit: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let it = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    it ^= it + Math.imul(it ^ (it >>> 7), it | 61);
    return Math.floor((((it ^ (it >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** So many values, each made by `make`. */
  list<T>(length: number, make: () => T): T[] {
    return Array.from({ length }, make);
  }
}
