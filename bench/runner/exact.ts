// Figures that are the same in every run. What computes them needs nothing of this folder's own packages, for it is tested as well.

/** By name: wake-ups, packets, bytes. The smaller the better. */
export type Exact = Readonly<Record<string, number>>;
