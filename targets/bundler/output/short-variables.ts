// Gives variables short names, in the place of terser, for what a server or a flash chip compresses: the first variable of every
// function has the same name, and so has the second, so that functions look alike; what stands at the top of the bundle takes
// other letters. A variable that is mostly read from a property, or written to one, takes the property's name: `{ e: e }`
// is `{ e }`.

import type { NodePath } from '@babel/traverse';
import type { File, Identifier, Node, ObjectProperty } from '@babel/types';
import { programOf } from '../passes/pass.ts';

/** A scope as the traversal knows it. */
type Scope = NodePath['scope'];
type Binding = NonNullable<ReturnType<Scope['getBinding']>>;

/** A variable, with all that has its name. */
interface Variable {
  readonly binding: Binding;
  readonly nodes: Identifier[];
  /** Where it is used, and what lies between there and its own scope: no other variable there may have its name. */
  readonly scopes: Set<Scope>;
  /** Properties that it is the value of. */
  readonly properties: ObjectProperty[];
}

export interface NameOptions {
  /** Names that no variable may take. */
  readonly reserved: readonly string[];
  /** A variable at the top that keeps its name. */
  readonly kept: string | undefined;
  /** Whether the host reads `{ name }`. */
  readonly shorthand: boolean;
}

/** By how often a text in English, or in JavaScript, has them. */
const LOCAL = [...'tesnrioalcdhupfmgbyvkwxqjz'];
const TOP = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ$_', ...LOCAL.slice(6).reverse()];
const REST = [...LOCAL, ...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];

const WORDS = new Set(['as', 'do', 'if', 'in', 'is', 'of']);

function* namesOf(letters: readonly string[]): Generator<string> {
  yield* letters;
  for (const first of letters) for (const second of REST) if (!WORDS.has(first + second)) yield first + second;
  for (const first of letters) for (const second of REST) for (const third of REST) yield first + second + third;
}

/** All variables of the program, the outermost first, and the names in every scope that belong to no variable. */
function look(tree: File): { variables: Variable[]; globals: Map<Scope, Set<string>>; top: Scope; isClear: boolean } {
  const program = programOf(tree);
  const variables = new Map<Binding, Variable>();
  const globals = new Map<Scope, Set<string>>();
  const { body } = program.node;
  let top = program.scope;
  let isClear = true;
  program.traverse({
    WithStatement() {
      isClear = false;
    },
    Function(path) {
      // A script is one function, which is called at once.
      const isAll = body.length === 1 && path.getStatementParent()?.parentPath === program && !path.getFunctionParent();
      if (isAll && path.isFunctionExpression()) top = path.scope;
    },
    Identifier(path) {
      const { node, parent, key, listKey } = path;
      const isVariable = [
        path.isReferencedIdentifier(),
        path.isBindingIdentifier(),
        listKey === 'params',
        key === 'local',
      ];
      if (!isVariable.includes(true) || key === 'exported') return;
      const isDeclared = parent.type === 'FunctionDeclaration' || parent.type === 'ClassDeclaration';
      const scope = isDeclared && key === 'id' ? path.parentPath!.parentPath!.scope : path.scope;
      const binding = scope.getBinding(node.name);
      if (node.name === 'eval') isClear = false;
      if (!binding) {
        for (let it: Scope | undefined = scope; it; it = it.parent) {
          globals.set(it, (globals.get(it) ?? new Set()).add(node.name));
        }
        return;
      }
      const known = variables.get(binding);
      const variable = known ?? { binding, nodes: [], scopes: new Set<Scope>(), properties: [] };
      if (!known) variables.set(binding, variable);
      variable.nodes.push(node);
      for (let it = scope; it; it = it.parent) {
        variable.scopes.add(it);
        if (it === binding.scope) break;
      }
      const owner = parent.type === 'AssignmentPattern' && key === 'left' ? path.parentPath!.parent : parent;
      if (owner.type === 'ObjectProperty' && !owner.computed && partOf(owner) === node) variable.properties.push(owner);
    },
  });
  return { variables: [...variables.values()], globals, top, isClear };
}

const partOf = ({ value }: ObjectProperty): Node => (value.type === 'AssignmentPattern' ? value.left : value);

const depthOf = (scope: Scope): number => (scope.parent ? 1 + depthOf(scope.parent) : 0);

/** What a name costs, in bytes: `{ name: n }` is longer than `{ n }`. */
function cost({ nodes, properties }: Variable, name: string): number {
  const short = properties.filter(({ key }) => key.type === 'Identifier' && key.name === name).length;
  return (nodes.length - short) * name.length + (properties.length - short);
}

/** @returns how many variables there are; 0 where something could look for them by their names */
export function shortVariables(tree: File, { reserved, kept, shorthand }: NameOptions): number {
  const { variables, globals, top, isClear } = look(tree);
  if (!isClear) return 0;
  const taken = new Map<Scope, Set<string>>();
  const isFree = (name: string, { scopes }: Variable): boolean => {
    if (reserved.includes(name)) return false;
    for (const it of scopes) if (globals.get(it)?.has(name) || taken.get(it)?.has(name)) return false;
    return true;
  };
  const give = (name: string, { nodes, scopes }: Variable): void => {
    for (const it of scopes) taken.set(it, (taken.get(it) ?? new Set()).add(name));
    for (const it of nodes) it.name = name;
  };
  const firstFree = (letters: readonly string[], variable: Variable): string => {
    for (const name of namesOf(letters)) if (isFree(name, variable)) return name;
    throw new Error('mqtt-mote bundler: there are more variables than names');
  };
  const isTop = ({ binding: { scope } }: Variable): boolean => scope === top || depthOf(scope) === 0;
  const outermost = variables.filter(isTop).sort((a, b) => b.nodes.length - a.nodes.length);
  for (const it of outermost) {
    const name = it.binding.identifier.name;
    give(name === kept && depthOf(it.binding.scope) === 0 ? name : firstFree(TOP, it), it);
  }
  const inner = variables.filter((it) => !isTop(it));
  const depths = new Map(inner.map((it) => [it, depthOf(it.binding.scope)]));
  inner.sort((a, b) => depths.get(a)! - depths.get(b)!);
  for (const it of inner) {
    let best = firstFree(LOCAL, it);
    for (const { key } of shorthand ? it.properties : []) {
      if (key.type !== 'Identifier' || !isFree(key.name, it)) continue;
      if (cost(it, key.name) < cost(it, best)) best = key.name;
    }
    give(best, it);
  }
  programOf(tree).traverse({
    ObjectProperty({ node }) {
      const value = partOf(node);
      const isSame = node.key.type === 'Identifier' && value.type === 'Identifier' && node.key.name === value.name;
      node.shorthand = shorthand && isSame && !node.computed;
    },
  });
  return variables.length;
}
