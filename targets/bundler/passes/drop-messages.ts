// Drops the sentences of errors and warnings: on a small host the code, the reason and the clause stand for them, and
// `mqtt-mote/explain` turns those into sentences on a PC. What a host has said stays: that is no text of src. Where a
// sentence says what is wrong with an option, its first word, the option's name, becomes the reason.

import type { Binding, NodePath } from '@babel/traverse';
import {
  type ArrowFunctionExpression,
  type CallExpression,
  conditionalExpression,
  type Expression,
  type FunctionDeclaration,
  type FunctionExpression,
  identifier,
  type Node,
  objectExpression,
  objectProperty,
  type Program,
  stringLiteral,
  templateElement,
  templateLiteral,
} from '@babel/types';
import { isName, type Module, programOf } from './pass.ts';

/** A function that makes an error, or hands a sentence on to one that does. */
interface Maker {
  /** Which of its arguments is the sentence. */
  readonly at: number;
  /** It makes an error that has neither reason nor clause, and whose code leaves open what is wrong. */
  readonly isOption: boolean;
}

/** Makers by the name that a module exports them under, by the name of the module. */
export type Makers = ReadonlyMap<string, ReadonlyMap<string, Maker>>;

type Code = ArrowFunctionExpression | FunctionDeclaration | FunctionExpression;

/** The module where all errors are made, and the function that makes them. */
const ORIGIN = 'src/error.ts';
const ROOT: Maker = { at: 1, isOption: false };

/** Methods that take a sentence: of the client, and of what the machine tells about the server. */
const METHODS: ReadonlyMap<string, number> = new Map([
  ['warn', 1],
  ['violation', 0],
]);

/** Codes that leave open what it was that is wrong. */
const OPEN = ['bad-option', 'bad-packet'];

/** Every `import { name } from './module.ts'` of values: the module's name, as in {@link Module}. */
function target(from: string, importer: string): string {
  return new URL(from, `file:///${importer}`).pathname.slice(1);
}

const codeOf = (binding: Binding): NodePath<Code> | undefined => {
  const path = binding.path.isVariableDeclarator() ? (binding.path.get('init') as NodePath) : binding.path;
  return path.isFunctionDeclaration() || path.isArrowFunctionExpression() || path.isFunctionExpression()
    ? path
    : undefined;
};

class Sentences {
  readonly program: NodePath<Program>;
  private readonly makers = new Map<Binding, Maker>();

  constructor(module: Module, known: Makers) {
    this.program = programOf(module.tree);
    for (const binding of Object.values(this.program.scope.bindings)) {
      const { path } = binding;
      if (module.name === ORIGIN && binding.identifier.name === 'mqttError') this.makers.set(binding, ROOT);
      if (!path.isImportSpecifier() || path.parent.type !== 'ImportDeclaration') continue;
      const { imported } = path.node;
      const name = imported.type === 'Identifier' ? imported.name : imported.value;
      const maker = known.get(target(path.parent.source.value, module.name))?.get(name);
      if (maker) this.makers.set(binding, maker);
    }
    while (this.findMore());
  }

  get hasMakers(): boolean {
    return this.makers.size > 0;
  }

  exported(): Map<string, Maker> {
    const found = new Map<string, Maker>();
    for (const [{ identifier: id, path }, maker] of this.makers)
      if (!path.isImportSpecifier()) found.set(id.name, maker);
    return found;
  }

  makerOf(path: NodePath<CallExpression>): Maker | undefined {
    const { callee } = path.node;
    if (callee.type === 'MemberExpression' && callee.property.type === 'Identifier' && !callee.computed) {
      const at = METHODS.get(callee.property.name);
      return at === undefined ? undefined : { at, isOption: false };
    }
    const binding = callee.type === 'Identifier' ? path.scope.getBinding(callee.name) : undefined;
    return binding && this.makers.get(binding);
  }

  /** Whether what the call makes leaves open what is wrong. */
  lacksReason(path: NodePath<CallExpression>, maker: Maker): boolean {
    const [code, , details] = path.node.arguments;
    if (maker !== ROOT) return maker.isOption;
    if (code?.type !== 'StringLiteral' || !OPEN.includes(code.value)) return false;
    if (details?.type !== 'ObjectExpression') return details === undefined;
    return details.properties.every(
      (it) => it.type === 'ObjectProperty' && !isName(it.key, 'reason') && !isName(it.key, 'clause'),
    );
  }

  /** Functions whose parameter is nothing but the sentence, or a part of it, of a maker that is known. */
  private findMore(): boolean {
    const before = this.makers.size;
    this.program.traverse({
      CallExpression: (path) => {
        const maker = this.makerOf(path);
        const sentence = maker && path.get('arguments')[maker.at];
        const kept =
          maker && sentence && this.lacksReason(path, maker) ? namesIn(firstWord(sentence.node as Expression)) : [];
        const parts = sentence?.isIdentifier()
          ? [sentence]
          : sentence?.isTemplateLiteral()
            ? sentence.get('expressions')
            : [];
        for (const part of parts) {
          if (kept.includes(part.node)) continue;
          const binding = part.isIdentifier() ? part.scope.getBinding(part.node.name) : undefined;
          if (
            binding?.kind !== 'param' ||
            !binding.referencePaths.every((it) => it.findParent((up) => up === sentence) || it === sentence)
          )
            continue;
          const owner = binding.scope.path;
          const named = this.bindings(owner.parentPath!.scope).find((it) => codeOf(it)?.node === owner.node);
          if (!named || this.makers.has(named)) continue;
          const at = (owner.node as Code).params.indexOf(binding.identifier);
          this.makers.set(named, { at, isOption: part === sentence && this.lacksReason(path, maker!) });
        }
      },
    });
    return this.makers.size > before;
  }

  private bindings(scope: NodePath['scope']): Binding[] {
    return Object.values(scope.getAllBindings() as Record<string, Binding>);
  }
}

/** What src's modules export that makes errors. */
export function messageMakers(modules: readonly Module[]): Makers {
  const known = new Map<string, Map<string, Maker>>();
  const count = (): number => [...known.values()].reduce((sum, it) => sum + it.size, 0);
  for (let before = -1; count() > before; ) {
    before = count();
    for (const it of modules) known.set(it.name, new Sentences(it, known).exported());
  }
  if (!known.get(ORIGIN)?.has('mqttError'))
    throw new Error(`mqtt-mote bundler: pass drop-messages: no mqttError() in ${ORIGIN}`);
  return known;
}

/** Text of src, as against what somebody else has said. */
function isText(path: NodePath<Node | null | undefined>): boolean {
  if (path.isStringLiteral() || path.isTemplateLiteral()) return true;
  if (path.isConditionalExpression()) return isText(path.get('consequent')) && isText(path.get('alternate'));
  if (path.isBinaryExpression()) return isText(path.get('left')) || isText(path.get('right'));
  if (!path.isIdentifier()) return false;
  const binding = path.scope.getBinding(path.node.name);
  return binding?.kind === 'const' && binding.path.isVariableDeclarator() && isText(binding.path.get('init'));
}

const ARTICLE = /^(a|an|the|there|this)$/;

/** What a sentence begins with, up to the first space, where that can be a name. */
function firstWord(sentence: Expression): Expression | undefined {
  if (sentence.type === 'StringLiteral') {
    const [word = ''] = sentence.value.split(' ');
    return ARTICLE.test(word) ? undefined : stringLiteral(word);
  }
  if (sentence.type === 'ConditionalExpression') {
    const [yes, no] = [firstWord(sentence.consequent), firstWord(sentence.alternate)];
    return yes && no && conditionalExpression(sentence.test, yes, no);
  }
  if (sentence.type !== 'TemplateLiteral') return undefined;
  const texts = sentence.quasis.map((it) => it.value.cooked ?? it.value.raw);
  const last = texts.findIndex((it) => it.includes(' '));
  const parts = texts.slice(0, last + 1).map((it, index) => (index === last ? it.split(' ')[0]! : it));
  const values = sentence.expressions.slice(0, last) as Expression[];
  if (values.length === 0) return ARTICLE.test(parts[0]!) ? undefined : stringLiteral(parts[0]!);
  if (values.length === 1 && parts.join('') === '') return values[0];
  return templateLiteral(
    parts.map((it, at) => templateElement({ raw: it, cooked: it }, at === last)),
    values,
  );
}

/** The expressions that the first word is made of. */
const namesIn = (word: Expression | undefined): Node[] =>
  word?.type === 'TemplateLiteral' ? word.expressions : word ? [word] : [];

export interface Dropped {
  /** How many sentences were dropped. */
  readonly count: number;
  /** What became a reason, as text where it is one. */
  readonly reasons: readonly string[];
}

/** @throws Error where a module makes errors, and no sentence is found */
export function dropMessages(module: Module, known: Makers): Dropped {
  const sentences = new Sentences(module, known);
  const reasons: string[] = [];
  let count = 0;
  const drop = (path: NodePath<CallExpression>, at: number): void => {
    const { arguments: args } = path.node;
    if (at === args.length - 1 && path.node.callee.type === 'Identifier') args.pop();
    else args[at] = stringLiteral('');
    count++;
  };
  const addReason = (path: NodePath<CallExpression>, reason: Expression): void => {
    const { arguments: args } = path.node;
    reasons.push(reason.type === 'StringLiteral' ? reason.value : '');
    const property = objectProperty(identifier('reason'), reason);
    const [, , details] = args;
    if (details?.type === 'ObjectExpression') details.properties.push(property);
    else args[2] = objectExpression([property]);
  };
  const calls: (readonly [NodePath<CallExpression>, Maker, boolean])[] = [];
  sentences.program.traverse({
    CallExpression(path) {
      const maker = sentences.makerOf(path);
      if (maker) calls.push([path, maker, sentences.lacksReason(path, maker)]);
    },
    // A warning that is written down: { code, message }
    ObjectProperty(path) {
      if (!isName(path.node.key, 'message') || path.node.computed || !isText(path.get('value'))) return;
      const names = (path.parent as { properties: Node[] }).properties.map((it) => ('key' in it ? it.key : undefined));
      if (!names.some((it) => isName(it as Node, 'code'))) return;
      path.node.value = stringLiteral('');
      path.node.shorthand = false;
      count++;
    },
  });
  for (const [path, maker, lacksReason] of calls) {
    const sentence = path.get('arguments')[maker.at];
    if (!sentence) continue;
    const isParameter = sentence.isIdentifier() && sentence.scope.getBinding(sentence.node.name)?.kind === 'param';
    if (!isText(sentence) && !(lacksReason && isParameter && maker === ROOT)) continue;
    const reason = !lacksReason
      ? undefined
      : isParameter
        ? (sentence.node as Expression)
        : firstWord(sentence.node as Expression);
    if (maker !== ROOT && lacksReason && reason) {
      path.node.arguments[maker.at] = reason;
      reasons.push(reason.type === 'StringLiteral' ? reason.value : '');
      count++;
      continue;
    }
    if (lacksReason && reason) addReason(path, reason);
    drop(path, maker.at);
  }
  const isSaidElsewhere = (it: NodePath | undefined): boolean => !!it?.isIdentifier() || !!it?.isMemberExpression();
  const handsOn = calls.length > 0 && calls.every(([path, { at }]) => isSaidElsewhere(path.get('arguments')[at]));
  if (count === 0 && sentences.hasMakers && !handsOn && module.name !== ORIGIN) {
    throw new Error(`mqtt-mote bundler: pass drop-messages looked for sentences in ${module.name}: found none`);
  }
  return { count, reasons };
}
