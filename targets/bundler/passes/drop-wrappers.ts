// Calls a function itself where another one does nothing but hand its parameters on.

import type { Binding, NodePath } from '@babel/traverse';
import { identifier, type Node } from '@babel/types';
import { type Pass, programOf } from './pass.ts';

const nameOf = (node: Node | null | undefined): string | undefined =>
  node?.type === 'Identifier' ? node.name : undefined;

/** The function that this one hands all its parameters on to, in their order: `function f(a, b) { return g(a, b) }`. */
function wrapped(path: NodePath): string | undefined {
  if (path.isVariableDeclarator()) return nameOf(path.node.init); // let f = g
  if (!path.isFunctionDeclaration()) return undefined;
  const [only, more] = path.node.body.body;
  if (only?.type !== 'ReturnStatement' || more || only.argument?.type !== 'CallExpression') return undefined;
  const { callee, arguments: given } = only.argument;
  const same =
    path.node.params.length === given.length && path.node.params.every((it, i) => nameOf(it) === nameOf(given[i]));
  return same ? nameOf(callee) : undefined;
}

const isFunction = (binding: Binding | undefined): boolean =>
  binding !== undefined && (binding.path.isFunctionDeclaration() || binding.path.isVariableDeclarator());

export const dropWrappers: Pass = {
  name: 'drop-wrappers',
  pattern: 'functions that are another one',
  change(tree) {
    let dropped = 0;
    for (let last = -1; last !== dropped; ) {
      last = dropped;
      const { scope } = programOf(tree);
      for (const { path, constant, referencePaths } of Object.values(scope.bindings)) {
        const name = constant ? wrapped(path) : undefined;
        if (name === undefined || !isFunction(scope.getBinding(name))) continue;
        for (const use of referencePaths) use.replaceWith(identifier(name));
        path.remove();
        dropped++;
        break; // What is known of the others is stale.
      }
    }
    return dropped;
  },
};
