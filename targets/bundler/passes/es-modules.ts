// Turns CommonJS into modules, so that esbuild can put all into one scope and leave out what nothing uses.

import { parse } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import type { Statement } from '@babel/types';
import { generate, isMember, isName, type Pass, programOf, required } from './pass.ts';

const statements = (text: string): Statement[] =>
  parse(text, { sourceType: 'module', allowUndeclaredExports: true }).program.body;

export const esModules: Pass = {
  name: 'es-modules',
  pattern: 'require() and exports',
  change(tree) {
    let changed = 0;
    const replace = (path: NodePath, text: string): void => {
      path.replaceWithMultiple(statements(text));
      changed++;
    };
    for (const path of programOf(tree).get('body')) {
      if (path.isVariableDeclaration()) {
        const [{ id, init } = { id: undefined, init: undefined }] = path.node.declarations;
        const from = required(init);
        if (from === undefined || !id) continue;
        // `import *` where a module has several exports: numbers.js.
        const names =
          id.type === 'ObjectPattern' ? generate(id).code : from === './numbers' ? `* as ${text(id)}` : text(id);
        replace(path, `import ${names} from '${from}'`);
      } else if (path.isExpressionStatement() && path.node.expression.type === 'AssignmentExpression') {
        const { left, right } = path.node.expression;
        if (isMember(left, 'module', 'exports')) {
          if (right.type !== 'ObjectExpression') replace(path, `export default ${generate(right).code}`);
          else replace(path, `export { ${right.properties.map(exported).join(', ')} }`);
        } else if (isMember(left, 'exports')) {
          const name = text((left as { property: object }).property);
          const inner = right.type === 'MemberExpression' ? right.object : right;
          const member = inner === right ? '' : `.${text((right as { property: object }).property)}`;
          replace(path, `import ${name}_ from '${required(inner)}'; export const ${name} = ${name}_${member}`);
        }
      }
    }
    tree.program.sourceType = 'module';
    return changed;
  },
};

const text = (node: object): string => (node as { name: string }).name;

function exported(property: object): string {
  const { key, value } = property as { key: object; value: object };
  return isName(key as never, text(value)) ? text(value) : `${text(value)} as ${text(key)}`;
}

/** Drops an export and what stands for it: `exports.generate`, the unused entries of numbers.js. */
export function dropExports(...names: readonly string[]): Pass {
  return {
    name: 'drop-exports',
    pattern: `the exports ${names.join(', ')}`,
    change(tree) {
      let dropped = 0;
      programOf(tree).traverse({
        AssignmentExpression(path) {
          if (!names.some((it) => isMember(path.node.left, 'exports', it))) return;
          path.parentPath.remove();
          dropped++;
        },
        ObjectProperty(path) {
          if (path.node.key.type !== 'Identifier' || !names.includes(path.node.key.name)) return;
          path.remove();
          dropped++;
        },
      });
      return dropped;
    },
  };
}
