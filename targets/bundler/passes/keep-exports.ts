// Keeps of a module's exports only those that the package uses, so that what they alone need can be dropped.

import { type Pass, programOf } from './pass.ts';

export function keepExports(...names: readonly string[]): Pass {
  return {
    name: 'keep-exports',
    pattern: `the exports ${names.join(', ')}`,
    change(tree) {
      let kept = 0;
      for (const path of programOf(tree).get('body')) {
        if (!path.isExportNamedDeclaration()) continue;
        const { declaration } = path.node;
        if (!declaration) continue;
        const id =
          declaration.type === 'VariableDeclaration'
            ? declaration.declarations[0]!.id
            : 'id' in declaration
              ? declaration.id
              : undefined;
        if (id?.type === 'Identifier' && names.includes(id.name)) kept++;
        else path.replaceWith(declaration);
      }
      return kept;
    },
  };
}
