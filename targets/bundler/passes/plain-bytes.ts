// Turns the uses of Node's Buffer and of the buffer list into typed arrays.

import {
  assignmentExpression,
  binaryExpression,
  callExpression,
  cloneNode,
  type Expression,
  identifier,
  memberExpression,
  newExpression,
  numericLiteral,
} from '@babel/types';
import { isMember, isName, type Pass, programOf } from './pass.ts';

const BYTES = () => identifier('Uint8Array');
const isBytes = (it: Expression) => binaryExpression('instanceof', it, BYTES());

/** `list[at]` */
const byteAt = (list: Expression, at: Expression) => memberExpression(cloneNode(list), cloneNode(at), true);

/** Of the parser: `this._list` is one array, and a slice goes to its end. */
export const plainList: Pass = {
  name: 'plain-list',
  pattern: 'methods of this._list',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      CallExpression(path) {
        const { callee } = path.node;
        if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
        const list = callee.object as Expression;
        if (!isMember(list, 'this', '_list')) return;
        const [first, second, third] = path.node.arguments as Expression[];
        const view = (...ends: Expression[]) => callExpression(memberExpression(list, identifier('subarray')), ends);
        switch (callee.property.name) {
          case 'readUInt8':
            path.replaceWith(byteAt(list, first!));
            break;
          case 'readUInt16BE': {
            const next = binaryExpression('+', cloneNode(first!), numericLiteral(1));
            const high = binaryExpression('<<', byteAt(list, first!), numericLiteral(8));
            path.replaceWith(binaryExpression('|', high, byteAt(list, next)));
            break;
          }
          case 'slice':
            path.replaceWith(view(first!));
            break;
          case 'toString':
            path.replaceWith(callExpression(identifier('textOf'), [view(second!, third!)]));
            break;
          default:
            return;
        }
        changed++;
      },
    });
    return changed;
  },
};

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
