// What we set out to reach, beside what was measured: a table that also says where we are not there.

import type { Table } from './bench.ts';
import { digits } from './format.ts';

export interface Goal {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  /** At most this. */
  readonly most: number;
}

export function goalTable(goals: readonly Goal[]): Table {
  const rows = goals.map(({ what, unit, value, most }) => {
    const holds = value <= most ? 'holds' : 'does not hold';
    return [what, `${digits(value)} ${unit}`, `≤ ${digits(most)}`, holds];
  });
  return { title: 'Goals', columns: ['', 'measured', 'goal', ''], rows };
}
