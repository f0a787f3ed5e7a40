// Drops corking and nextTick: the framing writes into one sink, which has no cork.

import { isMember, type Pass, programOf } from './pass.ts';

export const dropCork: Pass = {
  name: 'drop-cork',
  pattern: 'if (stream.cork)',
  change(tree) {
    let dropped = 0;
    programOf(tree).traverse({
      IfStatement(path) {
        if (!isMember(path.node.test, 'stream', 'cork')) return;
        path.remove();
        dropped++;
      },
    });
    return dropped;
  },
};
