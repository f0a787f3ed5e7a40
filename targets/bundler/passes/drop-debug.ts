// Drops debug(...): its arguments alone are a tenth of mqtt-packet.

import { isName, type Pass, programOf, required } from './pass.ts';

export const dropDebug: Pass = {
  name: 'drop-debug',
  pattern: 'debug()',
  change(tree) {
    let dropped = 0;
    programOf(tree).traverse({
      ExpressionStatement(path) {
        const { expression } = path.node;
        if (expression.type !== 'CallExpression' || !isName(expression.callee, 'debug')) return;
        path.remove();
        dropped++;
      },
      VariableDeclaration(path) {
        const init = path.node.declarations[0]?.init;
        if (init?.type !== 'CallExpression' || required(init.callee) !== 'debug') return;
        path.remove();
        dropped++;
      },
    });
    return dropped;
  },
};
