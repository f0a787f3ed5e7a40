// Declares variables before they are used: Espruino knows a variable only once it has met its `var`, and sets one of the same
// name further out until then. Terser, which puts functions into one another, declares behind the use.

import type { NodePath } from '@babel/traverse';
import {
  type File,
  type Function as FunctionNode,
  identifier,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import { programOf } from '../passes/pass.ts';

/** Names of variables of a function that stand in its text before their `var`. */
export function usedBeforeVar({ scope }: NodePath): string[] {
  return Object.values(scope.bindings).flatMap(({ kind, identifier: own, referencePaths, constantViolations }) => {
    if (kind !== 'var') return [];
    const uses = [...referencePaths, ...constantViolations].filter(({ node }) => node !== own);
    return uses.some(({ node }) => node.start! < own.start!) ? [own.name] : [];
  });
}

export function declareFirst(tree: File): void {
  programOf(tree).traverse({
    Function(path: NodePath<FunctionNode>) {
      const { body } = path.node;
      if (body.type !== 'BlockStatement') return;
      const names = usedBeforeVar(path);
      if (names.length === 0) return;
      path.traverse({
        VariableDeclaration(it) {
          const { node } = it;
          if (node.kind !== 'var' || it.getFunctionParent() !== path || it.parentPath.isFor()) return;
          node.declarations = node.declarations.filter(
            ({ id, init }) => init || id.type !== 'Identifier' || !names.includes(id.name),
          );
          if (node.declarations.length === 0) it.remove();
        },
      });
      body.body.unshift(
        variableDeclaration(
          'var',
          names.map((it) => variableDeclarator(identifier(it))),
        ),
      );
    },
  });
}
