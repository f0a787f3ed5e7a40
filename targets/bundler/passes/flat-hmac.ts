// Makes one function of noble's HMAC: the package always makes one, gives it all it has to digest, and asks for the result.

import { parseExpression } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import {
  type ArrowFunctionExpression,
  blockStatement,
  type ClassDeclaration,
  type ClassMethod,
  cloneNode,
  type Identifier,
  identifier,
  type Statement,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import { generate, isMember, type Pass, programOf } from './pass.ts';

/** All that is done to an HMAC. */
const CHAIN = 'new _HMAC(hash, key).update(message).digest()';

const methodsOf = ({ body }: ClassDeclaration): Map<string, ClassMethod> =>
  new Map(body.body.flatMap((it) => (it.type === 'ClassMethod' ? [[(it.key as Identifier).name, it] as const] : [])));

/** What a method does, without what it returns, where its parameters have these names. */
function bodyOf(method: ClassMethod, ...given: readonly string[]): Statement[] {
  const parameters = method.params.map((it) => (it as Identifier).name);
  const named = parameters.flatMap((name, index) =>
    name === given[index]
      ? []
      : [variableDeclaration('const', [variableDeclarator(identifier(name), identifier(given[index]!))])],
  );
  return [...named, ...method.body.body.filter((it) => it.type !== 'ReturnStatement').map((it) => cloneNode(it))];
}

export const flatHmac: Pass = {
  name: 'flat-hmac',
  pattern: `the class _HMAC, and ${CHAIN}`,
  change(tree) {
    let changed = 0;
    const program = programOf(tree);
    const found: { it?: NodePath<ClassDeclaration> } = {};
    program.traverse({
      ClassDeclaration(path) {
        if (path.node.id?.name === '_HMAC') found.it = path;
      },
    });
    if (!found.it) return 0;
    const [make, update, digestInto, digest] = ['constructor', 'update', 'digestInto', 'digest'].map((it) =>
      methodsOf(found.it!.node).get(it),
    );
    if (!make || !update || !digestInto || !digest) return 0;
    program.traverse({
      ArrowFunctionExpression(path: NodePath<ArrowFunctionExpression>) {
        if (generate(path.node.body, { comments: false }).code !== CHAIN) return;
        const fields = variableDeclaration(
          'let',
          ['iHash', 'oHash'].map((it) => variableDeclarator(identifier(it))),
        );
        const asks = bodyOf(digest).filter((it) => it.type === 'VariableDeclaration');
        const body = [fields, ...bodyOf(make, 'hash', 'key'), blockStatement(bodyOf(update, 'message'))];
        path.node.body = blockStatement([...body, ...asks, blockStatement(bodyOf(digestInto, 'out'))]);
        path.node.body.body.push(digest.body.body.find((it) => it.type === 'ReturnStatement')!);
        path.traverse({
          MemberExpression(inner) {
            for (const name of ['iHash', 'oHash']) {
              if (isMember(inner.node, 'this', name)) inner.replaceWith(parseExpression(name));
            }
          },
        });
        changed++;
      },
    });
    if (changed > 0) found.it.parentPath.isExportNamedDeclaration() ? found.it.parentPath.remove() : found.it.remove();
    return changed;
  },
};
