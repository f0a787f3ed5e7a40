// Makes noble's module-level scratch buffers when they are first used: on a preloading host module scope lies in ROM.

import {
  assignmentExpression,
  type ClassMethod,
  expressionStatement,
  type Identifier,
  identifier,
  type NewExpression,
} from '@babel/types';
import { type Pass, programOf } from './pass.ts';

const isTypedArray = (node: NewExpression): boolean =>
  node.callee.type === 'Identifier' && /^(Uint8|Uint32)Array$/.test(node.callee.name);

export const lazyScratch: Pass = {
  name: 'lazy-scratch',
  pattern: 'module-level `const X = new Uint32Array(n)`, filled in a method process()',
  change(tree) {
    const program = programOf(tree);
    let changed = 0;
    for (const statement of program.get('body')) {
      if (!statement.isVariableDeclaration()) continue;
      const [declaration] = statement.node.declarations;
      const init = declaration?.init;
      if (init?.type !== 'NewExpression' || !isTypedArray(init)) continue;
      const { name } = declaration!.id as Identifier;
      // Every other method that touches the buffer runs after process().
      const uses = program.scope.getBinding(name)!.referencePaths.map((it) => it.getFunctionParent()!);
      const fillers = new Set(
        uses.filter((it) => it.isClassMethod() && (it.node.key as Identifier).name === 'process').map((it) => it.node),
      );
      if (fillers.size !== 1) continue;
      const [filler] = fillers as Set<ClassMethod>;
      filler!.body.body.unshift(expressionStatement(assignmentExpression('||=', identifier(name), init)));
      declaration!.init = null;
      statement.node.kind = 'let';
      changed++;
    }
    return changed;
  },
};
