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
