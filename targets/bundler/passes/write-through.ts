// Writes bytes one by one into the sink, instead of into small buffers that are then written: fewer bytes of code, and
// nothing for a small host to collect.

import type { NodePath } from '@babel/traverse';
import {
  callExpression,
  cloneNode,
  type Expression,
  type FunctionDeclaration,
  identifier,
  memberExpression,
  sequenceExpression,
} from '@babel/types';
import { isMember, isName, type Pass, programOf } from './pass.ts';

const writing = (value: Expression): Expression =>
  callExpression(memberExpression(identifier('stream'), identifier('write')), [value]);

/** The numbers in `new Uint8Array([...])`. */
function listed(node: Expression | undefined): Expression[] | undefined {
  if (node?.type !== 'NewExpression' || !isName(node.callee, 'Uint8Array')) return undefined;
  const [list] = node.arguments;
  return list?.type === 'ArrayExpression' ? (list.elements as Expression[]) : undefined;
}

/** `stream.write(new Uint8Array([a, b]))` becomes `stream.write(a), stream.write(b)`. */
export const writeBytes: Pass = {
  name: 'write-bytes',
  pattern: 'stream.write(new Uint8Array([...]))',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      CallExpression(path) {
        if (!isMember(path.node.callee, 'stream', 'write')) return;
        const bytes = listed(path.node.arguments[0] as Expression);
        if (!bytes) return;
        path.replaceWith(bytes.length === 1 ? writing(bytes[0]!) : sequenceExpression(bytes.map(writing)));
        path.skip();
        changed++;
      },
    });
    return changed;
  },
};

/** Functions that fill a buffer and return it write into the stream, their first parameter, instead. */
export const writeThrough: Pass = {
  name: 'write-through',
  pattern: 'functions that fill a buffer and return it',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      FunctionDeclaration(path: NodePath<FunctionDeclaration>) {
        const binding = path.scope.getOwnBinding('buffer');
        if (!binding?.path.isVariableDeclarator()) return;
        path.traverse({
          AssignmentExpression(it) {
            const { left, right } = it.node;
            if (left.type === 'MemberExpression' && isName(left.object, 'buffer')) it.replaceWith(writing(right));
          },
          ReturnStatement: (it) => it.remove(),
        });
        binding.path.remove();
        path.node.params.unshift(identifier('stream'));
        changed++;
      },
    });
    return changed;
  },
};

/** Of whoever calls them: `const x = make(y); ... stream.write(x)` becomes `make(stream, y)`. */
export function callThrough(...makers: readonly string[]): Pass {
  return {
    name: 'call-through',
    pattern: `stream.write() of what ${makers.join(' and ')} return`,
    change(tree) {
      let changed = 0;
      programOf(tree).traverse({
        VariableDeclarator(path) {
          const { id, init } = path.node;
          if (id.type !== 'Identifier' || init?.type !== 'CallExpression') return;
          if (init.callee.type !== 'Identifier' || !makers.includes(init.callee.name)) return;
          const [use, more] = path.scope.getBinding(id.name)!.referencePaths;
          if (more || !use?.parentPath?.isCallExpression()) return;
          if (!isMember(use.parentPath.node.callee, 'stream', 'write')) return;
          use.parentPath.replaceWith(callExpression(cloneNode(init.callee), [identifier('stream'), ...init.arguments]));
          path.remove();
          changed++;
        },
      });
      return changed;
    },
  };
}
