// What a pass is: one small change to the syntax tree of a module whose exact text is known, counted.

import { createRequire } from 'node:module';
import { type ParserPlugin, parse } from '@babel/parser';
import babelTraverse, { type NodePath } from '@babel/traverse';
import type { File, Node, Program } from '@babel/types';

export const traverse = babelTraverse.default; // A CommonJS module: its default export is all of it.

const require = createRequire(import.meta.url);
/** The package has its function as `default`, and types that say otherwise. */
export const generate: typeof import('@babel/generator').generate = require('@babel/generator').default;

export interface Module {
  /** Package and file, for messages: `mqtt-packet/parser.js`. */
  readonly name: string;
  readonly tree: File;
  /** What the tree was read from. */
  readonly text: string;
}

/** Changes the tree and says how many times it did. */
export type Change = (tree: File, module: Module) => number;

export interface Pass {
  readonly name: string;
  /** What is looked for, for the message when it is not there. */
  readonly pattern: string;
  readonly change: Change;
}

export function readModule(name: string, text: string, plugins: ParserPlugin[] = []): Module {
  return { name, text, tree: parse(text, { sourceType: 'unambiguous', plugins }) };
}

/** A module's text as it is now, with a source map to what it was read from. @param file how the map calls that */
export function print({ tree, text }: Module, file: string, comments = true): string {
  const options = { comments, sourceMaps: true, sourceFileName: file };
  const { code, map } = generate(tree, options, text);
  const encoded = Buffer.from(JSON.stringify(map)).toString('base64');
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}`;
}

/** @param expected how many places the pass has to find: the text is that of a pinned version */
export function run(pass: Pass, module: Module, expected: number): void {
  const found = pass.change(module.tree, module);
  if (found === expected) return;
  throw new Error(
    `mqtt-mote bundler: pass ${pass.name} looked for ${pass.pattern} in ${module.name}: expected ${expected}, found ${found}`,
  );
}

/** The program with its bindings as they are now. Trees are changed by hand, so that what Babel remembers is stale. */
export function programOf(tree: File): NodePath<Program> {
  let found: NodePath<Program> | undefined;
  traverse.cache.clear();
  traverse(tree, {
    Program(path) {
      found = path;
      path.stop();
    },
  });
  found!.scope.crawl();
  return found!;
}

/** `object.property`, not computed. */
export function isMember(node: Node | null | undefined, object: string, property?: string): boolean {
  if (node?.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return false;
  if (property !== undefined && node.property.name !== property) return false;
  return object === 'this' ? node.object.type === 'ThisExpression' : isName(node.object, object);
}

export const isName = (node: Node | null | undefined, name: string): boolean =>
  node?.type === 'Identifier' && node.name === name;

/** The name that is required in `require('name')`, else undefined. */
export function required(node: Node | null | undefined): string | undefined {
  if (node?.type !== 'CallExpression' || !isName(node.callee, 'require')) return undefined;
  const [name] = node.arguments;
  return name?.type === 'StringLiteral' ? name.value : undefined;
}
