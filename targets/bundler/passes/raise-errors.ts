// Has a function throw what src makes in the same statement: `if (is) throw mqttError(...)` becomes `if (is) raise(mqttError(...))`,
// which minifies to an expression.

import {
  callExpression,
  expressionStatement,
  identifier,
  importDeclaration,
  importSpecifier,
  stringLiteral,
} from '@babel/types';
import { type Module, programOf } from './pass.ts';

/** @param from the module with raise() @returns how many statements it has replaced */
export function raiseErrors(module: Module, from: string): number {
  const program = programOf(module.tree);
  const name = program.scope.generateUid('raise');
  let count = 0;
  program.traverse({
    ThrowStatement(path) {
      const { argument } = path.node;
      if (argument.type !== 'CallExpression') return;
      path.replaceWith(expressionStatement(callExpression(identifier(name), [argument])));
      count++;
    },
  });
  if (count > 0) {
    const specifier = importSpecifier(identifier(name), identifier('raise'));
    program.node.body.unshift(importDeclaration([specifier], stringLiteral(from)));
  }
  return count;
}
