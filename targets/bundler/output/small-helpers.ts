// Puts small functions in place of Babel's helpers, which mind what no bundle asks for: symbols as keys, frozen classes, words
// for what is no class.

import { parseExpression } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import {
  type CallExpression,
  type File,
  type FunctionDeclaration,
  type FunctionExpression,
  identifier,
  memberExpression,
} from '@babel/types';
import { programOf } from '../passes/pass.ts';

/** In place of a helper's own function. What is static is copied: not every engine can set the prototype of a function. */
const SMALL: Readonly<Record<string, string>> = {
  inherits: `function (child, parent) {
    child.prototype = Object.create(parent.prototype); child.prototype.constructor = child;
    for (var name in parent) child[name] = parent[name]; }`,
  createClass: `function (type, own, fixed) {
    function define(target, list) { for (var i = 0; list && i < list.length; i++) {
      var it = list[i]; it.configurable = true; if ("value" in it) it.writable = true;
      Object.defineProperty(target, it.key, it); } }
    define(type.prototype, own); define(type, fixed); return type; }`,
  defineProperty: 'function (target, name, value) { target[name] = value; return target; }',
};

/** In place of a call of a helper: a function of the language, with so many of the arguments. */
const BUILT_IN: Readonly<Record<string, readonly [object: string, method: string, arguments: number]>> = {
  extends: ['Object', 'assign', Number.POSITIVE_INFINITY],
  arrayLikeToArray: ['Array', 'from', 1],
};

const expression = (text: string): FunctionExpression => parseExpression(text) as FunctionExpression;

/** @param helpers functions at the top of the bundle that Babel has put there */
export function smallHelpers(tree: File, helpers: ReadonlySet<string>): void {
  const program = programOf(tree);
  for (const name of helpers) {
    const binding = program.scope.getBinding(name);
    const helper = name.replace(/^_|\d+$/g, '');
    const small = SMALL[helper];
    const builtIn = BUILT_IN[helper];
    if (small && binding) {
      const { params, body } = expression(small);
      Object.assign(binding.path.node as FunctionDeclaration, { params, body });
    }
    for (const it of binding?.referencePaths ?? []) {
      const call = it.parentPath as NodePath<CallExpression>;
      if (!call.isCallExpression() || call.node.callee !== it.node) continue;
      if (builtIn) {
        call.node.callee = memberExpression(identifier(builtIn[0]), identifier(builtIn[1]));
        call.node.arguments.splice(builtIn[2]);
      } else if ((helper === 'createClass' && call.node.arguments.length === 1) || helper === 'assertThisInitialized') {
        call.replaceWith(call.node.arguments[0]!);
      }
    }
  }
  dropUnusedHelpers(tree, helpers);
}

/** Helpers call each other and themselves: what only a helper mentions is dropped, until nothing changes. */
function dropUnusedHelpers(tree: File, helpers: ReadonlySet<string>): void {
  const program = programOf(tree);
  for (const name of helpers) {
    const binding = program.scope.getBinding(name);
    if (!binding) continue;
    const uses = binding.referencePaths.filter((it) => !it.findParent((up) => up === binding.path));
    if (uses.length > 0) continue;
    binding.path.remove();
    return dropUnusedHelpers(tree, helpers);
  }
}
