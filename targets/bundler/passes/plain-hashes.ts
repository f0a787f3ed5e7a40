// Takes noble's hashes out of the functions that wrap them: the package only ever asks a hash to be created.

import { arrowFunctionExpression, type Expression, identifier, objectExpression, objectProperty } from '@babel/types';
import { isName, type Pass, programOf } from './pass.ts';

/** `createHasher(() => new X(), ...)` becomes `{ create: () => new X() }`. */
export const plainHashes: Pass = {
  name: 'plain-hashes',
  pattern: 'createHasher(() => new ...)',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      CallExpression(path) {
        const [make] = path.node.arguments;
        if (!isName(path.node.callee, 'createHasher') || make?.type !== 'ArrowFunctionExpression') return;
        path.replaceWith(objectExpression([objectProperty(identifier('create'), make)]));
        changed++;
      },
    });
    return changed;
  },
};

/** `(() => { const f = (...) => ...; f.create = ...; return f; })()` becomes the function alone. */
export const plainFunctions: Pass = {
  name: 'plain-functions',
  pattern: 'a function that is made in a function, with members',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      CallExpression(path) {
        const { callee } = path.node;
        if (callee.type !== 'ArrowFunctionExpression' || callee.body.type !== 'BlockStatement') return;
        const [first, ...rest] = callee.body.body;
        const last = rest.pop();
        const made = first?.type === 'VariableDeclaration' ? first.declarations[0] : undefined;
        if (made?.id.type !== 'Identifier' || made.init?.type !== 'ArrowFunctionExpression') return;
        if (last?.type !== 'ReturnStatement' || !isName(last.argument, made.id.name)) return;
        if (!rest.every((it) => it.type === 'ExpressionStatement')) return; // Members that nobody asks for.
        const { params, body } = made.init;
        path.replaceWith(arrowFunctionExpression(params, body as Expression));
        changed++;
      },
    });
    return changed;
  },
};

/** `NAME[0]` of `NAME = Uint32Array.from([...])` becomes the number. */
export const inlineNumbers: Pass = {
  name: 'inline-numbers',
  pattern: 'entries of Uint32Array.from([...])',
  change(tree) {
    let changed = 0;
    const program = programOf(tree);
    for (const { path, referencePaths } of Object.values(program.scope.bindings)) {
      const init = path.isVariableDeclarator() ? path.node.init : undefined;
      if (init?.type !== 'CallExpression' || init.callee.type !== 'MemberExpression') continue;
      if (!isName(init.callee.object, 'Uint32Array') || !isName(init.callee.property, 'from')) continue;
      const [list] = init.arguments;
      if (list?.type !== 'ArrayExpression') continue;
      for (const use of referencePaths) {
        const whole = use.parentPath;
        if (!whole?.isMemberExpression() || !whole.node.computed || whole.node.property.type !== 'NumericLiteral')
          continue;
        whole.replaceWith(list.elements[whole.node.property.value]!);
        changed++;
      }
    }
    return changed;
  },
};
