// Drops what refuses a packet: the framing has looked at every one before, by src/framing/check.ts or guard.ts.

import type { NodePath } from '@babel/traverse';
import { type Expression, expressionStatement, type IfStatement, type Node, type Statement } from '@babel/types';
import { type Pass, programOf } from './pass.ts';

/** `holder.report(...)` or `this.report(...)`. */
function reports(node: Node | null | undefined, report: string): boolean {
  if (node?.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return false;
  return node.callee.property.type === 'Identifier' && node.callee.property.name === report;
}

/** What a function gives back that has refused: nothing, null, false or -1. */
function isNothing(node: Expression | null | undefined): boolean {
  if (!node || node.type === 'NullLiteral') return true;
  if (node.type === 'BooleanLiteral') return !node.value;
  return node.type === 'UnaryExpression' && node.operator === '-' && node.argument.type === 'NumericLiteral';
}

const statementsOf = (node: Statement): readonly Statement[] => (node.type === 'BlockStatement' ? node.body : [node]);

/** Whether these report an error and do nothing else. */
const refusesAll = (body: readonly Statement[], report: string): boolean =>
  body.every((it) =>
    it.type === 'ReturnStatement'
      ? isNothing(it.argument) || reports(it.argument, report)
      : it.type === 'ExpressionStatement' && reports(it.expression, report),
  );

/** Whether this reports an error, if anything, and returns. */
function refuses(node: Statement | null | undefined, report: string): boolean {
  if (!node) return false;
  const body = statementsOf(node);
  return body.at(-1)?.type === 'ReturnStatement' && refusesAll(body, report);
}

/** The call in `!call()`, which has to be made all the same. */
function callIn(test: Expression): Expression | undefined {
  return test.type === 'UnaryExpression' && test.argument.type === 'CallExpression' ? test.argument : undefined;
}

/** @param report the method that tells of an error: `_emitError` of the parser, `destroy` of the writer's stream */
export function dropRefusals(report: string): Pass {
  return {
    name: 'drop-refusals',
    pattern: `if (...) { ...${report}(...); return }`,
    change(tree) {
      let dropped = 0;
      const look = (path: NodePath<IfStatement>): void => {
        const { test, consequent, alternate } = path.node;
        if (refuses(alternate, report)) {
          path.node.alternate = null;
          path.replaceWithMultiple([...statementsOf(consequent)]);
        } else if (!refuses(consequent, report)) {
          return;
        } else if (alternate) {
          path.replaceWithMultiple([...statementsOf(alternate)]);
        } else {
          const call = callIn(test);
          if (call) path.replaceWith(expressionStatement(call));
          else path.remove();
        }
        dropped++;
      };
      programOf(tree).traverse({
        IfStatement: { exit: look },
        SwitchCase(path) {
          const { test, consequent } = path.node;
          if (test || !refusesAll(consequent, report)) return;
          path.remove();
          dropped++;
        },
      });
      return dropped;
    },
  };
}
