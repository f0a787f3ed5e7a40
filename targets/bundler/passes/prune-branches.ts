// Prunes the branches whose condition is known after folding.

import type { NodePath } from '@babel/traverse';
import type { ConditionalExpression, IfStatement, Node } from '@babel/types';
import { type Pass, programOf } from './pass.ts';

export const pruneBranches: Pass = {
  name: 'prune-branches',
  pattern: 'branches whose condition is known',
  change(tree) {
    let pruned = 0;
    const choose = (path: NodePath, kept: Node | null | undefined): void => {
      if (!kept) path.remove();
      else if (kept.type === 'BlockStatement' && path.isIfStatement()) path.replaceWithMultiple(kept.body);
      else path.replaceWith(kept);
      pruned++;
    };
    const look = (path: NodePath<IfStatement> | NodePath<ConditionalExpression>): void => {
      const { confident, value } = (path.get('test') as NodePath).evaluate();
      if (confident) choose(path, value ? path.node.consequent : path.node.alternate);
    };
    // From the inside out, so that what is known of a part is seen by the whole.
    programOf(tree).traverse({ IfStatement: { exit: look }, ConditionalExpression: { exit: look } });
    return pruned;
  },
};
