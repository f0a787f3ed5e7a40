// Writes `text = text + more` for `text += more`: Espruino adds the bytes of a text in UTF-8 to one that was ASCII until then,
// and takes them for characters. Terser, which shortens the one to the other, comes before.

import { assignmentExpression, binaryExpression, cloneNode, type Expression, type File, type Node } from '@babel/types';
import { isName, programOf } from '../passes/pass.ts';

/** Whether it is a number for sure. */
function isNumeric(node: Node): boolean {
  if (node.type === 'NumericLiteral' || node.type === 'UpdateExpression' || node.type === 'UnaryExpression')
    return true;
  if (node.type === 'MemberExpression') return isName(node.property, 'length') && !node.computed;
  if (node.type !== 'BinaryExpression') return false;
  return node.operator === '+' ? isNumeric(node.left) && isNumeric(node.right) : true;
}

/** Whether it can be written twice: a variable, or a property of one by its name. */
function isPlain(node: Node): boolean {
  if (node.type === 'Identifier' || node.type === 'ThisExpression') return true;
  return node.type === 'MemberExpression' && isPlain(node.object) && (!node.computed || isPlain(node.property));
}

export function plainAdditions(tree: File): void {
  programOf(tree).traverse({
    AssignmentExpression({ node }) {
      const { left, right, operator } = node;
      if (operator !== '+=' || isNumeric(right) || !isPlain(left)) return;
      const sum = binaryExpression('+', cloneNode(left) as Expression, right);
      Object.assign(node, assignmentExpression('=', left, sum));
    },
  });
}
