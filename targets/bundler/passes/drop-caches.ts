// Drops the caches of 65,536 numbers and of 16,384 lengths: a preloading host could not fill them, a small one not hold them.

import type { NodePath } from '@babel/traverse';
import { identifier } from '@babel/types';
import { isName, type Pass, programOf } from './pass.ts';

/** Of the writer: `cacheNumbers` goes, and every number is written as if it were false. */
export const dropCaches: Pass = {
  name: 'drop-caches',
  pattern: 'the caches of numbers and lengths',
  change(tree) {
    const program = programOf(tree);
    let dropped = 0;
    program.traverse({
      // if (toGenerate) generateCache()
      IfStatement(path) {
        if (!isName(path.node.test, 'toGenerate')) return;
        path.remove();
        dropped++;
      },
      // Object.defineProperty(generate, 'cacheNumbers', { get, set })
      ExpressionStatement(path) {
        const { expression } = path.node;
        if (expression.type !== 'CallExpression') return;
        const [target, name] = expression.arguments;
        if (!isName(target, 'generate') || name?.type !== 'StringLiteral' || name.value !== 'cacheNumbers') return;
        path.remove();
        dropped++;
      },
      VariableDeclarator(path) {
        // let writeNumber = writeNumberCached
        if (isName(path.node.id, 'writeNumber') && isName(path.node.init, 'writeNumberCached')) {
          path.node.init = identifier('writeNumberGenerated');
          dropped++;
        }
        // let buffer = varByteIntCache[num], and the statement after it that fills what is not there
        const init = path.node.init;
        if (init?.type !== 'MemberExpression' || !isName(init.object, 'varByteIntCache')) return;
        const statement = path.parentPath.getNextSibling();
        if (!statement.isIfStatement() || !statement.get('consequent').isBlockStatement()) return;
        const [fill] = statement.get('consequent.body') as NodePath[];
        if (!fill?.isExpressionStatement() || fill.node.expression.type !== 'AssignmentExpression') return;
        path.node.init = fill.node.expression.right;
        statement.remove();
        dropped++;
      },
    });
    return dropped;
  },
};

/** Of numbers.js: whether subarray of a Buffer is a Buffer is a question about Node 6. */
export const dropOldNode: Pass = {
  name: 'drop-old-node',
  pattern: 'SubOk ? ... : ...',
  change(tree) {
    let dropped = 0;
    programOf(tree).traverse({
      ConditionalExpression(path) {
        if (!isName(path.node.test, 'SubOk')) return;
        path.replaceWith(path.node.consequent);
        dropped++;
      },
    });
    return dropped;
  },
};
