// Adds an import of what another pass has put in.

import { identifier, importDeclaration, importSpecifier, stringLiteral } from '@babel/types';
import { type Pass, programOf } from './pass.ts';

export function addImport(name: string, from: string): Pass {
  return {
    name: 'add-import',
    pattern: `uses of ${name}`,
    change(tree) {
      const program = programOf(tree);
      const uses = Object.hasOwn((program.scope as unknown as { globals: object }).globals, name) ? 1 : 0;
      if (uses > 0) {
        tree.program.body.unshift(
          importDeclaration([importSpecifier(identifier(name), identifier(name))], stringLiteral(from)),
        );
      }
      return uses;
    },
  };
}
