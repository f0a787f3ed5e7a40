// Compiles a bundle to the language level of its host.

import { createRequire } from 'node:module';
import { type TransformOptions, transformFromAstSync } from '@babel/core';
import type { NodePath } from '@babel/traverse';
import {
  arrayExpression,
  type ClassMethod,
  callExpression,
  type Expression,
  type File,
  identifier,
  memberExpression,
  type Node,
  type ObjectMethod,
  type ObjectProperty,
  type SpreadElement,
} from '@babel/types';
import type { Host } from '../hosts.ts';
import { isName, programOf, traverse } from '../passes/pass.ts';
import { plainClasses } from './plain-classes.ts';
import { smallClasses } from './small-classes.ts';
import { smallHelpers } from './small-helpers.ts';

/** By its path: it has no types, and Babel would look for its name beside the app. */
const PRESET = createRequire(import.meta.url).resolve('@babel/preset-env');

/** What the code of the package and a plain app do not do, so that it need not be compiled for. */
const ASSUMPTIONS: NonNullable<TransformOptions['assumptions']> = {
  constantReexports: true,
  constantSuper: true,
  enumerableModuleMeta: true,
  ignoreFunctionLength: true,
  ignoreToPrimitiveHint: true,
  iterableIsArray: true,
  mutableTemplateObject: true,
  noClassCalls: true,
  noDocumentAll: true,
  noNewArrows: true,
  objectRestNoSymbols: true,
  privateFieldsAsProperties: true,
  pureGetters: true,
  setClassMethods: true,
  setComputedProperties: true,
  setPublicClassFields: true,
  setSpreadProperties: true,
  skipForOfIteratorClosing: true,
  superIsCallableConstructor: true,
};

/** Names that nobody reads, and a helper for the symbols of hosts that have none. */
const NEVER = ['transform-function-name', 'transform-typeof-symbol'];

/** All that a host of level `functions` needs. */
const FOR_FUNCTIONS = [
  'transform-block-scoping',
  'transform-class-properties',
  'transform-class-static-block',
  'transform-classes',
  'transform-private-methods',
  'transform-private-property-in-object',
];

/** What a host that keeps classes reads as it is. */
const KEPT_WITH_CLASSES = [
  'transform-arrow-functions',
  'transform-classes',
  'transform-for-of',
  'transform-nullish-coalescing-operator',
  'transform-private-methods',
  'transform-private-property-in-object',
];

/** Moves functions to the front of their block: a host of level `classes` knows a function only after it has seen it. */
function hoistFunctions(tree: File): void {
  const hoist = (block: { body: { type: string }[] }): void => {
    const isFunction = (it: { type: string }): boolean => it.type === 'FunctionDeclaration';
    block.body = [...block.body.filter(isFunction), ...block.body.filter((it) => !isFunction(it))];
  };
  const program = programOf(tree);
  hoist(program.node);
  program.traverse({ BlockStatement: ({ node }) => hoist(node) });
}

/** Drops members whose name is a symbol: on a host without symbols nobody can ask for them. */
function dropSymbols(tree: File): void {
  const drop = (path: NodePath<ClassMethod> | NodePath<ObjectMethod> | NodePath<ObjectProperty>): void => {
    const { key, computed } = path.node;
    if (computed && key.type === 'MemberExpression' && isName(key.object, 'Symbol')) path.remove();
  };
  programOf(tree).traverse({ ClassMethod: drop, ObjectMethod: drop, ObjectProperty: drop });
}

const isSpread = (it: Node | null): it is SpreadElement => it?.type === 'SpreadElement';

/**
 * Puts lists together from copies of what is spread in them: without iterators a text or a typed array could not be told
 * from a value. `[a, ...b, c]` becomes `[a].concat(Array.from(b), [c])`.
 */
function copySpread(tree: File): void {
  const copy = (it: Expression): Expression =>
    callExpression(memberExpression(identifier('Array'), identifier('from')), [it]);
  programOf(tree).traverse({
    ArrayExpression(path) {
      const { elements } = path.node;
      if (!elements.some(isSpread)) return;
      const parts: Expression[] = [];
      for (const it of elements) {
        const last = parts.at(-1);
        if (isSpread(it)) parts.push(copy(it.argument));
        else if (last?.type === 'ArrayExpression') last.elements.push(it);
        else parts.push(arrayExpression([it]));
      }
      const [first, ...others] = parts as [Expression, ...Expression[]];
      path.replaceWith(
        others.length === 0 ? first : callExpression(memberExpression(first, identifier('concat')), others),
      );
    },
  });
}

/** Names of the functions at the top of a module. */
const functionsOf = ({ program }: File): Set<string> =>
  new Set(program.body.flatMap((it) => (it.type === 'FunctionDeclaration' && it.id ? [it.id.name] : [])));

/** @returns the tree, compiled to the level of the host */
export function compile(tree: File, text: string, { level, without }: Host): File {
  if (without.includes('Symbol')) dropSymbols(tree);
  if (level === 'es2022') return tree;
  if (level !== 'functions') copySpread(tree);
  if (level === 'classes') plainClasses(tree);
  if (level === 'es5') smallClasses(tree);
  const exclude = level === 'classes' ? [...NEVER, ...KEPT_WITH_CLASSES] : NEVER;
  const work = level === 'functions' ? { include: FOR_FUNCTIONS } : { forceAllTransforms: true, exclude };
  const options = { ast: true, code: false, configFile: false, babelrc: false, compact: false, cloneInputAst: false };
  const own = functionsOf(tree);
  traverse.cache.clear(); // Paths that were made without Babel's core know none of its helpers.
  const result = transformFromAstSync(tree, text, {
    ...options,
    assumptions: { ...ASSUMPTIONS, iterableIsArray: level !== 'functions' },
    targets: 'node 20',
    presets: [[PRESET, { modules: false, ...work }]],
  });
  const compiled = result!.ast!;
  smallHelpers(compiled, new Set([...functionsOf(compiled)].filter((it) => !own.has(it))));
  if (level === 'classes') hoistFunctions(compiled);
  return compiled;
}
