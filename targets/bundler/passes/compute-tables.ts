// Puts the values of mqtt-packet's constants where they are used. Tables of one-byte headers become the arithmetic that
// filled them, checked here against every cell of the table: on small engines tables cost more than code.

import { parseExpression } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import { cloneNode, type Expression, type MemberExpression, numericLiteral } from '@babel/types';
import type { Pass } from './pass.ts';
import { isMember, isName, programOf } from './pass.ts';

/** The exports of constants.js. */
export type Constants = Readonly<Record<string, unknown>>;

/** PUBACK; PUBREC, PUBREL and PUBCOMP follow (2.2.1). */
const FIRST_ACK = 4;

type Headers = readonly (readonly (readonly Uint8Array[])[])[];

const expression = (text: string): Expression => parseExpression(text) as Expression;

/** The indices of `object[a][b][c]`, and the outermost member expression. */
function indexed(path: NodePath<MemberExpression>): { whole: NodePath; indices: Expression[] } {
  let whole: NodePath = path;
  const indices: Expression[] = [];
  while (whole.parentPath?.isMemberExpression() && whole.parentPath.node.object === whole.node) {
    if (!whole.parentPath.node.computed) break;
    indices.push(whole.parentPath.node.property as Expression);
    whole = whole.parentPath;
  }
  return { whole, indices };
}

/** @throws Error where a table of headers is not what the arithmetic gives */
function checkHeaders(name: string, table: Headers, type: number): void {
  for (let qos = 0; qos < 3; qos++) {
    for (let dup = 0; dup < 2; dup++) {
      for (let retain = 0; retain < 2; retain++) {
        if (table[qos]?.[dup]?.[retain]?.[0] !== ((type << 4) | (dup << 3) | (qos << 1) | retain)) {
          throw new Error(`mqtt-mote bundler: pass compute-tables: ${name} is not a table of headers`);
        }
      }
    }
  }
}

const bits = (value: Expression, shift: number): string => (shift > 0 ? `(${text(value)}) << ${shift}` : text(value));
const text = (node: Expression): string => {
  if (node.type === 'NumericLiteral') return String(node.value);
  if (node.type === 'Identifier') return node.name;
  return '$';
};

/** One byte of a fixed header, of which some parts are expressions. */
function header(type: string, [qos, dup, retain]: readonly Expression[]): Expression {
  const parts = [type];
  const late: Expression[] = [];
  for (const [value, shift] of [
    [qos!, 1],
    [dup!, 3],
    [retain!, 0],
  ] as const) {
    if (value.type === 'NumericLiteral' && value.value === 0) continue;
    if (text(value) === '$') late.push(value);
    parts.push(bits(value, shift));
  }
  const tree = expression(`Buffer.from([${parts.join(' | ')}])`);
  replaceHoles(tree, late);
  return tree;
}

function replaceHoles(node: unknown, late: Expression[]): void {
  if (!node || typeof node !== 'object') return;
  for (const [key, child] of Object.entries(node)) {
    if (child && typeof child === 'object' && (child as Expression).type === 'Identifier' && isName(child, '$')) {
      (node as Record<string, unknown>)[key] = cloneNode(late.shift()!);
    } else if (key !== 'loc') {
      replaceHoles(child, late);
    }
  }
}

/** @param local what the module calls its constants */
export function computeTables(constants: Constants, local: 'protocol' | 'constants'): Pass {
  const types = Object.values(constants.types as Record<string, string>);
  const flags = types.map((_, type) => (constants.requiredHeaderFlags as Record<number, number>)[type] ?? null);
  const codes = constants.codes as Record<string, number>;
  const acks = JSON.stringify(types.slice(FIRST_ACK, FIRST_ACK + 4));

  const valueAt = (name: string, indices: readonly Expression[]): Expression | undefined => {
    const value = constants[name];
    if (typeof value === 'number') return numericLiteral(value);
    if (value instanceof Uint8Array) return expression(`Buffer.from([${[...value]}])`);
    const command = name.replace('_HEADER', '').toLowerCase();
    if (name.endsWith('_HEADER') && Array.isArray(value) && indices.length === 3) {
      checkHeaders(name, value as Headers, Number(codes[command]));
      return header(String(Number(codes[command]) << 4), indices);
    }
    return undefined;
  };

  return {
    name: 'compute-tables',
    pattern: `uses of ${local}`,
    change(tree) {
      let computed = 0;
      programOf(tree).traverse({
        MemberExpression(path) {
          if (!isMember(path.node, local) || path.node.property.type !== 'Identifier') return;
          const { name } = path.node.property;
          const { whole, indices } = indexed(path);
          const replaced = special(name, indices) ?? valueAt(name, indices);
          if (!replaced) {
            throw new Error(`mqtt-mote bundler: pass compute-tables does not know the constant ${name}`);
          }
          computed++;
          if (name === 'codes') path.parentPath.replaceWith(replaced);
          else whole.replaceWith(replaced);
        },
      });
      return computed;

      function special(name: string, indices: readonly Expression[]): Expression | undefined {
        const [index] = indices;
        switch (name) {
          case 'types':
            return withHole(`${JSON.stringify(types)}[$]`, index!);
          case 'requiredHeaderFlags':
            return withHole(`${JSON.stringify(flags)}[$]`, index!);
          case 'requiredHeaderFlagsErrors':
            checkMessages(constants);
            return expression(MESSAGE);
          case 'codes':
            return numericLiteral(Number(codes.disconnect)); // Its only use: `codes.disconnect`, counted by the caller.
          case 'ACKS':
            for (const [ack, table] of Object.entries(constants.ACKS as Record<string, Headers>)) {
              checkHeaders(name, table, Number(codes[ack]));
            }
            return header(`${acks}.indexOf(${text(index!)}) + ${FIRST_ACK} << 4`, indices.slice(1));
          case 'EMPTY':
            return literalEmpty(constants);
          case 'QOS':
          case 'SUBSCRIBE_OPTIONS_QOS':
            return cloneNode(index!); // [0, 1, 2][qos]
        }
        return undefined;
      }
    },
  };
}

const withHole = (source: string, hole: Expression): Expression => {
  const tree = expression(source);
  replaceHoles(tree, [hole]);
  return tree;
};

/** `requiredHeaderFlagsErrors[cmdIndex]`, in the words of the function that uses it. */
const MESSAGE =
  "'Invalid header flag bits, must be 0x' + requiredHeaderFlags.toString(16) + ' for ' + this.packet.cmd + ' packet'";

function checkMessages(constants: Constants): void {
  const types = constants.types as Record<string, string>;
  const flags = constants.requiredHeaderFlags as Record<string, number>;
  for (const [type, message] of Object.entries(constants.requiredHeaderFlagsErrors as Record<string, string>)) {
    const made = `Invalid header flag bits, must be 0x${flags[type]!.toString(16)} for ${types[type]} packet`;
    if (made !== message) throw new Error(`mqtt-mote bundler: pass compute-tables: unknown message "${message}"`);
  }
}

/** The only empty packet that goes this way is PINGREQ: the others are pruned before. */
function literalEmpty(constants: Constants): Expression {
  return expression(`Buffer.from([${[...(constants.EMPTY as Record<string, Uint8Array>).pingreq!]}])`);
}
