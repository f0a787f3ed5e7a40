// What preloading does to a module, without a device: the body runs, then everything in module scope is read-only.

import { parse } from '@babel/parser';
import babelTraverse from '@babel/traverse';

const traverse = babelTraverse.default; // A CommonJS module: its default export is all of it.

export interface Preloaded {
  /** A script that runs the body, sets `app` to what the module exports, and `moduleScope` to all that it declares. */
  readonly script: string;
  /** Names at the top of the module that something assigns to once the body has run. */
  readonly reassigned: readonly string[];
}

/** @param code a bundle, as one ECMAScript module without imports */
export function preload(code: string): Preloaded {
  const tree = parse(code, { sourceType: 'module' });
  const names: string[] = [];
  const reassigned: string[] = [];
  traverse(tree, {
    Program({ scope }) {
      for (const [name, binding] of Object.entries(scope.bindings)) {
        names.push(name);
        const isLate = binding.constantViolations.some((path) => path.getFunctionParent() !== null);
        if (isLate) reassigned.push(name);
      }
    },
  });
  const exported: string[] = [];
  let body = code;
  for (const node of [...tree.program.body].reverse()) {
    if (node.type === 'ImportDeclaration') throw new Error(`the bundle imports ${node.source.value}`);
    if (!node.type.startsWith('Export')) continue;
    if (node.type !== 'ExportNamedDeclaration' || node.declaration) throw new Error('exports are named, at the end');
    for (const it of node.specifiers) {
      if (it.type !== 'ExportSpecifier' || it.exported.type !== 'Identifier') throw new Error('a strange export');
      exported.push(`${it.exported.name}: ${it.local.name}`);
    }
    body = body.slice(0, node.start!) + body.slice(node.end!);
  }
  const script = `(() => { 'use strict'; ${body}
    ;globalThis.app = { ${exported} }; globalThis.moduleScope = { ${names} }; })();`;
  return { script, reassigned };
}
