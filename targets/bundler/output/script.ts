// Makes a script of a module: one function around all, whose exports become one global variable, and whose imports of what
// the host brings itself become calls of its require().

import {
  blockStatement,
  callExpression,
  cloneNode,
  type Directive,
  directive,
  directiveLiteral,
  type ExportNamedDeclaration,
  type Expression,
  expressionStatement,
  type File,
  functionExpression,
  type ImportDeclaration,
  identifier,
  isValidES3Identifier,
  memberExpression,
  objectExpression,
  objectProperty,
  returnStatement,
  type Statement,
  stringLiteral,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import { isName, programOf } from '../passes/pass.ts';

const key = (name: string): Expression => (isValidES3Identifier(name) ? identifier(name) : stringLiteral(name));

const nameOf = (node: { type: string; name?: string; value?: string }): string => node.name ?? node.value!;

/** `import net from 'net'` and its like. */
function requires({ source, specifiers }: ImportDeclaration): Statement[] {
  const call = () => callExpression(identifier('require'), [stringLiteral(source.value)]);
  if (specifiers.length === 0) return [expressionStatement(call())];
  return specifiers.map((it) => {
    const whole = it.type !== 'ImportSpecifier' || nameOf(it.imported) === 'default';
    const value = whole ? call() : memberExpression(call(), identifier(nameOf(it.imported)));
    return variableDeclaration('var', [variableDeclarator(identifier(it.local.name), value)]);
  });
}

const exported = ({ specifiers }: ExportNamedDeclaration) =>
  specifiers.map((it) => {
    if (it.type !== 'ExportSpecifier') throw new Error('mqtt-mote bundler: a script cannot export a namespace');
    return objectProperty(key(nameOf(it.exported)), cloneNode(it.local));
  });

/** Drops the function by which esbuild looks for a require(): a host that brings modules has one. */
export function hostRequire(tree: File): void {
  programOf(tree).traverse({
    VariableDeclarator(path) {
      if (isName(path.node.id, '__require')) path.remove();
    },
    Identifier(path) {
      if (path.node.name === '__require') path.node.name = 'require';
    },
  });
}

/**
 * @param globalName the variable that gets the exports; without it they are left out
 * @param wrap whether all goes into a function, and nothing else into the global scope
 */
export function makeScript(tree: File, globalName: string | undefined, wrap: boolean): void {
  const body: Statement[] = [];
  const results: ReturnType<typeof exported> = [];
  let whole: Expression | undefined;
  for (const node of tree.program.body) {
    if (node.type === 'ImportDeclaration') body.unshift(...requires(node));
    else if (node.type === 'ExportNamedDeclaration' && !node.declaration && !node.source)
      results.push(...exported(node));
    else if (node.type === 'ExportDefaultDeclaration') {
      whole = node.declaration as Expression; // An app in CommonJS: its one export is all of it.
    } else if (node.type.startsWith('Export')) {
      throw new Error('mqtt-mote bundler: a script cannot export what a module of the host exports');
    } else body.push(node);
  }
  const hasResult = globalName !== undefined && (whole !== undefined || results.length > 0);
  const value = whole ?? objectExpression(results);
  if (whole && !hasResult) body.push(expressionStatement(whole));
  tree.program.directives = [];
  tree.program.sourceType = 'script';
  if (!wrap) {
    const result = variableDeclarator(identifier(globalName ?? ''), value);
    tree.program.body = hasResult ? [...body, variableDeclaration('var', [result])] : body;
    return;
  }
  if (hasResult) body.push(returnStatement(value));
  const directives: Directive[] = [directive(directiveLiteral('use strict'))];
  const call = callExpression(functionExpression(null, [], blockStatement(body, directives)), []);
  tree.program.body = [
    hasResult
      ? variableDeclaration('var', [variableDeclarator(identifier(globalName), call)])
      : expressionStatement(call),
  ];
}
