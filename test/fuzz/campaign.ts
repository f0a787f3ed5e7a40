// Runs generated inputs. Input number n of a seed has a seed of its own, so that it can be had without those before it.

import { hex } from '../framing/bytes.ts';
import { keep } from './corpus.ts';
import { examine } from './examine.ts';
import { generate } from './generate.ts';
import { Random } from './random.ts';

/**
 * Returns how often the framing gave which verdict.
 * @throws an Error with the input and its seed at the first failure, after keeping the input in the corpus
 */
export function campaign(seed: number, runs: number, progress: (run: number) => void = () => {}): Map<string, number> {
  const verdicts = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    const own = (seed + run) >>> 0;
    const input = generate(new Random(own));
    try {
      const verdict = examine(input) ?? 'accepted';
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    } catch (cause) {
      const file = keep(`found-${own}`, input);
      throw new Error(`seed ${own} fails, kept as ${file}\n${hex(input)}`, { cause });
    }
    progress(run);
  }
  return verdicts;
}
