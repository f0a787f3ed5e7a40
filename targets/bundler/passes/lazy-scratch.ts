// Takes noble's scratch buffers out of module scope, which lies in ROM on a preloading host.

import type { NodePath } from '@babel/traverse';
import {
  assignmentExpression,
  type ClassMethod,
  expressionStatement,
  type Identifier,
  identifier,
  type NewExpression,
  type VariableDeclaration,
} from '@babel/types';
import { type Pass, programOf } from './pass.ts';

const isTypedArray = (node: NewExpression): boolean =>
  node.callee.type === 'Identifier' && /^(Uint8|Uint32)Array$/.test(node.callee.name);

interface Scratch {
  readonly path: NodePath<VariableDeclaration>;
  readonly name: string;
  readonly init: NewExpression;
  /** The method process() that fills it, before any other method looks at it. */
  readonly filler: ClassMethod;
  /** Whether that method alone uses it. */
  readonly isLocal: boolean;
}

/** Every module-level `const X = new Uint32Array(n)` that one method process() fills. */
function scratches(program: ReturnType<typeof programOf>): Scratch[] {
  return program.get('body').flatMap((path): Scratch[] => {
    if (!path.isVariableDeclaration()) return [];
    const [declaration] = path.node.declarations;
    const init = declaration?.init;
    if (init?.type !== 'NewExpression' || !isTypedArray(init)) return [];
    const { name } = declaration!.id as Identifier;
    const users = new Set(
      program.scope.getBinding(name)!.referencePaths.map((it) => it.getFunctionParent()!.node as ClassMethod),
    );
    const fillers = [...users].filter((it) => it.type === 'ClassMethod' && (it.key as Identifier).name === 'process');
    if (fillers.length !== 1) return [];
    return [{ path, name, init, filler: fillers[0]!, isLocal: users.size === 1 }];
  });
}

const PATTERN = 'module-level `const X = new Uint32Array(n)`, filled in a method process()';

/** Made when first used, and kept. */
export const lazyScratch: Pass = {
  name: 'lazy-scratch',
  pattern: PATTERN,
  change(tree) {
    const found = scratches(programOf(tree));
    for (const { path, name, init, filler } of found) {
      filler.body.body.unshift(expressionStatement(assignmentExpression('||=', identifier(name), init)));
      path.node.declarations[0]!.init = null;
      path.node.kind = 'let';
    }
    return found.length;
  },
};

/** Made anew by the one method that uses it, so that nothing of it stays. */
export const localScratch: Pass = {
  name: 'local-scratch',
  pattern: `${PATTERN} alone`,
  change(tree) {
    const found = scratches(programOf(tree)).filter(({ isLocal }) => isLocal);
    for (const { path, filler } of found) {
      filler.body.body.unshift(path.node);
      path.remove();
    }
    return found.length;
  },
};
