// Freezes the lists and records in constants of a module, also those within one another: a host that keeps modules in flash
// keeps a place in memory for each that is not frozen.

import type { NodePath } from '@babel/traverse';
import { callExpression, type Expression, identifier, memberExpression } from '@babel/types';
import { isName, type Module, programOf } from './pass.ts';

const isFrozen = ({ parent }: NodePath<Expression>): boolean =>
  parent.type === 'CallExpression' &&
  parent.callee.type === 'MemberExpression' &&
  isName(parent.callee.object, 'Object') &&
  isName(parent.callee.property, 'freeze');

/** @returns how many it froze */
export function freezeLiterals({ tree }: Module): number {
  let frozen = 0;
  const freeze = (path: NodePath<Expression>): void => {
    if (isFrozen(path)) return;
    const callee = memberExpression(identifier('Object'), identifier('freeze'));
    path.replaceWith(callExpression(callee, [path.node]));
    path.skip();
    frozen++;
  };
  const program = programOf(tree);
  for (const statement of program.get('body')) {
    const path = statement.isExportNamedDeclaration() ? statement.get('declaration') : statement;
    if (Array.isArray(path) || !path.isVariableDeclaration({ kind: 'const' })) continue;
    path.traverse({
      Function: (it) => it.skip(),
      Class: (it) => it.skip(),
      ArrayExpression: { exit: freeze },
      ObjectExpression: { exit: freeze },
    });
  }
  return frozen;
}
