// Side by side: every contender once in each round, in turning order, so that a noisy minute strikes all of them; then medians.

import type { Progress } from './bench.ts';
import type { Sample } from './programs.ts';

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** @returns by contender: the median of each figure over all rounds */
export async function interleave<Name extends string>(
  contenders: readonly Name[],
  rounds: number,
  measure: (contender: Name) => Promise<Sample>,
  progress: Progress,
): Promise<Record<Name, Sample>> {
  const samples = new Map<Name, Sample[]>(contenders.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < contenders.length; place++) {
      const name = contenders[(place + round) % contenders.length]!;
      progress(`round ${round + 1} of ${rounds}: ${name}`);
      samples.get(name)!.push(await measure(name));
    }
  }
  const medians = contenders.map((name) => [name, medianOf(samples.get(name)!)] as const);
  return Object.fromEntries(medians) as Record<Name, Sample>;
}

function medianOf(samples: readonly Sample[]): Sample {
  const figures = Object.keys(samples[0]!);
  return Object.fromEntries(figures.map((figure) => [figure, median(samples.map((it) => it[figure]!))]));
}
