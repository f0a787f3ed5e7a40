// Makes constants of a module's variables that never change. A host that runs the bodies of modules on the build machine keeps
// a constant in flash, and a place in memory for what may change; esbuild writes `var` for both.

import { type File, type Statement, type VariableDeclaration, variableDeclaration } from '@babel/types';
import { programOf } from '../passes/pass.ts';

export function makeConstants(tree: File): void {
  const { node, scope } = programOf(tree);
  const isConstant = ({ id, init }: VariableDeclaration['declarations'][number]): boolean =>
    id.type === 'Identifier' && !!init && scope.getBinding(id.name)!.constantViolations.length === 0;
  const split = (it: Statement): Statement[] =>
    it.type === 'VariableDeclaration' && it.kind !== 'const'
      ? it.declarations.map((one) => variableDeclaration(isConstant(one) ? 'const' : it.kind, [one]))
      : [it];
  node.body = node.body.flatMap(split);
}
