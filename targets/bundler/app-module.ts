// A file of the app that imports is a module, whatever the package.json beside it says: `npm init` writes "type": "commonjs",
// and esbuild would put all that such a file imports into functions, which costs bytes and, on Espruino, variables.

import type { Loader, OnLoadResult } from 'esbuild';
import { readModule } from './passes/pass.ts';

/** @throws SyntaxError */
function importsOnly(path: string, text: string): boolean {
  const { program } = readModule(path, text, path.endsWith('.ts') ? ['typescript'] : []).tree;
  return (
    program.body.some(({ type }) => type === 'ImportDeclaration') &&
    !program.body.some(({ type }) => type.startsWith('Export'))
  );
}

/** @param path of a file in JavaScript or TypeScript @returns what esbuild has to load instead, if anything */
export function asModule(path: string, text: string): OnLoadResult | undefined {
  if (!text.includes('import')) return undefined;
  try {
    if (!importsOnly(path, text)) return undefined;
  } catch {
    return undefined; // What cannot be read here is for esbuild to complain of, with the line.
  }
  return { contents: `${text}\nexport {};\n`, loader: path.slice(-2) as Loader };
}
