// Puts the numbers of src's frozen tables (PacketType, State, Event, ...) where they are used, and marks the tables as free
// of effects, so that esbuild leaves out those that nothing looks into any more.

import type { NodePath } from '@babel/traverse';
import {
  addComment,
  cloneNode,
  type Expression,
  type Node,
  numericLiteral,
  type ObjectPattern,
  type VariableDeclarator,
} from '@babel/types';
import { isMember, isName, type Module, programOf } from './pass.ts';

/** Names of a table and their numbers. */
export type Table = Readonly<Record<string, number>>;

const unwrap = (node: Expression): Expression =>
  node.type === 'TSAsExpression' || node.type === 'TSSatisfiesExpression' ? unwrap(node.expression) : node;

/** The argument of `Object.freeze(...)`. */
function frozen(node: Expression | null | undefined): Expression | undefined {
  if (node?.type !== 'CallExpression' || !isMember(node.callee, 'Object', 'freeze')) return undefined;
  return unwrap(node.arguments[0] as Expression);
}

function tableOf(node: Expression | undefined): Table | undefined {
  if (node?.type !== 'ObjectExpression') return undefined;
  const table: Record<string, number> = {};
  for (const it of node.properties) {
    if (it.type !== 'ObjectProperty' || it.key.type !== 'Identifier' || it.computed) return undefined;
    if (it.value.type !== 'NumericLiteral') return undefined;
    table[it.key.name] = it.value.value;
  }
  return table;
}

/** The tables that a module declares at its top. */
export function tablesOf(module: Module): Map<string, Table> {
  const tables = new Map<string, Table>();
  for (const node of module.tree.program.body) {
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declaration?.type !== 'VariableDeclaration') continue;
    for (const { id, init } of declaration.declarations) {
      const table = tableOf(frozen(init));
      if (table && id.type === 'Identifier') tables.set(id.name, table);
    }
  }
  return tables;
}

/** Puts the numbers where the variables of `const { Name } = TABLE` are used, and takes that away. */
function inlinePattern(path: NodePath<VariableDeclarator>, table: Table): void {
  const names = Object.keys(path.getBindingIdentifiers());
  const isPlain = (path.node.id as ObjectPattern).properties.every(
    (it) => it.type === 'ObjectProperty' && isName(it.key, nameOf(it.value)),
  );
  if (!isPlain || !names.every((it) => Object.hasOwn(table, it))) return;
  for (const name of names) {
    for (const use of path.scope.getBinding(name)!.referencePaths) {
      if (use.parentPath?.isObjectProperty()) use.parentPath.node.shorthand = false;
      use.replaceWith(numericLiteral(table[name]!));
    }
  }
  path.remove();
}

const nameOf = (node: Node): string => (node.type === 'Identifier' ? node.name : '');

/** @param read gives the module that an import names, or undefined where it is none of src's */
export function inlineConstants(module: Module, read: (from: string) => Module | undefined): void {
  const tables = new Map(tablesOf(module));
  for (const node of module.tree.program.body) {
    if (node.type !== 'ImportDeclaration') continue;
    const source = read(node.source.value);
    const known = source && tablesOf(source);
    for (const it of known ? node.specifiers : []) {
      if (it.type !== 'ImportSpecifier' || it.imported.type !== 'Identifier') continue;
      const table = known!.get(it.imported.name);
      if (table) tables.set(it.local.name, table);
    }
  }
  const program = programOf(module.tree);
  program.traverse({
    MemberExpression(path) {
      const { object, property, computed } = path.node;
      if (computed || object.type !== 'Identifier' || property.type !== 'Identifier') return;
      const value = tables.get(object.name)?.[property.name];
      if (value === undefined || path.scope.getBinding(object.name)?.scope !== program.scope) return;
      path.replaceWith(cloneNode(numericLiteral(value)));
    },
    VariableDeclarator(path) {
      const { id, init } = path.node;
      // const { Puback, Pubrec } = PacketType
      const table = init?.type === 'Identifier' && id.type === 'ObjectPattern' ? tables.get(init.name) : undefined;
      if (table && path.scope === program.scope) inlinePattern(path, table);
      if (init && path.scope === program.scope && frozen(init)) addComment(init, 'leading', ' @__PURE__ ');
    },
  });
}
