// Drops what nothing refers to any more: methods, functions, variables and imports.

import type { Scope } from '@babel/traverse';
import type { File } from '@babel/types';
import { type Pass, programOf } from './pass.ts';

/** Methods of the parser that the framing calls. */
const CALLED_FROM_OUTSIDE: readonly string[] = ['parse'];

/** Every word that is used as a property or stands in a string. */
function mentioned(tree: File): Set<string> {
  const names = new Set(CALLED_FROM_OUTSIDE);
  programOf(tree).traverse({
    MemberExpression({ node }) {
      if (node.property.type === 'Identifier') names.add(node.property.name);
    },
    StringLiteral({ node }) {
      names.add(node.value);
    },
  });
  return names;
}

function dropMethods(tree: File): number {
  const names = mentioned(tree);
  let dropped = 0;
  programOf(tree).traverse({
    ClassMethod(path) {
      const { key, kind } = path.node;
      if (kind !== 'method' || key.type !== 'Identifier' || names.has(key.name)) return;
      path.remove();
      dropped++;
    },
  });
  return dropped;
}

function dropBindings(tree: File): number {
  const scopes = new Set<Scope>();
  const program = programOf(tree);
  scopes.add(program.scope);
  program.traverse({ Scope: (path) => void scopes.add(path.scope) });
  let dropped = 0;
  for (const scope of scopes) {
    for (const { identifier, referenced, path, constantViolations } of Object.values(scope.bindings)) {
      if (referenced || !(path.isVariableDeclarator() || path.isFunctionDeclaration() || path.isClassDeclaration())) {
        continue;
      }
      // Values that were only ever assigned go with their variable.
      if (!constantViolations.every((it) => it.parentPath?.isExpressionStatement())) continue;
      for (const it of constantViolations) it.remove();
      if (path.isVariableDeclarator() && path.node.id.type === 'ObjectPattern') {
        const pattern = path.node.id;
        pattern.properties = pattern.properties.filter((it) => it.type !== 'ObjectProperty' || it.value !== identifier);
        if (pattern.properties.length === 0) path.remove();
      } else {
        path.remove();
      }
      dropped++;
    }
  }
  return dropped;
}

function untilNoneIsLeft(name: string, pattern: string, drop: (tree: File) => number): Pass {
  return {
    name,
    pattern,
    change(tree) {
      let dropped = 0;
      for (let last = -1; last !== dropped; ) {
        last = dropped;
        dropped += drop(tree);
      }
      return dropped;
    },
  };
}

export const dropUnused: Pass = untilNoneIsLeft(
  'drop-unused',
  'methods, functions and variables without a use',
  (tree) => dropMethods(tree) + dropBindings(tree),
);

/** Where methods are called from other modules. */
export const dropUnusedBindings: Pass = untilNoneIsLeft(
  'drop-unused-bindings',
  'functions, classes and variables without a use',
  dropBindings,
);
