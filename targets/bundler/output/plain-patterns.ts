// Escapes a slash within brackets: Espruino takes it for the end of the pattern. Terser, which takes the escape away, comes before.

import type { File } from '@babel/types';
import { programOf } from '../passes/pass.ts';

export function plainPatterns(tree: File): void {
  programOf(tree).traverse({
    RegExpLiteral({ node }) {
      node.pattern = node.pattern.replace(/\\.|\//g, (it) => (it === '/' ? '\\/' : it));
      delete node.extra;
    },
  });
}
