// Gives src's own properties short names. It changes src alone, so that an app's or a message's names stay as they are.

import {
  type ClassMethod,
  type ClassProperty,
  cloneNode,
  identifier,
  type MemberExpression,
  type Node,
  type ObjectMethod,
  type OptionalMemberExpression,
} from '@babel/types';
import { classesOf, classNameOf, isSelf, type MemberNames } from '../member-names.ts';
import { type Module, programOf } from './pass.ts';

export function renameProperties(module: Module, names: ReadonlyMap<string, string>): void {
  const renamed = (key: Node, computed: boolean | undefined): string | undefined =>
    key.type === 'Identifier' && !computed ? names.get(key.name) : undefined;
  const rename = ({ node }: { node: ObjectMethod | ClassMethod | ClassProperty }): void => {
    const name = renamed(node.key, node.computed);
    if (name) node.key = identifier(name);
  };
  const renameUse = ({ node }: { node: MemberExpression | OptionalMemberExpression }): void => {
    const name = renamed(node.property, node.computed);
    if (name) node.property = identifier(name);
  };
  programOf(module.tree).traverse({
    MemberExpression: renameUse,
    OptionalMemberExpression: renameUse,
    ObjectProperty({ node }) {
      const name = renamed(node.key, node.computed);
      if (!name) return;
      if (node.shorthand) node.value = cloneNode(node.value);
      node.shorthand = false;
      node.key = identifier(name);
    },
    ObjectMethod: rename,
    ClassMethod: rename,
    ClassProperty: rename,
  });
}

/** Gives what classes keep to themselves its short names, wherever `this` is asked for it. */
export function renameMembers(module: Module, members: MemberNames): void {
  const classes = new Map(classesOf(module).map((it) => [it as Node, members.get(classNameOf(module, it))] as const));
  programOf(module.tree).traverse({
    ClassDeclaration(path) {
      const names = classes.get(path.node);
      if (!names) return;
      for (const it of path.node.body.body) {
        const { key } = it as { key?: Node };
        if (key?.type === 'Identifier' && names.has(key.name)) key.name = names.get(key.name)!;
      }
      path.traverse({
        // Their `this` is another one.
        ClassExpression: (it) => it.skip(),
        FunctionExpression: (it) => it.skip(),
        FunctionDeclaration: (it) => it.skip(),
        ObjectMethod: (it) => it.skip(),
        MemberExpression({ node: { object, property, computed } }) {
          if (!isSelf(object) || property.type !== 'Identifier' || computed) return;
          property.name = names.get(property.name) ?? property.name;
        },
        VariableDeclarator({ node: { id, init } }) {
          if (init?.type !== 'ThisExpression' || id.type !== 'ObjectPattern') return;
          for (const it of id.properties) {
            if (it.type !== 'ObjectProperty' || it.key.type !== 'Identifier' || !names.has(it.key.name)) continue;
            it.value = cloneNode(it.value);
            it.key = identifier(names.get(it.key.name)!);
            it.shorthand = false;
          }
        },
      });
    },
  });
}
