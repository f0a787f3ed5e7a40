// Drops what other passes have left empty: loops, branches, and what is returned to nobody.

import { type Pass, programOf } from './pass.ts';

const isEmpty = (node: { type: string; body?: unknown } | null | undefined): boolean =>
  !node || (node.type === 'BlockStatement' && (node.body as unknown[]).length === 0);

/** Loops and branches without a body. Their conditions do nothing. */
export const dropEmpty: Pass = {
  name: 'drop-empty',
  pattern: 'loops and branches without a body',
  change(tree) {
    let dropped = 0;
    programOf(tree).traverse({
      ForStatement: {
        exit(path) {
          if (!isEmpty(path.node.body)) return;
          path.remove();
          dropped++;
        },
      },
      IfStatement: {
        exit(path) {
          if (!isEmpty(path.node.consequent) || !isEmpty(path.node.alternate)) return;
          path.remove();
          dropped++;
        },
      },
    });
    return dropped;
  },
};

/** `return true` and `return result` where nobody asks whether the stream is full. */
export const dropResults: Pass = {
  name: 'drop-results',
  pattern: 'return true, return result',
  change(tree) {
    let dropped = 0;
    programOf(tree).traverse({
      ReturnStatement(path) {
        const { argument } = path.node;
        if (argument?.type === 'BooleanLiteral' || (argument?.type === 'Identifier' && argument.name === 'result')) {
          path.remove();
          dropped++;
        }
      },
      // result = stream.write(...)
      AssignmentExpression(path) {
        const { left, right } = path.node;
        if (left.type !== 'Identifier' || left.name !== 'result' || !path.parentPath.isExpressionStatement()) return;
        path.replaceWith(right);
        dropped++;
      },
    });
    return dropped;
  },
};
