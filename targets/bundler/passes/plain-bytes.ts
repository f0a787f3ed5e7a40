// Turns the uses of Node's Buffer into typed arrays; only Buffer.byteLength is left for the shim.

import {
  assignmentExpression,
  binaryExpression,
  type Expression,
  identifier,
  memberExpression,
  newExpression,
} from '@babel/types';
import { isMember, isName, type Pass, programOf } from './pass.ts';

const BYTES = () => identifier('Uint8Array');
const isBytes = (it: Expression) => binaryExpression('instanceof', it, BYTES());

export const plainBytes: Pass = {
  name: 'plain-bytes',
  pattern: 'uses of Buffer',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      CallExpression(path) {
        const { callee } = path.node;
        const [first, second] = path.node.arguments as Expression[];
        if (isMember(callee, 'Buffer', 'from') || isMember(callee, 'Buffer', 'allocUnsafe')) {
          path.replaceWith(newExpression(BYTES(), [first!]));
        } else if (isMember(callee, 'Buffer', 'isBuffer')) {
          path.replaceWith(isBytes(first!));
        } else if (isMember(callee, 'buffer', 'writeUInt8')) {
          const place = memberExpression(identifier('buffer'), second!, true);
          path.replaceWith(assignmentExpression('=', place, first!));
        } else {
          return;
        }
        changed++;
      },
      BinaryExpression(path) {
        if (path.node.operator !== 'instanceof' || !isName(path.node.right, 'Buffer')) return;
        path.node.right = BYTES();
        changed++;
      },
    });
    return changed;
  },
};
