// Folds what is fixed for a 3.1.1 client, so that the branches for MQTT 3.1 and MQTT 5 can be pruned.

import type { NodePath } from '@babel/traverse';
import {
  booleanLiteral,
  cloneNode,
  type Expression,
  nullLiteral,
  numericLiteral,
  stringLiteral,
  type VariableDeclarator,
} from '@babel/types';
import { isMember, isName, type Pass, programOf } from './pass.ts';
import { pruneBranches } from './prune-branches.ts';

/** Of the parser: `this.settings.protocolVersion` is 4. */
export const foldParserVersion: Pass = {
  name: 'fold-parser-version',
  pattern: 'this.settings.protocolVersion',
  change(tree) {
    let folded = 0;
    programOf(tree).traverse({
      MemberExpression(path) {
        if (!isName(path.node.property, 'protocolVersion') || !isMember(path.node.object, 'this', 'settings')) return;
        path.replaceWith(numericLiteral(4));
        folded++;
      },
    });
    return folded;
  },
};

/** Variables of the writer whose value is fixed for this client, by the text of their initial value. */
const FIXED: Readonly<Record<string, Expression>> = {
  'opts ? opts.protocolVersion : 4': numericLiteral(4),
  'settings.protocolVersion || 4': numericLiteral(4),
  "settings.protocolId || 'MQTT'": stringLiteral('MQTT'),
};

/** Replaces every use of a variable that is assigned nowhere else, and removes it. */
function replaceBinding(path: NodePath<VariableDeclarator>, value: Expression): void {
  const { id } = path.node;
  const binding = id.type === 'Identifier' ? path.scope.getBinding(id.name) : undefined;
  if (!binding || binding.constantViolations.length > 0) return;
  for (const use of binding.referencePaths) use.replaceWith(cloneNode(value));
  path.remove();
}

/** Of the writer: no bridge, protocol MQTT level 4. */
export const foldWriterVersion: Pass = {
  name: 'fold-writer-version',
  pattern: 'protocol version, protocol name and bridge mode',
  change(tree) {
    let folded = 0;
    programOf(tree).traverse({
      MemberExpression(path) {
        if (!isMember(path.node, 'settings', 'bridgeMode')) return;
        path.replaceWith(booleanLiteral(false));
        folded++;
      },
    });
    pruneBranches.change(tree, { name: '', tree, text: '' });
    programOf(tree).traverse({
      VariableDeclarator(path) {
        const fixed = path.node.init && FIXED[path.get('init').toString()];
        if (!fixed) return;
        replaceBinding(path, fixed);
        folded++;
      },
    });
    return folded;
  },
};

/** Of the writer, after the branches for MQTT 5 have gone: properties stay null, an acknowledgement is 2 bytes long. */
export const foldProperties: Pass = {
  name: 'fold-properties',
  pattern: 'propertiesData = null and the lengths 3 and 4 of acknowledgements',
  change(tree) {
    let folded = 0;
    programOf(tree).traverse({
      VariableDeclarator(path) {
        if (!isName(path.node.id, 'propertiesData') || path.node.init?.type !== 'NullLiteral') return;
        replaceBinding(path, nullLiteral());
        folded++;
      },
      BinaryExpression(path) {
        const { left, operator, right } = path.node;
        if (!isName(left, 'length') || operator !== '===' || right.type !== 'NumericLiteral') return;
        if (right.value !== 3 && right.value !== 4) return;
        path.replaceWith(booleanLiteral(false));
        folded++;
      },
    });
    return folded;
  },
};
