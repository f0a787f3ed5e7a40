// Names kinds of packets by their number on the wire (2.2.1), as src does, instead of by a text.

import { identifier, numericLiteral } from '@babel/types';
import type { Constants } from './compute-tables.ts';
import { type Pass, programOf } from './pass.ts';

/** `switch (packet.cmd) { case 'connack': ...` becomes `switch (packet.type) { case 2: ...`. */
export function numericKinds(constants: Constants): Pass {
  const codes = constants.codes as Readonly<Record<string, string | number>>;
  return {
    name: 'numeric-kinds',
    pattern: 'kinds of packets',
    change(tree) {
      let changed = 0;
      programOf(tree).traverse({
        SwitchStatement({ node }) {
          const on = node.discriminant;
          if (on.type !== 'MemberExpression' || on.property.type !== 'Identifier' || on.property.name !== 'cmd') return;
          on.property = identifier('type');
          for (const it of node.cases) {
            if (it.test?.type !== 'StringLiteral') continue;
            it.test = numericLiteral(Number(codes[it.test.value]));
            changed++;
          }
        },
      });
      return changed;
    },
  };
}
