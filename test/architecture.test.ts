// The house rules of src: which room may look into which, no module state, no host globals, no long files.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import { type ParseResult, parse } from '@babel/parser';
import babelTraverse from '@babel/traverse';
import type { File } from '@babel/types';

const traverse = babelTraverse.default; // A CommonJS module: its default export is all of it.

const SOURCE = join(import.meta.dirname, '..', 'src');

/** What each room may import; the first pattern that fits a file counts. Rooms are regular expressions over paths in src. */
const RULES: readonly { room: RegExp; may: readonly RegExp[] }[] = [
  { room: /^(error|time|utf8|calendar)\.ts$/, may: [] },
  { room: /^json\.ts$/, may: [/^utf8\.ts$/] },
  { room: /^explain\.ts$/, may: [/^error\.ts$/] },
  { room: /^framing\/codec\.ts$/, may: [/^(error|utf8)\.ts$/, /^framing\/(packet|slab)\.ts$/, /^npm:mqtt-packet$/] },
  { room: /^framing\/mqtt-packet\.ts$/, may: [/^(error|utf8)\.ts$/, /^framing\//] },
  { room: /^framing\//, may: [/^(error|utf8)\.ts$/, /^framing\/(?!mqtt-packet|codec)/] },
  { room: /^protocol\//, may: [/^(error|time)\.ts$/, /^framing\/(packet|framing)\.ts$/, /^protocol\//] },
  { room: /^timer\//, may: [/^(error|time)\.ts$/, /^adapters\/adapter\.ts$/, /^timer\//] },
  { room: /^identity\//, may: [/^(error|utf8)\.ts$/, /^identity\//, /^npm:@noble\/hashes\//] },
  {
    room: /^(adapters|storage)\/node-/,
    may: [/^(error|time)\.ts$/, /^(adapters|storage)\//, /^protocol\/session\.ts$/, /^npm:node:/],
  },
  {
    room: /^(adapters|storage)\//,
    may: [
      /^(error|time|utf8)\.ts$/,
      /^(adapters|storage)\/(?!node-)/,
      /^client\/client\.ts$/, // The type of what a store is put on.
      /^protocol\/(session|delivery)\.ts$/,
      /^framing\/packet\.ts$/,
    ],
  },
  {
    room: /^client\//,
    may: [
      /^(error|time|utf8)\.ts$/,
      /^(protocol|timer|client)\//,
      /^adapters\/adapter\.ts$/,
      /^identity\/identity\.ts$/,
      /^framing\//,
    ],
  },
  {
    // Roots that can be replaced: a store, and an adapter around an adapter.
    room: /^trust\//,
    may: [
      /^(error|time|utf8|calendar)\.ts$/,
      /^trust\//,
      /^storage\/(key-value|sealed)\.ts$/,
      /^adapters\/adapter\.ts$/,
    ],
  },
  {
    // What an app hands in or puts on top. Nothing below knows of it, so that nothing below carries it.
    room: /^modules\//,
    may: [
      /^(error|time|utf8|json|calendar)\.ts$/,
      /^(modules|client|protocol|identity)\//,
      /^storage\/(?!node-)/,
      /^framing\/(check|packet|framing|mqtt-packet)\.ts$/,
      /^adapters\/adapter\.ts$/,
    ],
  },
  { room: /^node\.ts$/, may: [/^(adapters|storage)\/node-/] },
  { room: /^bundled\.ts$/, may: [/^[a-z-]+\.ts$/] }, // Entry points, that of Node among them.
  { room: /^[a-z0-9-]+\.ts$/, may: [/^(?!(adapters|storage)\/node-)/] },
];

/** Globals of hosts: small engines lack them, and time or randomness comes in as an argument. */
const HOST_GLOBALS = new Set(
  `AbortController AbortSignal Buffer Date Map Promise Set Symbol TextDecoder TextEncoder URL WeakMap WeakSet atob btoa
   clearInterval clearTimeout console crypto globalThis performance process queueMicrotask require setImmediate
   setInterval setTimeout structuredClone`.split(/\s+/),
);

/** Files that speak to a host, or that only hosts with promises load. */
const MAY_USE_GLOBALS = /^(adapters\/(?!adapter)|storage\/node-|modules\/promises\.ts)/;

const MAX_LINES = 350;

interface Module {
  readonly path: string;
  readonly text: string;
  readonly tree: ParseResult<File>;
}

const modules: Module[] = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = readFileSync(join(SOURCE, path), 'utf8');
    return { path, text, tree: parse(text, { sourceType: 'module', plugins: ['typescript'] }) };
  });

/** What a module imports or re-exports: paths in src, or `npm:` and a package. */
function importsOf({ path, tree }: Module): string[] {
  return tree.program.body.flatMap((node) => {
    const isImport = node.type === 'ImportDeclaration';
    const isExport = node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration';
    const target = isImport || isExport ? node.source?.value : undefined;
    if (target === undefined) return [];
    return [target.startsWith('.') ? posix.join(posix.dirname(path), target) : `npm:${target}`];
  });
}

function globalsOf({ tree }: Module): string[] {
  const found = new Set<string>();
  traverse(tree, {
    Program(program) {
      for (const name of Object.keys((program.scope as unknown as { globals: object }).globals)) found.add(name);
    },
    MemberExpression({ node }) {
      const { object, property } = node;
      if (object.type !== 'Identifier' || object.name !== 'Math' || property.type !== 'Identifier') return;
      if (property.name === 'random') found.add('Math.random');
    },
  });
  return [...found];
}

test('src has modules to look at', () => {
  assert.ok(modules.length > 20, `${modules.length} modules`);
});

test('rooms import only what lies below them', () => {
  const faults = modules.flatMap((module) => {
    const rule = RULES.find(({ room }) => room.test(module.path));
    if (!rule) return [`${module.path} lies in no known room`];
    return importsOf(module)
      .filter((target) => !rule.may.some((pattern) => pattern.test(target)))
      .map((target) => `${module.path} -> ${target}`);
  });
  assert.deepEqual(faults, []);
});

test('imports form no circle', () => {
  const graph = new Map(modules.map((module) => [module.path, importsOf(module)]));
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  assert.deepEqual(circles, []);
});

test('only adapters and promises use what a host may lack', () => {
  const faults = modules
    .filter(({ path }) => !MAY_USE_GLOBALS.test(path))
    .flatMap((module) =>
      globalsOf(module)
        .filter((name) => HOST_GLOBALS.has(name) || name === 'Math.random')
        .map((name) => `${module.path}: ${name}`),
    );
  assert.deepEqual(faults, []);
});

test('the check for globals sees one that is there', () => {
  const text =
    'export const f = () => { const x: Map<string, Date> = new Map(); return [x, Math.random(), Date.now()]; };';
  const tree = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  assert.deepEqual(globalsOf({ path: 'x.ts', text, tree }).sort(), ['Date', 'Map', 'Math', 'Math.random']);
});

test('no regular expression counts, which Espruino cannot: it finds nothing then', () => {
  const faults: string[] = [];
  for (const { path, tree } of modules.filter((it) => !/^(adapters|storage)\/node-/.test(it.path))) {
    traverse(tree, {
      RegExpLiteral({ node }) {
        if (/\{\d/.test(node.pattern)) faults.push(`${path}: ${node.pattern}`);
      },
    });
  }
  assert.deepEqual(faults, []);
});

test('modules hold no state: no let or var at their top', () => {
  const faults = modules.flatMap(({ path, tree }) =>
    tree.program.body
      .map((node) => (node.type === 'ExportNamedDeclaration' ? node.declaration : node))
      .filter((node) => node?.type === 'VariableDeclaration' && node.kind !== 'const')
      .map((node) => `${path}:${node?.loc?.start.line}`),
  );
  assert.deepEqual(faults, []);
});

test(`no file of src is longer than ${MAX_LINES} lines, and each says in its first line what it is for`, () => {
  const faults = modules.flatMap(({ path, text }) => [
    ...(text.split('\n').length > MAX_LINES + 1 ? [`${path} has ${text.split('\n').length} lines`] : []),
    ...(text.startsWith('// ') ? [] : [`${path} does not begin with a comment`]),
  ]);
  assert.deepEqual(faults, []);
});

test('the run-time dependencies are mqtt-packet and @noble/hashes', () => {
  const manifest = JSON.parse(readFileSync(join(SOURCE, '..', 'package.json'), 'utf8'));
  assert.deepEqual(Object.keys(manifest.dependencies).sort(), ['@noble/hashes', 'mqtt-packet']);
  assert.equal(manifest.sideEffects, false);
});
