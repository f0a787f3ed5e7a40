// What a bench is: it measures, and hands over tables, charts and figures. The runner prints, draws, records and compares.

import type { TopLevelSpec } from 'vega-lite';
import type { Exact } from './exact.ts';

/** Says what is being measured; a run takes minutes. */
export type Progress = (doing: string) => void;

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Chart {
  /** The file below results/ is `<bench>-<name>.svg`. */
  readonly name: string;
  /** What one sees, for those who do not see it. */
  readonly title: string;
  readonly spec: TopLevelSpec;
}

export interface Findings {
  readonly tables: readonly Table[];
  /** Those of them that the README shows, beside the charts. */
  readonly shown: readonly Table[];
  readonly charts: readonly Chart[];
  /** What is to be known about the figures. */
  readonly notes: readonly string[];
  /** What differs from run to run, as it was measured: kept in results/, so that the exact part can be written anew beside it. */
  readonly measured?: unknown;
}

export interface Bench {
  /** One line for --help. */
  readonly about: string;
  /** Our own figures that are the same in every run; needs no peers. A test holds them against what was recorded. */
  readonly exact?: () => Exact | Promise<Exact>;
  /** @param quick a little of everything, only to see that it runs */
  measure(progress: Progress, quick: boolean): Promise<Findings>;
  /** The findings, with `exact` as it is now and the rest as it was recorded. Without it, everything is the same in every run. */
  readonly restate?: (exact: Exact, measured: never) => Promise<Findings>;
}
