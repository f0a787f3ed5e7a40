// Short names change nothing that a program does, wherever its variables stand in each other's light.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { shortVariables } from '../../targets/bundler/output/short-variables.ts';
import { generate, readModule } from '../../targets/bundler/passes/pass.ts';

function short(text: string, options: Partial<Parameters<typeof shortVariables>[1]> = {}): string {
  const { tree } = readModule('a test', text);
  shortVariables(tree, { reserved: [], kept: 'result', shorthand: true, ...options });
  return generate(tree, { compact: true }).code;
}

/** What stands in `result` at the end, as text: the program runs in a world of its own. */
const outcome = (text: string): string => JSON.stringify(runInNewContext(`${text}\nresult`, { given: 7 }));

const PROGRAMS = {
  'functions within functions': `
    var one = 1; function add(first, second) { return first + second + one; }
    function outer(a) { var inner = function (b) { return add(a, b) + given; }; return inner(one); }
    var result = [outer(3), add(outer(1), 2)];`,
  'blocks, loops and closures of each turn': `
    var result = []; const calls = [];
    for (let index = 0; index < 3; index++) { let index2 = index * 2; { let index = 9; calls.push(() => index2 + index); } }
    for (const call of calls) result.push(call());
    for (var name in { x: 1, y: 2 }) result.push(name);`,
  'a name of its own for a function, a class and what is caught': `
    var result = (function self(count) { return count === 0 ? typeof self : self(count - 1); })(2);
    class Base { constructor(value) { this.value = value; } static make() { return new Base(1); } get twice() { return 2 * this.value; } }
    class Derived extends Base { constructor(value) { super(value); } }
    try { throw [Base.make().twice, new Derived(4).twice]; } catch (thrown) { var [first, second] = thrown; result = [result, first, second]; }`,
  'variables that are declared behind their use, and in blocks': `
    var result = (function (parameter) { seen = parameter; if (seen) { var seen; { let other = 2; var deep = other; } } return [seen, deep]; })(5);`,
  'patterns with defaults, and a rest': `
    function take({ a, b: renamed = 2, ...rest }, [first = a, ...others] = [undefined, 3]) { return { a, renamed, rest, first, others }; }
    let x, y; ({ x, y = 4 } = { x: 1 }); [x, y] = [y, x];
    var result = [take({ a: 1, c: 3 }), x, y, { x, y, given }];`,
  'labels, and globals with short names': `
    var t = 1; var e = 2; search: for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) { if (i + j === 3) break search; t += e; }
    var result = [t, e, typeof s, typeof n];`,
  'defaults of parameters that see other parameters': `
    const base = 10; const make = (size, start = size + base, read = () => start) => { let base = 1; return [size, start, read(), base]; };
    var result = [make(1), make(1, 2)];`,
};

for (const [name, text] of Object.entries(PROGRAMS)) {
  test(`${name} do the same`, () => {
    const made = short(text);
    assert.equal(outcome(made), outcome(text));
    assert.ok(made.length < short(text, { shorthand: false }).length + 1);
    assert.doesNotMatch(made, /\b(one|inner|index2|thrown|renamed|others|base)\b(?!:)/);
  });
}

test('a variable takes the name of the property that it comes from, where that is no longer', () => {
  assert.equal(
    short('function f(it) { const { q: quality } = it; return { q: quality }; }'),
    'function A(t){const{q}=t;return{q};}',
  );
  assert.equal(short('const far = ({ name: n }) => n;'), 'const A=({name:t})=>t;');
});

test('reserved names are not given, nor do globals lose theirs', () => {
  assert.equal(short('var first = 1; t(first, e);', { reserved: ['A', 'B'] }), 'var C=1;t(C,e);');
  assert.equal(short('function f(a) { return a + t; }'), 'function A(e){return e+t;}');
});

test('what could be looked for by its name keeps it', () => {
  assert.equal(short('function f(long) { return eval("long"); }'), 'function f(long){return eval("long");}');
});

test('imports and exports keep the names that others know', () => {
  const made = short('import { outside as inside } from "it"; const own = inside; export { own, inside as again };');
  assert.equal(made, 'import{outside as A}from"it";const B=A;export{B as own,A as again};');
});
