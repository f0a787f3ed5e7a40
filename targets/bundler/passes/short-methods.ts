// Short names for the parser's own methods and fields, which begin with an underscore, also where a string names them.

import type { Pass } from './pass.ts';
import { programOf } from './pass.ts';

const isOwn = (name: string): boolean => /^_[a-z][A-Za-z]+$/.test(name);

export const shortMethods: Pass = {
  name: 'short-methods',
  pattern: 'names that begin with an underscore',
  change(tree) {
    const short = new Map<string, string>();
    const shorten = (name: string): string => {
      if (!short.has(name)) short.set(name, `_${short.size.toString(36)}`);
      return short.get(name)!;
    };
    programOf(tree).traverse({
      MemberExpression({ node: { property, computed } }) {
        if (property.type === 'Identifier' && !computed && isOwn(property.name)) property.name = shorten(property.name);
      },
      ClassMethod({ node: { key } }) {
        if (key.type === 'Identifier' && isOwn(key.name)) key.name = shorten(key.name);
      },
      StringLiteral({ node }) {
        if (isOwn(node.value)) node.value = shorten(node.value);
      },
    });
    return short.size;
  },
};
