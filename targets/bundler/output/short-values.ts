// Shorter than terser knows: a variable that nobody sets for `void 0`, but not on a host that looks for variables by their names
// while it runs; and `1 / 0` for infinity.

import type { NodePath } from '@babel/traverse';
import {
  binaryExpression,
  type File,
  identifier,
  numericLiteral,
  type Statement,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import { isMember, programOf } from '../passes/pass.ts';

/** With fewer uses the variable costs more than it saves. */
const LEAST_USES = 8;

/** A script is one function, which is called at once: what its variables are declared in, else the module. */
function bodyOf({ node }: ReturnType<typeof programOf>): Statement[] {
  const [only, ...others] = node.body;
  const value = only?.type === 'VariableDeclaration' ? only.declarations[0]?.init : undefined;
  const call = only?.type === 'ExpressionStatement' ? only.expression : value;
  const negated = call?.type === 'UnaryExpression' ? call.argument : call;
  const callee = negated?.type === 'CallExpression' ? negated.callee : undefined;
  return others.length === 0 && callee?.type === 'FunctionExpression' ? callee.body.body : node.body;
}

export function shortUndefined(tree: File, kind: 'let' | 'var'): void {
  const program = programOf(tree);
  const uses: NodePath[] = [];
  program.traverse({
    UnaryExpression(path) {
      const { operator, argument } = path.node;
      if (operator === 'void' && argument.type === 'NumericLiteral') uses.push(path);
    },
  });
  if (uses.length < LEAST_USES) return;
  const declarator = variableDeclarator(identifier(program.scope.generateUid('undefined')));
  for (const it of uses) it.replaceWith(declarator.id);
  const body = bodyOf(program);
  const first = body.find((it) => it.type === 'VariableDeclaration' && it.kind === kind);
  if (first?.type === 'VariableDeclaration') first.declarations.unshift(declarator);
  else body.unshift(variableDeclaration(kind, [declarator]));
}

export function shortInfinity(tree: File): void {
  programOf(tree).traverse({
    MemberExpression(path) {
      if (!isMember(path.node, 'Number', 'POSITIVE_INFINITY') || path.scope.hasBinding('Number', true)) return;
      path.replaceWith(binaryExpression('/', numericLiteral(1), numericLiteral(0)));
    },
  });
}
