// The two kinds of chart that the benches draw: lines over a size, and bars side by side.

import type { TopLevelSpec } from 'vega-lite';

export type Row = Readonly<Record<string, string | number>>;

export interface Axis {
  /** A field of the rows. */
  readonly field: string;
  readonly title: string;
  readonly log?: boolean;
}

/** Ours is the first of the bars. */
const OURS = '#2f6fb5';
const OTHERS = '#b9bfc7';

const BOX = { width: 300, height: 180 };

/** One panel for each value of `facet`, a line for each value of `color`; both in the order given. */
export function lines(rows: readonly Row[], x: Axis, y: Axis, color: Series, facet: Series): TopLevelSpec {
  return {
    data: { values: [...rows] },
    columns: 2,
    facet: { field: facet.field, type: 'nominal', sort: [...facet.values], title: null },
    spec: {
      ...BOX,
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: x.field, type: 'quantitative', title: x.title, scale: { type: x.log ? 'log' : 'linear' } },
        y: { field: y.field, type: 'quantitative', title: y.title, scale: { type: y.log ? 'log' : 'linear' } },
        color: { field: color.field, type: 'nominal', sort: [...color.values], title: null, legend: { labelLimit: 0 } },
      },
    },
    resolve: { scale: { y: 'independent' } },
  };
}

export interface Series {
  readonly field: string;
  readonly values: readonly string[];
}

/** One panel for each value of `facet`, with a bar for each value of `bar`; both in the order given. */
export function bars(rows: readonly Row[], value: Axis, bar: Series, facet: Series, columns = 2): TopLevelSpec {
  const height = 22 * bar.values.length;
  const quantity = { field: value.field, type: 'quantitative', title: value.title } as const;
  const label = { field: bar.field, type: 'nominal', sort: [...bar.values], title: null } as const;
  return {
    data: { values: [...rows] },
    columns,
    facet: { field: facet.field, type: 'nominal', sort: [...facet.values], title: null },
    spec: {
      width: BOX.width,
      height,
      layer: [
        {
          mark: { type: 'bar' },
          encoding: {
            x: { ...quantity, ...(value.log && { scale: { type: 'symlog' } }) },
            y: label,
            color: { ...label, legend: null, scale: { range: [OURS, ...bar.values.slice(1).map(() => OTHERS)] } },
          },
        },
        {
          mark: { type: 'text', align: 'left', dx: 4 },
          encoding: { x: quantity, y: label, text: { field: value.field, type: 'quantitative', format: ',.3~r' } },
        },
      ],
    },
    resolve: { scale: { x: 'independent' } },
  };
}
