// Folds what is known of a value where the package's text asks for it: each fact is an expression and what stands for it.

import { parseExpression } from '@babel/parser';
import { booleanLiteral, cloneNode, type Expression } from '@babel/types';
import { generate, type Pass, programOf } from './pass.ts';

const wordsOf = (node: Expression): string => generate(node, { comments: false }).code;

/**
 * @param facts by the text of the expression; each has to be found
 * @param tests the same of expressions that an `if` asks for
 */
export function foldFacts(
  facts: Readonly<Record<string, string>>,
  tests: Readonly<Record<string, boolean>> = {},
): Pass {
  const known = new Map(
    Object.entries(facts).map(([text, value]) => [
      wordsOf(parseExpression(text) as Expression),
      parseExpression(value) as Expression,
    ]),
  );
  return {
    name: 'fold-facts',
    pattern: 'expressions whose value is known',
    change(tree, { name }) {
      const missing = new Set([...known.keys(), ...Object.keys(tests)]);
      let folded = 0;
      programOf(tree).traverse({
        Expression(path) {
          const text = wordsOf(path.node);
          const value = known.get(text);
          if (!value) return;
          missing.delete(text);
          path.replaceWith(cloneNode(value));
          path.skip();
          folded++;
        },
      });
      programOf(tree).traverse({
        IfStatement({ node }) {
          const text = wordsOf(node.test);
          const value = tests[text];
          if (value === undefined) return;
          missing.delete(text);
          node.test = booleanLiteral(value);
          folded++;
        },
      });
      if (missing.size > 0) {
        throw new Error(`mqtt-mote bundler: pass fold-facts: ${name} does not hold ${[...missing].join(' and ')}`);
      }
      return folded;
    },
  };
}
