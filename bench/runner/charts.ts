// The two kinds of chart that the benches draw: lines over a size, and bars side by side.

import type { TopLevelSpec } from 'vega-lite';

export type Row = Readonly<Record<string, string | number>>;

export interface Axis {
  /** A field of the rows. */
  readonly field: string;
  readonly title: string;
  readonly log?: boolean;
}

/** Ours are the first of the bars. */
const OURS = '#2f6fb5';
const OTHERS = '#b9bfc7';

const BOX = { width: 300, height: 180 };

/** With few lines where it is logarithmic: powers of ten. */
const axisOf = ({ field, title, log }: Axis) =>
  ({
    field,
    title,
    type: 'quantitative',
    scale: { type: log ? 'log' : 'linear' },
    axis: log ? { tickCount: 4 } : {},
  }) as const;

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
        x: axisOf(x),
        y: axisOf(y),
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

/** One panel for each value of `facet`, with a bar for each value of `bar`; both in the order given. @param ours how many of the bars are ours, the first */
export function bars(
  rows: readonly Row[],
  value: Axis,
  bar: Series,
  facet: Series,
  columns = 2,
  ours = 1,
): TopLevelSpec {
  const height = 22 * bar.values.length;
  const quantity = { field: value.field, type: 'quantitative', title: value.title } as const;
  const label = { field: bar.field, type: 'nominal', sort: [...bar.values], title: null } as const;
  const whole = { ...label, axis: { labelLimit: 0 } } as const;
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
            y: whole,
            color: {
              ...label,
              legend: null,
              scale: { range: bar.values.map((_, index) => (index < ours ? OURS : OTHERS)) },
            },
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
