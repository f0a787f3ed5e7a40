// What a bench has found, as text, JSON, charts, and blocks of the README.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { markdownTable } from 'markdown-table';
import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import type { Chart, Findings, Table } from './bench.ts';
import type { Exact } from './exact.ts';

const RESULTS = join(import.meta.dirname, '..', 'results');
const README = join(import.meta.dirname, '..', '..', 'README.md');

export function tableText({ columns, rows }: Table): string {
  const align = columns.map((_, index) => (index === 0 ? 'l' : 'r'));
  return markdownTable([[...columns], ...rows.map((row) => row.map(String))], { align });
}

export function findingsText({ tables, notes }: Findings): string {
  const texts = tables.map((table) => `${table.title}\n\n${tableText(table)}`);
  return [...texts, ...notes.map((note) => `- ${note}`)].join('\n\n');
}

async function draw({ spec }: Chart): Promise<string> {
  const compiled = compile({ background: 'white', padding: 10, ...spec }).spec;
  return `${await new View(parse(compiled), { renderer: 'none' }).toSVG()}\n`;
}

export interface Recorded {
  readonly measuredOn: object;
  readonly measured?: unknown;
}

/** What results/<bench>.json says. @throws Error where the bench was never recorded */
export function recorded(bench: string): Recorded {
  return JSON.parse(readFileSync(join(RESULTS, `${bench}.json`), 'utf8')) as Recorded;
}

const thisMachine = (): object => ({
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  processor: cpus()[0]?.model,
});

/** Writes results/<bench>.json, .md and the charts. @param measuredOn default: this machine */
export async function record(
  bench: string,
  findings: Findings,
  exact: Exact | undefined,
  measuredOn = thisMachine(),
): Promise<void> {
  mkdirSync(RESULTS, { recursive: true });
  const { tables, notes, charts, measured } = findings;
  const json = { bench, measuredOn, ...(exact && { exact }), tables, notes, measured };
  writeFileSync(join(RESULTS, `${bench}.json`), `${JSON.stringify(json, undefined, 2)}\n`);
  const pictures = charts.map(({ name, title }) => `![${title}](${bench}-${name}.svg)`);
  const sections = tables.map((table) => `### ${table.title}\n\n${tableText(table)}`);
  const text = [`## ${bench}`, ...pictures, ...sections, notes.map((note) => `- ${note}`).join('\n')].join('\n\n');
  writeFileSync(join(RESULTS, `${bench}.md`), `${text.trim()}\n`);
  for (const chart of charts) writeFileSync(join(RESULTS, `${bench}-${chart.name}.svg`), await draw(chart));
  showInReadme(bench, findings);
}

/** Writes the block of the README that belongs to the bench, where there is one. */
function showInReadme(bench: string, { charts, shown }: Findings): void {
  const pictures = charts.map(({ name, title }) => `![${title}](bench/results/${bench}-${name}.svg)`);
  const tables = shown.map((table) => `${table.title}:\n\n${tableText(table)}`);
  const block = [...tables, ...pictures].join('\n\n');
  const place = new RegExp(`(<!-- bench: ${bench} -->\n)[^]*?(<!-- end of ${bench} -->)`);
  const text = readFileSync(README, 'utf8');
  writeFileSync(
    README,
    text.replace(place, (_, begin, end) => `${begin}\n${block}\n\n${end}`),
  );
}
