// What a server sees of a crowd that comes back: how many at once, and when the last one is there.

export interface Arrivals {
  /** Dials in the worst 100 ms, and in the worst second. */
  readonly in100Millis: number;
  readonly inSecond: number;
  /** When there had been as many logins as clients, in milliseconds after the drop. */
  readonly allBackMillis: number;
}

export const CROWD = 1_000;
/** One way, in milliseconds. */
export const LATENCY_MILLIS = 20;
/** For so long after the drop every client has to be back: ten minutes. */
export const PATIENCE_MILLIS = 600_000;

const worst = (instants: readonly number[], span: number): number => {
  let most = 0;
  let first = 0;
  instants.forEach((instant, index) => {
    while (instants[first]! <= instant - span) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
};

/** Dials and logins since the drop, in the order of time, in milliseconds after it. */
export const arrivalsOf = (dials: readonly number[], logins: readonly number[]): Arrivals => ({
  in100Millis: worst(dials, 100),
  inSecond: worst(dials, 1_000),
  allBackMillis: logins[CROWD - 1] ?? Number.NaN,
});
