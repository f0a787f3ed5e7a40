// The syntax of what comes out for each language level, and the polyfills that go with it.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runInContext } from 'node:vm';
import type { NodePath } from '@babel/traverse';
import type { Node } from '@babel/types';
import { parse } from 'acorn';
import { type Bundle, bundle } from '../../targets/bundler/bundle.ts';
import { HOSTS, type Target } from '../../targets/bundler/hosts.ts';
import { programOf, readModule } from '../../targets/bundler/passes/pass.ts';
import { POLYFILLS } from '../../targets/bundler/polyfills.ts';
import { bareWorld } from './support.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-language-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** One of everything that an app may write and a host of level `classes` cannot read. */
const APP = `
  const from = 'b';
  class Base { #secret = 1; bare; static made = 0; get secret() { return this.#secret; } twice(by = 2) { return by * 2; } }
  class Item extends Base { tag = 'item'; twice(by) { return super.twice(by) + 1; } return(by) { return [by, this.tag]; } static of(tag) { const it = new Item(); it.tag = tag; return it; } }
  const seen = [1];
  function ticker() { let at = seen.length; let by = 1; return () => { at += by; by++; return at; }; }
  function device(name) { if (!name) throw new Error('no name'); return { tick: ticker(), name }; }
  export function run(...args) {
    const [first, ...others] = args;
    const { a, [from]: b = 7, ...rest } = { a: 1, c: 3, ...(others.length > 0 && { d: 4 }) };
    const got = [];
    got.push(later(), first?.deep?.deeper ?? 'none', a, b, rest.c, rest.d, 2 ** 10, [...others, 'end'].join());
    const calls = [];
    let text = String.fromCharCode(got.length + 0xe1); text += String.fromCharCode(got.length + 0x3a9); text += "传"; got.push(text);
    for (let i = 0; i < 3; i++) calls.push(() => i);
    for (const it of others) calls.push(() => it);
    got.push(calls.map((call) => call()).join());
    outer: for (const x of [1, 2]) for (const y of [1, 2]) { if (y === 2) continue outer; got.push(\`\${x}/\${y}\`); }
    const { tick } = device(first);
    got.push(tick() + tick());
    const item = new Item();
    item.count ??= 5; item.count &&= 6; item.none ||= 7;
    got.push(item.secret, item.twice(), item.tag, item.count, item.none, 'bare' in item || item.bare === undefined);
    try { throw new Error('x'); } catch { got.push('caught'); }
    got.push(Math.max(...[3, 9]), [...new Uint8Array([1, 2])].length, [...'abc'].join('-'));
    for (const byte of Uint8Array.from([5, 6])) got.push(byte);
    const made = [class Named { static own() { return Named.mark; } static mark = 'named'; lists = []; }];
    new made[0]().lists.push(1);
    got.push(made[0].own(), new made[0]().lists.length, Item.of('of').return(8).join('/'));
    if (got.length) { got.push(inBlock()); function inBlock() { return 'block'; } }
    return got.map(String).join(' ');
    function later() { return 'later'; }
  }`;
const EXPECTED =
  'later none 1 7 3 4 1024 two,three,end éα传 0,1,2,two,three 1/1 2/1 6 1 5 item 6 7 true caught 9 2 a-b-c 5 6 named 0 8/of block';

const bundleApp = (target: Target, text = APP): Promise<Bundle> => {
  const entry = join(folder, `app-${Math.abs(text.length)}-${target}.mjs`);
  writeFileSync(entry, text);
  return bundle({ entry, target, format: 'iife', globalName: 'app' });
};

/** Kinds of nodes that a host of level `classes` cannot read. */
const UNREADABLE: Readonly<Record<string, (node: Node) => boolean>> = {
  'a default': ({ type }) => type === 'AssignmentPattern',
  'a rest': ({ type }) => type === 'RestElement',
  'a spread': ({ type }) => type === 'SpreadElement',
  destructuring: ({ type }) => type === 'ObjectPattern' || type === 'ArrayPattern',
  'a computed key': (node) => /Property|Method/.test(node.type) && 'computed' in node && node.computed === true,
  '?.': ({ type }) => type.startsWith('Optional'),
  '**': (node) => 'operator' in node && /^\*\*/.test(String(node.operator)),
  'a logical assignment': (node) => 'operator' in node && /^(\?\?|\|\||&&)=$/.test(String(node.operator)),
  'a generator or async': (node) => ('generator' in node && !!node.generator) || ('async' in node && !!node.async),
  'a method with a reserved word for its name': (node) =>
    node.type === 'ClassMethod' && node.key.type === 'Identifier' && /^(return|throw|in|of)$/.test(node.key.name),
  'a slash within brackets': (node) => node.type === 'RegExpLiteral' && /(^|[^\\])\//.test(node.pattern),
  'a template': ({ type }) => type === 'TemplateLiteral', // Espruino loses that a text is Unicode, in both.
  'text += more': (node) =>
    node.type === 'AssignmentExpression' &&
    node.operator === '+=' &&
    /^(Identifier|StringLiteral|CallExpression)$/.test(node.right.type),
  '#private': ({ type }) => /Private/.test(type),
  'a field': ({ type }) => type === 'ClassProperty', // Espruino has one value for all objects of the class.
  'a class expression with a name': (node) => node.type === 'ClassExpression' && !!node.id,
  'a binding of its own in each turn of a loop': (node) => node.type === 'VariableDeclaration' && node.kind !== 'var',
};

/** Names that are used, in code that runs in the same turn, before they are there. */
function usedTooEarly({ scope, node }: NodePath): string[] {
  return Object.values(scope.bindings).flatMap(({ kind, identifier, referencePaths, constantViolations }) => {
    if (kind !== 'hoisted' && kind !== 'var') return [];
    const early = [...referencePaths, ...constantViolations].filter((it) => it.node.start! < identifier.start!);
    const here = early.some((it) => (it.getFunctionParent()?.node ?? scope.getProgramParent().block) === node);
    return here ? [`${identifier.name} is used before it is there`] : [];
  });
}

/** What is wrong with the text of a script for a host of level `classes`. */
function unreadable(code: string): string[] {
  const program = programOf(readModule('x', code).tree);
  const faults = usedTooEarly(program);
  program.traverse({
    enter({ node }) {
      for (const [what, is] of Object.entries(UNREADABLE)) if (is(node)) faults.push(what);
    },
    Function: (path) => void faults.push(...usedTooEarly(path)),
  });
  return faults;
}

let bundles: Readonly<Record<'espruino' | 'es5' | 'hermes' | 'es2022', Bundle>>;

before(async () => {
  const made = ['espruino', 'es5', 'hermes', 'es2022'].map(async (it) => [it, await bundleApp(it as Target)]);
  bundles = Object.fromEntries(await Promise.all(made));
});

test('a class with fields whose base is not known has to say what its constructor takes', async () => {
  const text = 'class Own extends globalThis.Base { field = 1; } export const make = () => new Own();';
  await assert.rejects(bundleApp('espruino', text), /a class that extends a value needs a constructor/);
});

test('es5: a class whose constructor calls its base before all else is a function and one object of methods', async () => {
  const { code } = await bundleApp(
    'es5',
    `class Base { constructor(size) { this.size = size; } twice() { return this.size * 2; } }
     class Item extends Base { tag = 'item'; constructor(size) { super(size); this.more = size + 1; this.most = 9; } all() { return [this.tag, this.twice(), this.more, this.most]; } }
     export const make = (size) => new Item(size).all();`,
  );
  assert.doesNotMatch(code, /\.prototype\.(?!constructor)\w+ ?=|return \w+\.\w+ ?= ?function/); // Babel's way.
  const context = bareWorld('es5');
  runInContext(code, context);
  assert.deepEqual(JSON.parse(runInContext('JSON.stringify(app.make(2))', context)), ['item', 4, 3, 9]);
});

test('the check of the class-keeping level sees what is wrong', () => {
  const faults = unreadable(`f(); function f(a = 1, ...b) { for (let i of [...b]) { b?.[i] ** 2; } }
    v = class V { x; #y = 1; async ['z']() {} in() {} }; f += \`\${f}\`; f += v; /[/]/; var { p } = f; q = q2; var q2 = 1; var q;
    (() => { y; z; var z; })(); (() => { w = 1; return w; var w; })(); function late() { return later; } var later;`);
  assert.ok(!faults.includes('later is used before it is there'));
  for (const what of Object.keys(UNREADABLE)) {
    if (what !== 'a logical assignment') assert.ok(faults.includes(what), `${what} is not seen: ${faults}`);
  }
  for (const it of ['f', 'q2', 'z', 'w']) assert.ok(faults.includes(`${it} is used before it is there`), it);
});

for (const target of ['espruino', 'es5', 'hermes', 'es2022'] as const) {
  test(`${target}: everything that an app may write does what it does elsewhere`, () => {
    const context = bareWorld(target);
    runInContext(bundles[target].code, context);
    assert.equal(runInContext("app.run({}, 'two', 'three')", context), EXPECTED);
  });
}

test('the class-keeping level has only what Espruino reads, each function before its use', async () => {
  assert.deepEqual(unreadable(bundles.espruino.code), []);
  assert.match(bundles.espruino.code, /\bclass\b/);
  assert.match(bundles.espruino.code, /=>/);
  for (const app of ['slice', 'whole']) {
    const { code } = await bundle({
      entry: join(root, `targets/bundler/apps/${app}.ts`),
      target: 'espruino',
      globalName: 'app',
    });
    assert.deepEqual(unreadable(code), [], app);
  }
});

test('the levels es5 and es2022 are what they are called', async () => {
  parse(bundles.es5.code, { ecmaVersion: 5 });
  for (const app of ['slice', 'whole']) {
    const entry = join(root, `targets/bundler/apps/${app}.ts`);
    for (const target of ['es5', 'duktape'] as const) {
      parse((await bundle({ entry, target, globalName: 'app' })).code, { ecmaVersion: 5, sourceType: 'script' });
    }
    const { code } = await bundle({ entry, target: 'es2022' });
    parse(code, { ecmaVersion: 2022, sourceType: 'module' });
    assert.match(code, /\bexport\s*\{/);
  }
});

test('a function that the host lacks is put in where the bundle uses it, and nowhere else', async () => {
  const text = 'export const run = () => [Object.hasOwn({ a: 1 }, "a"), new Uint8Array(2).fill(7)[1]].join()';
  for (const target of ['es5', 'duktape', 'espruino', 'es2022'] as const) {
    const context = bareWorld(target);
    const { code } = await bundleApp(target, text);
    runInContext(code, context);
    assert.equal(runInContext('app.run()', context), 'true,7', target);
    assert.equal(/hasOwnProperty/.test(code), target !== 'es2022', target);
    assert.equal(/prototype\.fill/.test(code), target === 'es5' || target === 'duktape', target);
    assert.doesNotMatch(code, /imul|padStart|Object\.assign/);
  }
});

test('every function that a host is said to lack has something to put in its place', () => {
  for (const [target, { lacks }] of Object.entries(HOSTS)) {
    for (const it of lacks) assert.ok(it in POLYFILLS, `${target}: ${it}`);
  }
});
