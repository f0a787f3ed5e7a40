// Drops what a class has and nobody asks for: methods and the calls of them, fields and what is assigned to them; and gives
// fields that are the same in every instance their one value.

import type { NodePath } from '@babel/traverse';
import { type ClassMethod, type ClassProperty, cloneNode, type Node, numericLiteral } from '@babel/types';
import { type Pass, programOf } from './pass.ts';

/** `name` of `any.name`, not computed. */
function memberName(node: Node): string | undefined {
  return node.type === 'MemberExpression' && !node.computed && node.property.type === 'Identifier'
    ? node.property.name
    : undefined;
}

/** Statements that call a function or a method of one of these names. */
export function dropCalls(...names: readonly string[]): Pass {
  return {
    name: 'drop-calls',
    pattern: `calls of ${names.join(', ')}`,
    change(tree) {
      let dropped = 0;
      programOf(tree).traverse({
        ExpressionStatement(path) {
          const { expression } = path.node;
          if (expression.type !== 'CallExpression') return;
          const { callee } = expression;
          const name = callee.type === 'Identifier' ? callee.name : memberName(callee);
          if (name === undefined || !names.includes(name)) return;
          path.remove();
          dropped++;
        },
      });
      return dropped;
    },
  };
}

/** Methods and fields of these names, and the statements that assign to such a field. */
export function dropMembers(...names: readonly string[]): Pass {
  return {
    name: 'drop-members',
    pattern: `the members ${names.join(', ')}`,
    change(tree) {
      let dropped = 0;
      const drop = (path: NodePath<ClassMethod> | NodePath<ClassProperty>): void => {
        const { key } = path.node;
        if (key.type !== 'Identifier' || !names.includes(key.name)) return;
        path.remove();
        dropped++;
      };
      programOf(tree).traverse({
        ClassMethod: drop,
        ClassProperty: drop,
        ExpressionStatement(path) {
          const { expression } = path.node;
          if (expression.type !== 'AssignmentExpression' || expression.operator !== '=') return;
          const name = memberName(expression.left);
          if (name === undefined || !names.includes(name)) return;
          path.remove();
          dropped++;
        },
      });
      return dropped;
    },
  };
}

/** Variables and parameters that take the value of a field: each use of them is the value. */
export function fixVariables(values: Readonly<Record<string, number>>): Pass {
  return {
    name: 'fix-variables',
    pattern: `the variables ${Object.keys(values).join(', ')}`,
    change(tree) {
      let fixed = 0;
      const look = (path: NodePath): void => {
        for (const [name, value] of Object.entries(values)) {
          const binding = path.scope.getOwnBinding(name);
          if (!binding || binding.path.removed) continue;
          for (const use of binding.referencePaths) use.replaceWith(cloneNode(numericLiteral(value)));
          fixed += binding.referencePaths.length;
        }
      };
      programOf(tree).traverse({
        ClassMethod(path) {
          look(path);
          path.node.params = path.node.params.filter((it) => it.type !== 'Identifier' || !(it.name in values));
        },
        // const { name } = this
        ObjectPattern(path) {
          path.node.properties = path.node.properties.filter(
            (it) => it.type !== 'ObjectProperty' || it.key.type !== 'Identifier' || !(it.key.name in values),
          );
        },
      });
      return fixed;
    },
  };
}

/** The arguments that every constructor hands to its super class in these places. */
export function dropSuperArguments(values: Readonly<Record<number, number>>): Pass {
  const places = Object.keys(values).map(Number);
  return {
    name: 'drop-super-arguments',
    pattern: `super() with ${places.map((it) => `${values[it]} in place ${it}`).join(', ')}`,
    change(tree) {
      let dropped = 0;
      programOf(tree).traverse({
        CallExpression({ node }) {
          if (node.callee.type !== 'Super') return;
          const given = node.arguments;
          const same = places.every((it) => given[it]?.type === 'NumericLiteral' && given[it].value === values[it]);
          if (!same) return;
          node.arguments = given.filter((_, index) => !(index in values));
          dropped++;
        },
      });
      return dropped;
    },
  };
}
