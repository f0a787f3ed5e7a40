// Compiles a bundle to the language level of its host.

import { createRequire } from 'node:module';
import { type TransformOptions, transformFromAstSync } from '@babel/core';
import type { NodePath } from '@babel/traverse';
import {
  type ClassMethod,
  callExpression,
  type File,
  identifier,
  memberExpression,
  type ObjectMethod,
  type ObjectProperty,
} from '@babel/types';
import type { Host } from '../hosts.ts';
import { isName, programOf, traverse } from '../passes/pass.ts';
import { plainClasses } from './plain-classes.ts';

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
  'transform-template-literals',
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

/** Copies what is spread in a list: without iterators a text or typed array could not be told from a value. */
function copySpread(tree: File): void {
  programOf(tree).traverse({
    ArrayExpression(path) {
      for (const it of path.node.elements) {
        if (it?.type !== 'SpreadElement') continue;
        it.argument = callExpression(memberExpression(identifier('Array'), identifier('from')), [it.argument]);
      }
      const [only] = path.node.elements;
      if (path.node.elements.length === 1 && only?.type === 'SpreadElement') path.replaceWith(only.argument);
    },
  });
}

/** @returns the tree, compiled to the level of the host */
export function compile(tree: File, text: string, { level, without }: Host): File {
  if (without.includes('Symbol')) dropSymbols(tree);
  if (level === 'es2022') return tree;
  if (level !== 'functions') copySpread(tree);
  if (level === 'classes') plainClasses(tree);
  const exclude = level === 'classes' ? [...NEVER, ...KEPT_WITH_CLASSES] : NEVER;
  const work = level === 'functions' ? { include: FOR_FUNCTIONS } : { forceAllTransforms: true, exclude };
  const options = { ast: true, code: false, configFile: false, babelrc: false, compact: false, cloneInputAst: false };
  traverse.cache.clear(); // Paths that were made without Babel's core know none of its helpers.
  const result = transformFromAstSync(tree, text, {
    ...options,
    assumptions: { ...ASSUMPTIONS, iterableIsArray: level !== 'functions' },
    targets: 'node 20',
    presets: [[PRESET, { modules: false, ...work }]],
  });
  const compiled = result!.ast!;
  if (level === 'classes') hoistFunctions(compiled);
  return compiled;
}
