// Puts functions of the language in place that a host lacks, those that the bundle uses and no other.

import { parse, parseExpression } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import {
  type File,
  identifier,
  type MemberExpression,
  type Statement,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import type { Host } from '../hosts.ts';
import { programOf } from '../passes/pass.ts';
import { POLYFILLS } from '../polyfills.ts';

const METHOD = /^(\w+)\.prototype\.(\w+)$/;

/** `Object.hasOwn` for a member expression of that form, not computed. */
function pathOf({ object, property, computed }: MemberExpression): string | undefined {
  if (computed || object.type !== 'Identifier' || property.type !== 'Identifier') return undefined;
  return `${object.name}.${property.name}`;
}

/** Whether it is called for an object that is made on the spot: Espruino's own does all but functions. */
function isForObject({ parent }: NodePath): boolean {
  const target = parent.type === 'CallExpression' ? parent.arguments[0] : undefined;
  return target?.type === 'ObjectExpression' || target?.type === 'NewExpression';
}

/** A method is patched in; a function of its own is a variable of the bundle, so that the host's objects stay as they are. */
function definition(name: string, local: string | undefined): Statement {
  const text = POLYFILLS[name]!;
  if (local === undefined) return parse(`${name} || (${name} = ${text});`).program.body[0]!;
  return variableDeclaration('var', [variableDeclarator(identifier(local), parseExpression(text))]);
}

/** @returns the names of what was put in */
export function polyfill(tree: File, host: Host): string[] {
  const used = new Map<string, string | undefined>();
  const methods = new Set<string>();
  const program = programOf(tree);
  const lacks = new Set(host.lacks.filter((it) => !METHOD.test(it)));
  program.traverse({
    MemberExpression(path) {
      const { object, property, computed } = path.node;
      // What is called on `this` is the class's own.
      if (property.type === 'Identifier' && !computed && object.type !== 'ThisExpression') methods.add(property.name);
      const name = pathOf(path.node);
      if (name === undefined || !lacks.has(name)) return;
      if (path.scope.getBinding(name.split('.')[0]!)) return; // Not the language's own object.
      if (path.parentPath.isAssignmentExpression({ left: path.node })) return;
      if (name === 'Object.assign' && host.level === 'classes' && isForObject(path)) return;
      const local = used.get(name) ?? program.scope.generateUid(name);
      used.set(name, local);
      path.replaceWith(identifier(local));
    },
  });
  for (const name of host.lacks) if (methods.has(METHOD.exec(name)?.[2] ?? '')) used.set(name, undefined);
  const names = [...used.keys()].sort();
  const prelude = host.prelude === undefined ? [] : parse(host.prelude).program.body;
  program.node.body.unshift(...prelude, ...names.map((it) => definition(it, used.get(it))));
  return names;
}
