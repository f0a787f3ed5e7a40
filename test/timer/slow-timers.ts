// Timers as one would write them without a thought for speed: a list that is looked through. What the wheel is held against.

interface SlowTimer {
  readonly id: number;
  /** In milliseconds that never wrap, as everything here. */
  readonly at: number;
  readonly begin: number;
}

export class SlowTimers {
  private turned: number;
  private set: SlowTimer[] = [];
  private waiting: SlowTimer[] = [];
  private early: SlowTimer[] = [];

  constructor(now: number) {
    this.turned = now;
  }

  get size(): number {
    return this.set.length + this.waiting.length + this.early.length;
  }

  arm(id: number, at: number, slack: number, now: number): void {
    this.disarm(id);
    if (this.size === 0) this.turned = now;
    const end = Math.max(at, this.turned);
    this.set.push({ id, at: end, begin: Math.max(end - slack, this.turned) });
  }

  disarm(id: number): void {
    this.set = this.set.filter((it) => it.id !== id);
    this.waiting = this.waiting.filter((it) => it.id !== id);
    this.early = this.early.filter((it) => it.id !== id);
  }

  advance(now: number): void {
    if (now < this.turned) return;
    this.turned = now;
    const due = this.set.filter((it) => it.begin <= now).sort((a, b) => a.begin - b.begin); // Stable.
    this.set = this.set.filter((it) => it.begin > now);
    this.waiting.push(...due.filter((it) => it.at <= now));
    this.early.push(...due.filter((it) => it.at > now));
  }

  due(): number | undefined {
    return (this.waiting.length > 0 ? this.waiting : this.early).shift()?.id;
  }

  next(): number | undefined {
    if (this.waiting.length + this.early.length > 0) return this.turned;
    return this.set.length > 0 ? Math.min(...this.set.map((it) => it.at)) : undefined;
  }
}
