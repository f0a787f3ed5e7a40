// Writes the table clause -> tests -> source to README.md from clauses.json, the titles of the tests and what src cites.
// With --check it writes nothing and fails where the file is stale or a clause of the client has no test.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@babel/parser';
import type { Comment, Node } from '@babel/types';

export interface Clause {
  readonly id: string;
  /** S: what the client sends. R: what it does on receipt. B: both. P: the server's part. */
  readonly who: 'S' | 'R' | 'B' | 'P';
  readonly requirement: string;
  /** Why no test is due: the server's part, or not applicable. */
  readonly reason?: string;
  /** Where the source cites a section instead of the clause. */
  readonly section?: string;
  /** What obeys it without saying so: `path name`. */
  readonly by?: readonly string[];
}

/** A place that names a clause or a section: `title` of a test, or a function of src. */
export interface Citation {
  readonly id: string;
  readonly place: string;
}

export interface Report {
  readonly markdown: string;
  readonly untested: readonly string[];
  readonly unsourced: readonly string[];
  readonly unknown: readonly string[];
}

const TESTS = join(import.meta.dirname, '..');
const SOURCE = join(TESTS, '..', 'src');
const README = join(import.meta.dirname, 'README.md');

const NUMBER = /^(MQTT-)?[1-7](\.\d+)+(-\d+)?$/;

interface Module {
  readonly path: string;
  readonly text: string;
  readonly nodes: readonly Node[];
  readonly comments: readonly Comment[];
}

function readModules(folder: string): Module[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((it) => it.endsWith('.ts'));
  return paths.sort().map((path) => {
    const text = readFileSync(join(folder, path), 'utf8');
    const { program, comments } = parse(text, { sourceType: 'module', plugins: ['typescript'] });
    const nodes: Node[] = [];
    collect(program, nodes);
    return { path: path.replaceAll('\\', '/'), text, nodes, comments: comments ?? [] };
  });
}

/** All nodes below one, it included; children stand behind their parents. */
function collect(value: unknown, nodes: Node[]): void {
  if (Array.isArray(value)) for (const it of value) collect(it, nodes);
  else if (typeof (value as Node | null)?.type === 'string' && 'start' in (value as Node)) {
    nodes.push(value as Node);
    for (const [key, child] of Object.entries(value as Node)) if (!key.endsWith('omments')) collect(child, nodes);
  }
}

// Tests.

/** The constant beginning of a title. */
function titleOf(node: Node): string | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return undefined;
  if (!['test', 'it', 'describe'].includes(node.callee.name)) return undefined;
  const [title] = node.arguments;
  if (title?.type === 'StringLiteral') return title.value;
  return title?.type === 'TemplateLiteral' ? (title.quasis[0]?.value.cooked ?? '') : undefined;
}

/** What stands in the square brackets that a title begins with. */
export function labelsOf(title: string): string[] {
  const [start] = title.match(/^(\[[^\]]+\] ?)+/) ?? [''];
  return [...start.matchAll(/\[([^\]]+)\]/g)].map((match) => match[1]!);
}

export const isClause = (label: string): boolean => /^(MQTT-|edge )?\d/.test(label);

/** Every clause that the title of a test begins with, and the titles of the faults. */
export function readTests(folder: string = TESTS): { citations: Citation[]; pains: Citation[]; faults: string[] } {
  const citations: Citation[] = [];
  const pains: Citation[] = [];
  const faults: string[] = [];
  for (const { path, nodes } of readModules(folder)) {
    for (const node of nodes) {
      const title = titleOf(node) ?? '';
      const labels = labelsOf(title);
      for (const id of labels.filter(isClause)) citations.push({ id, place: path });
      for (const id of labels.filter((it) => it.startsWith('pain '))) pains.push({ id, place: path });
      if (labels[0] === 'fault') faults.push(title.slice('[fault] '.length));
    }
  }
  return { citations, pains, faults };
}

// Source.

/** The clauses in a comment: `[MQTT-2.3.1-1]`, `(3.1.2.10)`, `(1.5.3, 4.7)`. */
export function citedIn(comment: string): string[] {
  const bracketed = [...comment.matchAll(/\[(MQTT-[\d.]+-\d+)\]/g)].map((match) => match[1]!);
  const sections = [...comment.matchAll(/\((\d[\d., ]*)\)/g)].flatMap((match) => match[1]!.split(', '));
  return [...bracketed, ...sections.filter((it) => NUMBER.test(it))];
}

interface Owner {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

/** Functions, methods, constants, types and classes: whatever a citation can lie in, or stand before. */
function ownersOf({ nodes, text }: Module): Owner[] {
  const owners: Owner[] = [];
  for (const node of nodes) {
    if (node.type === 'ClassDeclaration' || node.type === 'TSInterfaceDeclaration') {
      const prefix = node.id?.name ?? '';
      for (const member of node.body.body) {
        if ('key' in member && member.key.type === 'Identifier') own(member, `${prefix}.${member.key.name}`);
      }
    }
    const target = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (target?.type === 'VariableDeclaration' && target.declarations[0]?.id.type === 'Identifier') {
      if (isTopLevel(node)) own(node, target.declarations[0].id.name);
    } else if (target && 'id' in target && target.id?.type === 'Identifier' && isTopLevel(node)) {
      own(node, target.id.name);
    }
  }
  return owners;

  function own(node: Node, name: string): void {
    const above = node.leadingComments?.find(({ start }) => isOnOwnLine(start ?? 0));
    owners.push({ start: above?.start ?? node.start ?? 0, end: node.end ?? 0, name });
  }

  /** What a file begins with speaks of all of it. */
  function isOnOwnLine(at: number): boolean {
    const header = /^(\/\/.*\n)*/.exec(text)?.[0].length ?? 0;
    return at >= header && /\n *$/.test(text.slice(0, at));
  }

  function isTopLevel(node: Node): boolean {
    return node.loc?.start.column === 0;
  }
}

/** Everything in src that a clause may be obeyed by: `path name`. */
export const readPlaces = (folder: string = SOURCE): ReadonlySet<string> =>
  new Set(readModules(folder).flatMap((it) => ownersOf(it).map(({ name }) => `${it.path} ${name}`)));

/** Every clause that a comment of src cites, or an error names as broken. */
export function readSource(folder: string = SOURCE): Citation[] {
  return readModules(folder).flatMap((module) => {
    const owners = ownersOf(module);
    const placeOf = (at: number): string => {
      const around = owners.filter(({ start, end }) => start <= at && at < end);
      const [closest] = around.sort((a, b) => a.end - a.start - (b.end - b.start));
      return closest ? `${module.path} ${closest.name}` : module.path;
    };
    const found: Citation[] = [];
    for (const { value, start } of module.comments) {
      for (const id of citedIn(value)) found.push({ id, place: placeOf(start ?? 0) });
    }
    for (const node of module.nodes) {
      if (node.type === 'StringLiteral' && NUMBER.test(node.value)) {
        found.push({ id: node.value, place: placeOf(node.start ?? 0) });
      }
    }
    return found;
  });
}

// The table.

export function readClauses(): {
  clauses: readonly Clause[];
  sections: ReadonlySet<string>;
  /** What users of other clients suffer from, by number: the first is 1. */
  pains: readonly string[];
} {
  const { clauses, sections, pains } = JSON.parse(readFileSync(join(import.meta.dirname, 'clauses.json'), 'utf8'));
  return { clauses, sections: new Set((sections as string).split(' ')), pains };
}

/** Whether a citation of src speaks of a clause. A section speaks of its clauses without a number. */
function cites(id: string, clause: Clause): boolean {
  if (id === clause.id || id === clause.section) return true;
  return !clause.id.startsWith('MQTT-') && id === clause.id.split(' ')[0];
}

const placesOf = (citations: readonly Citation[]): string[] => [...new Set(citations.map(({ place }) => place))].sort();

/** Places as `path` and, in brackets, what in it. */
function listed(places: readonly string[]): string {
  const byFile = new Map<string, string[]>();
  for (const place of places) {
    const [path = '', name] = place.split(' ');
    byFile.set(path, [...(byFile.get(path) ?? []), ...(name ? [name] : [])]);
  }
  return [...byFile].map(([path, names]) => path + (names.length > 0 ? ` (${names.join(', ')})` : '')).join('; ');
}

const bullets = (lines: readonly string[]): string => lines.map((it) => `- ${it}`).join('\n') || 'None.';

export function makeReport(): Report {
  const { clauses, sections, pains } = readClauses();
  const { citations: tests, pains: eased, faults } = readTests();
  const testsOfPain = (number: number) => placesOf(eased.filter(({ id }) => id === `pain ${number}`));
  const source = readSource();
  const known = new Set([...sections, ...clauses.map(({ id }) => id)]);
  const isUnknown = ({ id }: Citation) => !known.has(id) && !sections.has(id.replace('MQTT-', ''));
  const due = clauses.filter(({ reason }) => reason === undefined);
  const testsOf = ({ id }: Clause) => placesOf(tests.filter((it) => it.id === id));
  const sourceOf = (clause: Clause) => {
    const by = (clause.by ?? []).map((place) => ({ id: clause.id, place }));
    return placesOf([...source.filter(({ id }) => cites(id, clause)), ...by]);
  };
  const row = (clause: Clause) =>
    `| ${clause.id} | ${clause.who} | ${clause.requirement} | ${listed(testsOf(clause))} | ${listed(sourceOf(clause))} |`;
  const markdown = `# Conformance to MQTT 3.1.1

Written by \`tsx test/conformance/table.ts\` from \`clauses.json\`, the titles of the tests and the citations in \`src\`;
where nothing in \`src\` cites a clause, \`clauses.json\` says what obeys it.
${due.length} clauses are due, ${due.filter((it) => testsOf(it).length > 0).length} have tests. S: what the client sends. R: what it does on receipt. B: both.
P: the server's part. Tests are named below \`test/\`, source below \`src/\`.

| clause | who | requirement | tests | source |
|---|---|---|---|---|
${due.map(row).join('\n')}

## The server's part, or not applicable

| clause | who | requirement | reason | tests all the same |
|---|---|---|---|---|
${clauses
  .filter(({ reason }) => reason !== undefined)
  .map((it) => `| ${it.id} | ${it.who} | ${it.requirement} | ${it.reason} | ${listed(testsOf(it))} |`)
  .join('\n')}

## What users of other clients suffer from

| pain | what | tests |
|--:|---|---|
${pains.map((it, index) => `| ${index + 1} | ${it} | ${testsOfPain(index + 1).join('; ')} |`).join('\n')}

## Faults read in other clients

${bullets(faults)}
`;
  return {
    markdown,
    untested: [
      ...due.filter((it) => testsOf(it).length === 0).map(({ id }) => id),
      ...pains.filter((_, index) => testsOfPain(index + 1).length === 0),
    ],
    unsourced: due.filter((it) => sourceOf(it).length === 0).map(({ id }) => id),
    unknown: [...tests, ...source].filter(isUnknown).map(({ id, place }) => `${id} in ${place}`),
  };
}

export const isStale = ({ markdown }: Report): boolean => readFileSync(README, 'utf8') !== markdown;

if (process.argv[1] === import.meta.filename) {
  const report = makeReport();
  const faults = [
    ...report.untested.map((it) => `${it} has no test`),
    ...report.unsourced.map((it) => `${it} has no source`),
    ...report.unknown.map((it) => `unknown clause ${it}`),
  ];
  if (!process.argv.includes('--check')) writeFileSync(README, report.markdown);
  else if (isStale(report)) faults.push('README.md is stale: run tsx test/conformance/table.ts');
  for (const it of faults) console.error(it);
  if (faults.length > 0) process.exitCode = 1;
}
