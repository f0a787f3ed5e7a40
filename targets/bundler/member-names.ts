// Which members of src's classes are called what, where nobody but the class itself can ask for them: what is private or
// protected, and only ever asked of `this`. Such names are of one class and what it extends, so that all classes can use the
// same short ones; a namesake elsewhere, be it part of the public API, does not matter.

import { type ClassDeclaration, type Node, VISITOR_KEYS } from '@babel/types';
import type { Module } from './passes/pass.ts';

/** Short names by the member's own, for every class that has such members. */
export type MemberNames = ReadonlyMap<ClassName, ReadonlyMap<string, string>>;

/** `src/client/client.ts Client` */
export type ClassName = string;

export const classNameOf = (module: Module, { id }: ClassDeclaration): ClassName => `${module.name} ${id?.name}`;

export const classesOf = ({ tree }: Module): ClassDeclaration[] =>
  tree.program.body.flatMap((statement) => {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    return node?.type === 'ClassDeclaration' ? [node] : [];
  });

/** Classes that extend each other: their objects have the members of all. */
interface Family {
  readonly names: ClassName[];
  readonly classes: ClassDeclaration[];
}

/** A class of that name, of the module or imported by it. */
function parentOf(module: Module, { superClass }: ClassDeclaration): ClassName | undefined {
  if (superClass?.type !== 'Identifier') return undefined;
  for (const node of module.tree.program.body) {
    if (node.type !== 'ImportDeclaration') continue;
    for (const it of node.specifiers) {
      if (it.local.name !== superClass.name || it.type !== 'ImportSpecifier') continue;
      const file = new URL(node.source.value, `file:///${module.name}`).pathname.slice(1);
      return `${file} ${(it.imported as { name: string }).name}`;
    }
  }
  return `${module.name} ${superClass.name}`;
}

function families(modules: readonly Module[]): Family[] {
  const found = new Map<ClassName, Family>();
  const parents = new Map<ClassName, ClassName>();
  for (const module of modules) {
    for (const it of classesOf(module)) {
      const name = classNameOf(module, it);
      found.set(name, { names: [name], classes: [it] });
      const parent = parentOf(module, it);
      if (parent !== undefined) parents.set(name, parent);
    }
  }
  const rootOf = (name: ClassName): ClassName => (parents.has(name) ? rootOf(parents.get(name)!) : name);
  for (const [name, { classes }] of [...found]) {
    const root = found.get(rootOf(name));
    if (!root || rootOf(name) === name) continue;
    root.names.push(name);
    root.classes.push(...classes);
    found.delete(name);
  }
  return [...found.values()];
}

type Members = Map<string, { hidden: boolean; uses: number; elsewhere: boolean }>;

function eachChild(node: Node, visit: (child: Node) => void): void {
  for (const key of VISITOR_KEYS[node.type] ?? []) {
    const child = (node as unknown as Record<string, Node | (Node | null)[] | null | undefined>)[key];
    for (const it of Array.isArray(child) ? child : [child]) if (it) visit(it);
  }
}

const keyOf = (node: { key?: Node; computed?: boolean }): string | undefined =>
  node.key?.type === 'Identifier' && !node.computed ? node.key.name : undefined;

/** `this`, or `super`. */
export const isSelf = ({ type }: Node): boolean => type === 'ThisExpression' || type === 'Super';

/** Every member, how often `this` is asked for it, and whether something else is asked for one of that name. */
function membersOf({ classes }: Family): Members {
  const members: Members = new Map();
  for (const { body } of classes) {
    for (const it of body.body) {
      const name = keyOf(it as { key?: Node });
      if (name === undefined || name === 'constructor') continue;
      const { accessibility } = it as { accessibility?: string };
      const hidden = accessibility === 'private' || accessibility === 'protected';
      members.set(name, { hidden: hidden && (members.get(name)?.hidden ?? true), uses: 1, elsewhere: false });
    }
  }
  const note = (name: string | undefined, isOwn: boolean): void => {
    const it = name === undefined ? undefined : members.get(name);
    if (!it) return;
    it.uses++;
    if (!isOwn) it.elsewhere = true;
  };
  const visit = (node: Node, self: boolean): void => {
    if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') {
      if (!node.computed) {
        note((node.property as { name?: string }).name, self && isSelf(node.object));
      }
    } else if (node.type === 'VariableDeclarator' && node.id.type === 'ObjectPattern') {
      for (const it of node.id.properties) {
        if (it.type === 'ObjectProperty') note(keyOf(it), self && node.init?.type === 'ThisExpression');
      }
      if (node.init) visit(node.init, self);
      for (const it of node.id.properties) if (it.type === 'ObjectProperty') visit(it.value, self);
      return;
    } else if (node.type === 'ObjectProperty') note(keyOf(node), false);
    const keeps = node.type !== 'FunctionExpression' && node.type !== 'ObjectMethod' && node.type !== 'ClassExpression';
    eachChild(node, (it) => visit(it, self && keeps));
  };
  for (const { body } of classes) for (const it of body.body) eachChild(it, (child) => visit(child, true));
  return members;
}

/** Whether a class of the family takes another object of the family: then a name that something else is asked for is a doubt. */
function meetsItsOwn({ names, classes }: Family): boolean {
  const own = names.map((it) => it.split(' ')[1]!);
  let found = false;
  const visit = (node: Node): void => {
    if (node.type === 'TSTypeReference' && node.typeName.type === 'Identifier') {
      found ||= own.includes(node.typeName.name);
    }
    eachChild(node, visit);
  };
  for (const { body } of classes) visit(body);
  return found;
}

export interface HiddenMembers {
  /** The names of its members, the most used first. */
  readonly own: readonly string[];
  /** All that its objects have besides. */
  readonly others: readonly string[];
  /** The classes. */
  readonly names: readonly ClassName[];
  /** Where they are declared. */
  readonly nodes: readonly Node[];
}

/** What every family of classes keeps to itself. */
export function hiddenMembers(modules: readonly Module[]): HiddenMembers[] {
  return families(modules).map((family) => {
    const members = membersOf(family);
    const doubt = meetsItsOwn(family);
    const isOwn = (name: string): boolean => {
      const it = members.get(name);
      return name.length > 1 && !!it?.hidden && !(it.elsewhere && doubt);
    };
    const own = [...members.keys()].filter(isOwn);
    own.sort((a, b) => members.get(b)!.uses - members.get(a)!.uses || (a < b ? -1 : 1));
    return {
      own,
      others: [...members.keys()].filter((it) => !own.includes(it)),
      names: family.names,
      nodes: family.classes.flatMap(({ body }) => body.body.filter((it) => isOwn(keyOf(it as { key?: Node }) ?? ''))),
    };
  });
}

export const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `_a` to `_Z`, then `_aa` and so on: names that no app gives. */
export const shortName = (index: number): string => {
  const rest = Math.floor(index / LETTERS.length);
  return `${rest > 0 ? shortName(rest - 1) : '_'}${LETTERS[index % LETTERS.length]}`;
};

/**
 * @param names what other properties of src are called
 * @param isInner whether an app never holds an object of a module's classes, so that a letter alone will do
 */
export function memberNames(
  hidden: readonly HiddenMembers[],
  names: ReadonlyMap<string, string>,
  isInner: (module: string) => boolean,
): MemberNames {
  const result = new Map<ClassName, ReadonlyMap<string, string>>();
  for (const family of hidden) {
    const taken = new Set(family.others.map((it) => names.get(it) ?? it));
    const letters = family.names.every((it) => isInner(it.split(' ')[0]!)) ? LETTERS : '';
    const all = [...letters, ...Array.from({ length: family.own.length + taken.size }, (_, index) => shortName(index))];
    const free = all.filter((it) => !taken.has(it));
    const short = new Map(family.own.map((name, index) => [name, free[index]!]));
    for (const it of family.names) if (short.size > 0) result.set(it, short);
  }
  return result;
}
