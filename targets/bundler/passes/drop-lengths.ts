// Drops the reckoning of the Remaining Length: src/framing/check.ts has reckoned it, and the framing hands it in.

import { identifier } from '@babel/types';
import { isName, type Pass, programOf } from './pass.ts';

/** The third parameter of every function, whose options nobody gives, becomes the length that it would reckon. */
export const dropLengths: Pass = {
  name: 'drop-lengths',
  pattern: 'let length, length += ..., and the parameter opts',
  change(tree) {
    let changed = 0;
    const program = programOf(tree);
    program.traverse({
      ExpressionStatement(path) {
        const { expression } = path.node;
        if (expression.type !== 'AssignmentExpression' || !isName(expression.left, 'length')) return;
        path.remove();
        changed++;
      },
      VariableDeclarator(path) {
        if (!isName(path.node.id, 'length')) return;
        path.remove();
        changed++;
      },
      Identifier(path) {
        if (path.node.name !== 'opts') return;
        path.replaceWith(identifier('length'));
        changed++;
      },
    });
    return changed;
  },
};
