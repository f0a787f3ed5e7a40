// Prunes the kinds of packets that a 3.1.1 client never sends from the writer, and those it never gets from the parser.

import type { SwitchCase } from '@babel/types';
import { isMember, type Pass, programOf } from './pass.ts';

const SENT = ['connect', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp'];
SENT.push('subscribe', 'unsubscribe', 'pingreq', 'disconnect');
const RECEIVED = ['connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'pingresp'];

/** @param holder whose `cmd` the switch looks at: `packet` in the writer, `this.packet` in the parser */
function pruneSwitch(name: string, pattern: string, holder: 'packet' | 'this', kinds: readonly string[]): Pass {
  return {
    name,
    pattern,
    change(tree) {
      const kept = new Set<string>();
      let pruned = 0;
      programOf(tree).traverse({
        SwitchStatement(path) {
          const on = path.node.discriminant;
          if (on.type !== 'MemberExpression' || on.property.type !== 'Identifier' || on.property.name !== 'cmd') return;
          const isHolder = holder === 'this' ? isMember(on.object, 'this', 'packet') : isMember(on, holder, 'cmd');
          if (!isHolder) return;
          const last = path.node.cases.at(-1);
          if (last?.test) return; // The switch that tells packets apart has a default; one about MQTT 5 codes has none.
          // A case without statements falls through to the next: its statements move up when the next is pruned.
          for (const [index, it] of path.node.cases.entries()) {
            if (it.test?.type !== 'StringLiteral' || !kinds.includes(it.test.value) || it.consequent.length > 0)
              continue;
            it.consequent = bodyOf(path.node.cases.slice(index), kinds);
          }
          path.node.cases = path.node.cases.filter(({ test }) => {
            if (test?.type !== 'StringLiteral' || kinds.includes(test.value)) {
              if (test?.type === 'StringLiteral') kept.add(test.value);
              return true;
            }
            pruned++;
            return false;
          });
        },
      });
      return kinds.every((it) => kept.has(it)) ? pruned : -1;
    },
  };
}

/** What runs at the first of these cases, if the case that holds it is going to be pruned; else nothing to move. */
function bodyOf(cases: readonly SwitchCase[], kinds: readonly string[]) {
  const owner = cases.find((it) => it.consequent.length > 0);
  const kind = owner?.test?.type === 'StringLiteral' ? owner.test.value : undefined;
  return owner && kind !== undefined && !kinds.includes(kind) ? owner.consequent : [];
}

export const pruneSent = pruneSwitch('prune-sent', 'kinds that a client does not send', 'packet', SENT);
export const pruneReceived = pruneSwitch('prune-received', 'kinds that a client does not receive', 'this', RECEIVED);
