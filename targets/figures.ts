// Writes the measured budgets of budget.json into the READMEs of the targets, between their marks. With --check it writes
// nothing, and fails where one is stale.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Figure {
  readonly limit: number;
  readonly measured: number;
}

export interface Figures {
  readonly [name: string]: Figure | Figures;
}

const APPS: Readonly<Record<string, string>> = {
  slice: 'slice: QoS 0 and 1, reconnect, keep-alive, bounded queue',
  whole: 'whole: QoS 2 and every module',
  sliceOverTls: 'slice over TLS',
  bundled: '`mqtt-mote/bundled`',
};

interface Table {
  /** Folder below targets. */
  readonly target: string;
  /** Rows. */
  readonly apps: readonly string[];
  /** A heading, and where its figure stands in budget.json, with `*` for the row. */
  readonly columns: readonly (readonly [heading: string, path: string])[];
}

const TABLES: readonly Table[] = [
  {
    target: 'moddable',
    apps: ['slice', 'whole', 'sliceOverTls'],
    columns: [
      ['slots', 'moddable/*/slots'],
      ['bytes of chunks', 'moddable/*/chunkBytes'],
      ['slots of the stack', 'moddable/*/stackSlots'],
    ],
  },
  {
    target: 'quickjs',
    apps: ['slice', 'whole'],
    columns: [
      ['QuickJS, bytes', 'quickjs/*/heapBytes'],
      ['QuickJS-ng, bytes', 'quickjs-ng/*/heapBytes'],
    ],
  },
  {
    target: 'espruino',
    apps: ['slice', 'whole', 'sliceOverTls'],
    columns: [
      ['variables, connected', 'espruino/*/connectedVariables'],
      ['at their peak', 'espruino/*/peakVariables'],
    ],
  },
  { target: 'duktape', apps: ['slice', 'whole'], columns: [['resident, KB', 'duktape/*/residentKilobytes']] },
  { target: 'node', apps: ['bundled'], columns: [['bytes', 'node/*/minified']] },
];

const number = (value: number): string => value.toLocaleString('en-US');

/** @throws Error where budget.json has no such figure */
function figureAt(figures: Figures, path: string): Figure {
  const found = path.split('/').reduce<Figures | Figure | undefined>((it, name) => (it as Figures)?.[name], figures);
  if (typeof (found as Figure | undefined)?.measured !== 'number') throw new Error(`budget.json has no ${path}`);
  return found as Figure;
}

function tableOf({ apps, columns }: Table, figures: Figures): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const headings = columns.flatMap(([heading]) => [heading, 'at most']);
  const lines = apps.map((app) => {
    const cells = columns.map(([, path]) => figureAt(figures, path.replace('*', app)));
    return row([APPS[app]!, ...cells.flatMap(({ measured, limit }) => [number(measured), number(limit)])]);
  });
  return [row(['', ...headings]), `|${'---|'.repeat(headings.length + 1)}`, ...lines].join('\n');
}

const MARKS = /(<!-- figures -->\n)[\s\S]*?(<!-- end of figures -->)/;

/** @returns READMEs that were stale @throws Error where one has no marks */
export function writeFigures(write = true): string[] {
  const figures = JSON.parse(readFileSync(join(import.meta.dirname, 'budget.json'), 'utf8')) as Figures;
  return TABLES.flatMap((table) => {
    const file = join(import.meta.dirname, table.target, 'README.md');
    const text = readFileSync(file, 'utf8');
    if (!MARKS.test(text)) throw new Error(`${file} has no place for its figures`);
    const fresh = text.replace(MARKS, (_, begin, end) => `${begin}${tableOf(table, figures)}\n${end}`);
    if (fresh === text) return [];
    if (write) writeFileSync(file, fresh);
    return [file];
  });
}

if (process.argv[1] === import.meta.filename) {
  const isCheck = process.argv.includes('--check');
  const stale = writeFigures(!isCheck);
  if (isCheck && stale.length > 0) {
    console.error(`stale, run npm run generate: ${stale.join(', ')}`);
    process.exit(1);
  }
}
