// Classes as a host of level `classes` reads them: no private names, no name for a class that is a value, no method that has
// a reserved word for its name, and a constructor wherever fields have to be given their values. Fields themselves are compiled: Espruino has one value for all objects.

import type { NodePath } from '@babel/traverse';
import {
  assignmentExpression,
  blockStatement,
  type Class,
  type ClassMethod,
  callExpression,
  classMethod,
  expressionStatement,
  type File,
  type FunctionParameter,
  functionExpression,
  type Identifier,
  identifier,
  memberExpression,
  type Node,
  type PrivateName,
  stringLiteral,
  super as superNode,
} from '@babel/types';
import { programOf } from '../passes/pass.ts';

/** Takes the name off a class that is a value: Espruino does not know it inside. What it stands for gets a variable. */
function dropClassNames(tree: File): void {
  programOf(tree).traverse({
    ClassExpression(path) {
      const { id } = path.node;
      if (!id) return;
      const { parent } = path;
      const isValue = parent.type === 'VariableDeclarator' && parent.id.type === 'Identifier';
      const name = isValue ? (parent.id as { name: string }).name : path.scope.getProgramParent().generateUid(id.name);
      path.scope.rename(id.name, name);
      path.node.id = null;
      if (isValue) return;
      path.parentPath.scope.push({ id: identifier(name) });
      path.replaceWith(assignmentExpression('=', identifier(name), path.node));
    },
  });
}

/** Makes plain properties of private names. */
function publicMembers(tree: File): void {
  const program = programOf(tree);
  const names = new Map<Node, Map<string, string>>();
  const plain = (path: NodePath<PrivateName>): string => {
    const owner = path.findParent(({ node }) => names.get(node)?.has(path.node.id.name) === true);
    return names.get(owner!.node)!.get(path.node.id.name)!;
  };
  program.traverse({
    ClassBody({ node }) {
      const own = node.body.flatMap((it) => ('key' in it && it.key.type === 'PrivateName' ? [it.key.id.name] : []));
      names.set(node, new Map(own.map((it) => [it, program.scope.generateUid(it)])));
    },
  });
  program.traverse({
    PrivateName(path) {
      const name = plain(path);
      const { parent } = path;
      if (parent.type === 'BinaryExpression') path.replaceWith(stringLiteral(name));
      if (parent.type === 'ClassPrivateProperty') Object.assign(parent, { type: 'ClassProperty', computed: false });
      if (parent.type === 'ClassPrivateMethod') Object.assign(parent, { type: 'ClassMethod', computed: false });
      if (path.isPrivateName()) path.replaceWith(identifier(name));
    },
  });
}

const constructorOf = ({ body }: Class): ClassMethod | undefined =>
  body.body.find((it): it is ClassMethod => it.type === 'ClassMethod' && it.kind === 'constructor');

/** How many parameters the constructor of a class takes, its own or the one that it inherits. */
function arity(path: NodePath<Class>): number {
  const own = constructorOf(path.node);
  if (own) return own.params.length;
  const { superClass } = path.node;
  if (!superClass) return 0;
  const base = superClass.type === 'Identifier' ? path.scope.getBinding(superClass.name)?.path : undefined;
  if (base?.isClass()) return arity(base);
  const value = base?.isVariableDeclarator() ? base.get('init') : undefined;
  if (value && !Array.isArray(value) && value.isClass()) return arity(value);
  throw new Error(
    `mqtt-mote bundler: a class that extends ${superClass.type === 'Identifier' ? superClass.name : 'a value'} needs a constructor`,
  );
}

/** Gives every derived class with fields a constructor, since Babel's own would take and spread a rest. */
function giveConstructors(tree: File): void {
  programOf(tree).traverse({
    Class(path) {
      const { body, superClass } = path.node;
      const hasFields = body.body.some((it) => it.type === 'ClassProperty' && !it.static);
      if (!superClass || !hasFields || constructorOf(path.node)) return;
      const params = Array.from({ length: arity(path) }, (_, index) => identifier(`a${index}`));
      const call = expressionStatement(callExpression(superNode(), params));
      body.body.unshift(classMethod('constructor', identifier('constructor'), params, blockStatement([call])));
    },
  });
}

/** Words that Espruino takes for nothing but themselves, where a method of a class has its name. */
const RESERVED = new Set(
  `break case catch class const continue debugger default delete do else extends false finally for function if in
  instanceof let new null of return static super switch this throw true try typeof undefined var void while`.split(
    /\s+/,
  ),
);

/** Hands methods with such a name to the class from outside. */
function reservedNames(tree: File): void {
  programOf(tree).traverse({
    ClassMethod(path) {
      const { key, kind, params, body, generator, async, computed } = path.node;
      if (computed || kind !== 'method' || key.type !== 'Identifier' || !RESERVED.has(key.name)) return;
      const owner = path.parentPath.parentPath as NodePath<Class>;
      const name = owner.isClassDeclaration() ? owner.node.id : valueName(owner);
      let usesSuper = false;
      path.traverse({
        Super() {
          usesSuper = true;
        },
      });
      if (!name || usesSuper)
        throw new Error(`mqtt-mote bundler: a class for this host cannot have a method ${key.name}`);
      const place = path.node.static
        ? identifier(name.name)
        : memberExpression(identifier(name.name), identifier('prototype'));
      const method = functionExpression(null, params as FunctionParameter[], body, generator, async);
      const given = assignmentExpression('=', memberExpression(place, key), method);
      (owner.getStatementParent() as NodePath).insertAfter(expressionStatement(given));
      path.remove();
    },
  });
}

/** The variable that a class is the value of. */
function valueName({ parent }: NodePath<Class>): Identifier | undefined {
  const target = parent.type === 'VariableDeclarator' ? parent.id : undefined;
  return target?.type === 'Identifier' ? target : undefined;
}

export function plainClasses(tree: File): void {
  dropClassNames(tree);
  publicMembers(tree);
  giveConstructors(tree);
  reservedNames(tree);
}
