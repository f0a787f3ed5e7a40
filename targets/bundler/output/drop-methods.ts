// Drops methods that nothing in the bundle calls, where nothing outside can: a class of which an app uses three methods
// weighs three. What is called by a name that is put together at run time has to be spelled out in some string.

import type { File } from '@babel/types';
import { programOf } from '../passes/pass.ts';

/** What the language itself calls. */
const CALLED_BY_THE_LANGUAGE = ['constructor', 'next', 'return', 'then', 'throw', 'toJSON', 'toString', 'valueOf'];

/** Every word that is used as a property, or stands in a string. */
function mentioned(tree: File): Set<string> {
  const names = new Set(CALLED_BY_THE_LANGUAGE);
  const add = ({ type, name }: { type: string; name?: string }): void => {
    if (type === 'Identifier') names.add(name!);
  };
  programOf(tree).traverse({
    MemberExpression: ({ node }) => add(node.property),
    OptionalMemberExpression: ({ node }) => add(node.property),
    ObjectPattern: ({ node }) => {
      for (const it of node.properties) if (it.type === 'ObjectProperty') add(it.key);
    },
    StringLiteral: ({ node }) => void names.add(node.value),
    TemplateElement: ({ node }) => void names.add(node.value.raw),
  });
  return names;
}

/** Whether somebody outside could call what is in the bundle. */
const isOpen = (tree: File): boolean => tree.program.body.some(({ type }) => type.startsWith('Export'));

/** @param exports whether the exports of the tree go anywhere @returns how many methods it dropped */
export function dropMethods(tree: File, exports: boolean): number {
  if (exports && isOpen(tree)) return 0;
  let dropped = 0;
  for (let last = -1; last !== dropped; ) {
    last = dropped;
    const names = mentioned(tree);
    programOf(tree).traverse({
      ClassMethod(path) {
        const { key, kind, computed } = path.node;
        if (kind === 'constructor' || computed || key.type !== 'Identifier' || names.has(key.name)) return;
        path.remove();
        dropped++;
      },
    });
  }
  return dropped;
}
