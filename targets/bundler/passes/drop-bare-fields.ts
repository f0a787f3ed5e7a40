// Drops fields without a value from src's classes: every constructor assigns them, and some small engines cannot read them.

import type { ClassDeclaration } from '@babel/types';
import type { Module } from './pass.ts';

/** The names that a constructor assigns by `this.name = ...` among its own statements. */
function assigned(path: ClassDeclaration): Set<string> {
  const names = new Set<string>();
  for (const member of path.body.body) {
    if (member.type !== 'ClassMethod' || member.kind !== 'constructor') continue;
    for (const statement of member.body.body) {
      if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue;
      const { left } = statement.expression;
      if (left.type !== 'MemberExpression' || left.object.type !== 'ThisExpression' || left.computed) continue;
      if (left.property.type === 'Identifier') names.add(left.property.name);
    }
  }
  return names;
}

/** Leaves those that no constructor assigns for certain. */
export function dropBareFields({ tree }: Module): void {
  for (const node of tree.program.body) {
    const it = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (it?.type !== 'ClassDeclaration') continue;
    const names = assigned(it);
    it.body.body = it.body.body.filter((member) => {
      if (member.type !== 'ClassProperty' || member.value || member.static || member.key.type !== 'Identifier')
        return true;
      return !names.has(member.key.name);
    });
  }
}
