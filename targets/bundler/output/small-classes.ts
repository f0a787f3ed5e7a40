// Classes as a host of level `es5` reads them, where they need no more than constructor, fields and methods: a function, and an
// object with what its objects share. Babel would write `it.name = function` for every method, and a function around each class.
// Classes that need more are left to it.

import { parse } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import {
  assignmentExpression,
  blockStatement,
  type CallExpression,
  type Class,
  type ClassBody,
  type ClassMethod,
  type ClassProperty,
  callExpression,
  type Expression,
  expressionStatement,
  type File,
  type FunctionDeclaration,
  functionExpression,
  identifier,
  memberExpression,
  objectExpression,
  objectProperty,
  type Statement,
  thisExpression,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import { programOf } from '../passes/pass.ts';

type Params = FunctionDeclaration['params'];

/** In place of `class`. */
const MAKE_CLASS = `function makeClass(type, methods, parent) {
  if (parent) { type.prototype = Object.create(parent.prototype); type.prototype.constructor = type; }
  for (var name in methods) type.prototype[name] = methods[name];
  return type; }`;

const isMethod = (it: ClassBody['body'][number]): it is ClassMethod =>
  it.type === 'ClassMethod' && !it.static && !it.computed && !it.generator && !it.async && it.key.type === 'Identifier';

const isField = (it: ClassBody['body'][number]): it is ClassProperty =>
  it.type === 'ClassProperty' && !it.static && !it.computed && it.key.type === 'Identifier';

/** `super(...)` as a statement of its own. */
const isSuperCall = (it: Statement): boolean =>
  it.type === 'ExpressionStatement' && it.expression.type === 'CallExpression' && it.expression.callee.type === 'Super';

const constructorOf = ({ body }: Class): ClassMethod | undefined =>
  body.body.find((it): it is ClassMethod => it.type === 'ClassMethod' && it.kind === 'constructor');

/** esbuild joins `super(...)` and what follows it with commas: statements again. */
function splitSequences(own: ClassMethod): void {
  own.body.body = own.body.body.flatMap((it): Statement[] =>
    it.type === 'ExpressionStatement' && it.expression.type === 'SequenceExpression'
      ? it.expression.expressions.map((part) => expressionStatement(part))
      : [it],
  );
}

/** Whether a class is no more than constructor, fields and methods. What it extends is looked at elsewhere. */
function isSmall(path: NodePath<Class>): boolean {
  const { id, body, superClass } = path.node;
  if (id && path.isClassExpression()) return false;
  if (superClass && superClass.type !== 'Identifier') return false;
  const plain = body.body.every(
    (it) => isField(it) || (isMethod(it) && (it.kind === 'method' || it.kind === 'constructor')),
  );
  if (!plain) return false;
  const own = constructorOf(path.node);
  if (superClass && own && !own.body.body.some(isSuperCall)) return false;
  const names = new Set<string>();
  let found = true;
  path.traverse({
    MetaProperty() {
      found = false;
    },
    Super(it) {
      const call = it.parentPath;
      const isCall = call.isCallExpression() && call.parentPath.isExpressionStatement();
      const isMember =
        call.isMemberExpression({ computed: false }) && call.parentPath.isCallExpression({ callee: call.node });
      if (!isCall && !isMember) found = false;
    },
    ClassMethod(it) {
      if (it.node !== own) return;
      for (const name of Object.keys(it.scope.bindings)) names.add(name);
    },
  });
  // What a field is set to is read where the constructor's own variables stand before those outside.
  path.traverse({
    ClassProperty(it) {
      it.traverse({
        ReferencedIdentifier({ node }) {
          if (names.has(node.name as string)) found = false;
        },
      });
    },
  });
  return found;
}

/** `super(...)` becomes `Parent.call(this, ...)`, `super.name(...)` becomes `Parent.prototype.name.call(this, ...)`. */
function callParent(path: NodePath<Class>, parent: string): void {
  path.traverse({
    Super(it) {
      const member = it.parentPath.isMemberExpression() ? it.parentPath : undefined;
      const call = (member?.parentPath ?? it.parentPath) as NodePath<CallExpression>;
      if (member) member.node.object = memberExpression(identifier(parent), identifier('prototype'));
      call.node.callee = memberExpression(member?.node ?? identifier(parent), identifier('call'));
      call.node.arguments.unshift(thisExpression());
    },
  });
}

/** What the class is now. @param maker the name of the function that makes it */
function made(path: NodePath<Class>, maker: string): Expression {
  const { body, superClass } = path.node;
  const parent = superClass?.type === 'Identifier' ? superClass : undefined;
  const own = constructorOf(path.node);
  const inherited = expressionStatement(
    callExpression(memberExpression(identifier(parent?.name ?? ''), identifier('apply')), [
      thisExpression(),
      identifier('arguments'),
    ]),
  );
  const code = own ? [...own.body.body] : parent ? [inherited] : [];
  const begin = parent ? (own ? code.findIndex(isSuperCall) : 0) + 1 : 0;
  if (parent) callParent(path, parent.name);
  const fields = body.body.filter(isField).map(({ key, value }) => {
    const target = memberExpression(thisExpression(), key as Expression);
    return expressionStatement(assignmentExpression('=', target, value ?? identifier('undefined')));
  });
  code.splice(begin, 0, ...fields);
  const type = functionExpression(null, (own?.params ?? []) as Params, blockStatement(code));
  const methods = body.body.filter(isMethod).filter((it) => it !== own);
  const shared = methods.map((it) => objectProperty(it.key, functionExpression(null, it.params as Params, it.body)));
  return callExpression(identifier(maker), [type, objectExpression(shared), ...(parent ? [parent] : [])]);
}

/** @returns how many classes it has compiled */
export function smallClasses(tree: File): number {
  programOf(tree).traverse({
    Class(path) {
      const own = constructorOf(path.node);
      if (own) splitSequences(own);
    },
  });
  const program = programOf(tree);
  const classes: NodePath<Class>[] = [];
  program.traverse({ Class: (path) => void (isSmall(path) && classes.push(path)) });
  const parentOf = ({ node, scope }: NodePath<Class>): NodePath | undefined => {
    if (node.superClass?.type !== 'Identifier') return undefined;
    const binding = scope.getBinding(node.superClass.name);
    const value = binding?.path.isVariableDeclarator() ? binding.path.get('init') : binding?.path;
    return binding?.constant ? (value as NodePath | undefined) : undefined;
  };
  // What extends a class that is left to Babel is left to it, too.
  for (let before = -1; before !== classes.length; ) {
    before = classes.length;
    const isLeft = (it: NodePath<Class>): boolean =>
      !!it.node.superClass && !classes.some(({ node }) => node === parentOf(it)?.node);
    classes.splice(0, classes.length, ...classes.filter((it) => !isLeft(it)));
  }
  if (classes.length === 0) return 0;
  const maker = program.scope.generateUid('makeClass');
  for (const path of classes) {
    const value = made(path, maker);
    const { node } = path;
    if (node.type === 'ClassExpression') path.replaceWith(value);
    else path.replaceWith(variableDeclaration('let', [variableDeclarator(node.id!, value)]));
  }
  program.node.body.unshift(parse(MAKE_CLASS.replace('makeClass', maker)).program.body[0]!);
  return classes.length;
}
