// Which property names are src's own: declared there, and neither part of the public API, nor of the language, nor known
// to a dependency, nor spelled out in a string. Every doubt keeps a name as it is.

import { runInNewContext } from 'node:vm';
import { type Node, VISITOR_KEYS } from '@babel/types';
import { hiddenMembers, LETTERS, type MemberNames, memberNames, shortName } from './member-names.ts';
import type { Module } from './passes/pass.ts';

type Visit = (node: Node) => boolean | undefined;

/** Visits a node and all below it. Where `visit` says false, it does not enter. */
function walk(node: Node | null | undefined, visit: Visit): void {
  if (node && visit(node) !== false) walkBelow(node, visit);
}

/** Visits all below a node, but for what stands under that key. */
function walkBelow(node: Node, visit: Visit, except?: string): void {
  for (const key of VISITOR_KEYS[node.type] ?? []) {
    if (key === except) continue;
    const child = (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key];
    for (const it of Array.isArray(child) ? child : [child]) walk(it, visit);
  }
}

/** The name of a property that this node declares. */
function declaredName(node: Node): string | undefined {
  switch (node.type) {
    case 'ClassMethod':
    case 'ClassProperty':
    case 'ObjectMethod':
    case 'ObjectProperty':
    case 'TSPropertySignature':
    case 'TSMethodSignature':
      return node.key.type === 'Identifier' && !node.computed ? node.key.name : undefined;
  }
  return undefined;
}

/** Every name that is used as a property, whether declared there or not. */
function propertyNames(root: Node, into: Set<string>): void {
  walk(root, (node) => {
    // What is only taken out of something whose type says what it is.
    if (node.type === 'ObjectPattern' && node.typeAnnotation) return false;
    const declared = declaredName(node);
    if (declared !== undefined) into.add(declared);
    if ((node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') && !node.computed) {
      if (node.property.type === 'Identifier') into.add(node.property.name);
    }
    return undefined;
  });
}

/** Texts that could name a property at run time: not those of types, nor those that something is only compared with. */
function strings(root: Node, into: Set<string>): void {
  walk(root, (node) => {
    if (node.type === 'StringLiteral') into.add(node.value);
    if (node.type === 'BinaryExpression' && node.operator !== 'in') {
      for (const it of [node.left, node.right]) if (it.type !== 'StringLiteral') strings(it, into);
      return false;
    }
    if (node.type === 'SwitchCase') {
      if (node.test?.type !== 'StringLiteral') strings(node.test!, into);
      for (const it of node.consequent) strings(it, into);
      return false;
    }
    return node.type !== 'TSLiteralType' && node.type !== 'ImportDeclaration';
  });
}

/** Names of the language: of every built-in object, its prototype, iterators, and of the records it reads and makes. */
function builtInNames(): Set<string> {
  const names = new Set(['done', 'value', 'get', 'set', 'enumerable', 'configurable', 'writable', 'cause', 'then']);
  const language = runInNewContext('globalThis') as Record<string, unknown>;
  const add = (it: unknown): void => {
    if ((typeof it !== 'object' && typeof it !== 'function') || it === null) return;
    for (const name of Object.getOwnPropertyNames(it)) names.add(name);
  };
  for (const name of Object.getOwnPropertyNames(language)) {
    const it = language[name];
    names.add(name);
    add(it);
    if (typeof it === 'function') add(it.prototype);
  }
  const generator = Object.getPrototypeOf(async function* () {}.prototype);
  for (let it: unknown = generator; it; it = Object.getPrototypeOf(it)) add(it);
  for (let it: unknown = [][Symbol.iterator](); it; it = Object.getPrototypeOf(it)) add(it);
  return names;
}

/** Private, protected (nobody derives from our classes), or marked as internal. */
const isHidden = (node: Node): boolean =>
  (node.type === 'ClassMethod' || node.type === 'ClassProperty' || node.type === 'TSDeclareMethod') &&
  (node.accessibility === 'private' ||
    node.accessibility === 'protected' ||
    !!node.leadingComments?.some(({ value }) => value.indexOf('@internal') >= 0));

/** Declarations at the top of modules, by their name. Namesakes are all kept: a doubt makes more names public. */
function declarations(modules: readonly Module[]): Map<string, Node[]> {
  const found = new Map<string, Node[]>();
  const add = (name: string, node: Node): void => void found.set(name, [...(found.get(name) ?? []), node]);
  for (const { tree } of modules) {
    for (const statement of tree.program.body) {
      const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
      if (node?.type === 'VariableDeclaration') {
        for (const it of node.declarations) if (it.id.type === 'Identifier') add(it.id.name, it);
      } else if (node && 'id' in node && node.id?.type === 'Identifier') {
        add(node.id.name, node);
      }
    }
  }
  return found;
}

/** What an app can name: the exports of the entry points. */
function exportedNames(entries: readonly Module[]): string[] {
  return entries.flatMap(({ tree }) =>
    tree.program.body.flatMap((node) => {
      if (node.type !== 'ExportNamedDeclaration') return [];
      const { declaration } = node;
      const direct =
        declaration && 'id' in declaration && declaration.id?.type === 'Identifier' ? [declaration.id.name] : [];
      const variables = declaration?.type === 'VariableDeclaration' ? declaration.declarations : [];
      return [
        ...direct,
        ...variables.map((it) => (it.id as { name: string }).name),
        ...node.specifiers.map((it) => (it as { local: { name: string } }).local.name),
      ];
    }),
  );
}

/** Names of properties that an app can see, from what is exported through every type that it mentions. */
function publicNames(modules: readonly Module[], entries: readonly Module[]): Set<string> {
  const known = declarations(modules);
  const names = new Set<string>();
  const seen = new Set<string>();
  const wait = exportedNames(entries);
  const visit = (node: Node): boolean | undefined => {
    if (isHidden(node)) return false;
    const declared = declaredName(node);
    if (declared !== undefined) names.add(declared);
    // A parameter, and what a property is called, say nothing about a declaration of that name.
    if (node.type === 'Identifier' && !node.typeAnnotation) wait.push(node.name);
    if (node.type === 'ObjectPattern' && node.typeAnnotation) {
      walk(node.typeAnnotation, visit);
      return false;
    }
    // Of code only the signature is seen, where it is written down.
    if ('returnType' in node && node.returnType && 'body' in node) {
      for (const it of node.params as Node[]) walk(it, visit);
      walk(node.returnType, visit);
      return false;
    }
    if (node.type === 'ClassMethod' && node.kind === 'constructor') {
      for (const it of node.params) walk(it, visit);
      return false;
    }
    if (node.type === 'MemberExpression' && !node.computed) walkBelow(node, visit, 'property');
    else if (declared !== undefined) walkBelow(node, visit, 'key');
    else return undefined;
    return false;
  };
  for (let name = wait.pop(); name !== undefined; name = wait.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const node of known.get(name) ?? []) walk(node, visit);
  }
  return names;
}

export interface Sources {
  /** Every module of src. */
  readonly modules: readonly Module[];
  /** Those that the package exports. */
  readonly entries: readonly Module[];
  /** What is bundled with it: mqtt-packet, noble, shims. */
  readonly foreign: readonly Module[];
}

/** What src's own properties are called in a bundle. */
export interface OwnNames {
  readonly properties: ReadonlyMap<string, string>;
  readonly members: MemberNames;
}

/** The rooms that every app carries: their names are the shortest, whatever else there is. */
const CORE = /\/(client|protocol|framing)\//;

/** Rooms whose objects an app never holds, so that no property of its own can meet theirs: a letter alone will do. */
const INNER = /\/(protocol|framing)\//;

/** Uses in the core count before all others. */
const CORE_USE = 1_000_000;

/** src's own property names and what to call them, the most used first. */
export function ownNames({ modules, entries, foreign }: Sources): OwnNames {
  const hidden = hiddenMembers(modules);
  const isHiddenMember = new Set(hidden.flatMap(({ nodes }) => nodes));
  const kept = new Set([...builtInNames(), ...publicNames(modules, entries)]);
  const foreignNames = new Set<string>();
  for (const { tree } of foreign) propertyNames(tree.program, foreignNames);
  for (const { name, tree } of modules) {
    strings(tree.program, kept);
    // What goes to a host's own functions.
    if (/\/(node-|espruino)/.test(name)) propertyNames(tree.program, kept);
    let writesText = false;
    walk(tree.program, (node) => {
      if (node.type === 'Identifier' && node.name === 'JSON') writesText = true;
      // What goes to a package, and comes from it.
      if (node.type === 'ImportDeclaration' && !node.source.value.startsWith('.')) {
        const used = new Set<string>();
        propertyNames(tree.program, used);
        for (const it of used) if (foreignNames.has(it)) kept.add(it);
      }
      return undefined;
    });
    if (writesText) propertyNames(tree.program, kept);
  }
  const uses = new Map<string, number>();
  const declared = new Set<string>();
  const outer = new Set<string>();
  for (const { name: module, tree } of modules) {
    const weight = CORE.test(module) ? CORE_USE : 1;
    walk(tree.program, (node) => {
      const name = isHiddenMember.has(node) ? undefined : declaredName(node);
      if (name !== undefined && node.type !== 'ObjectProperty') declared.add(name);
      if (name !== undefined && !INNER.test(module)) outer.add(name);
      if (node.type === 'Identifier') uses.set(node.name, (uses.get(node.name) ?? 0) + weight);
      return undefined;
    });
  }
  const own = [...declared].filter((it) => !kept.has(it) && it.length > 2);
  own.sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0) || (a < b ? -1 : 1));
  const letters = [...LETTERS].filter((it) => !kept.has(it));
  const inner = own.filter((it) => !outer.has(it)).slice(0, letters.length);
  const others = own.filter((it) => !inner.includes(it));
  const properties = new Map([
    ...inner.map((name, index) => [name, letters[index]!] as const),
    ...others.map((name, index) => [name, shortName(index)] as const),
  ]);
  return { properties, members: memberNames(hidden, properties, (module) => INNER.test(module)) };
}
