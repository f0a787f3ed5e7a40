// Makes one function of the parser: the framing hands it one whole packet at a time, so that nothing has to be kept, and
// no method is called from more than one place without a result.

import { parse } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import {
  assignmentExpression,
  blockStatement,
  type ClassMethod,
  cloneNode,
  type Expression,
  expressionStatement,
  functionDeclaration,
  identifier,
  type LVal,
  type Statement,
  type SwitchCase,
  switchCase,
  variableDeclaration,
  variableDeclarator,
} from '@babel/types';
import { generate, isMember, isName, type Pass, programOf } from './pass.ts';

/** What the states of the parser do to a packet whose beginning and end are known. */
const WHOLE = `
  this._parseHeader();
  this._parsePayload();
  return this.packet;
`;

/** Calls the states in their order, once: `parse(list, pos)`, where `pos` is the beginning of the variable header. */
export const oneState: Pass = {
  name: 'one-state',
  pattern: 'the states _parseHeader, _parseLength, _parsePayload and _newPacket, and their loop in parse()',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      AssignmentExpression(path) {
        const { left, right } = path.node;
        if (!isMember(left, 'this', '_states') || right.type !== 'ArrayExpression') return;
        const names = right.elements.map((it) => (it?.type === 'StringLiteral' ? it.value : ''));
        if (names.join() === '_parseHeader,_parseLength,_parsePayload,_newPacket') changed++;
      },
      ClassMethod({ node }) {
        if (node.key.type !== 'Identifier' || node.key.name !== 'parse') return;
        if (!node.body.body.some((it) => it.type === 'WhileStatement')) return;
        const { body } = parse(WHOLE, { allowReturnOutsideFunction: true }).program;
        node.params = [identifier('list'), identifier('pos')];
        node.body = blockStatement([packetVariable(), ...body]);
        changed++;
      },
    });
    return changed;
  },
};

/** A PUBLISH of QoS 0 has none [MQTT-2.3.1-5]. */
const packetVariable = (): Statement => parse('const packet = { packetId: 0 };').program.body[0]!;

/** The name of the method that `this.method()` calls. */
function called(node: Expression | null | undefined): string | undefined {
  if (node?.type !== 'CallExpression' || node.arguments.length > 0 || !isMember(node.callee, 'this')) return undefined;
  return ((node.callee as { property: object }).property as { name: string }).name;
}

/** A copy of what a method does, and what it returns. */
function bodyOf(method: ClassMethod): { body: Statement[]; result: Expression | undefined } {
  const body = method.body.body.map((it) => cloneNode(it));
  const last = body.at(-1);
  if (last?.type !== 'ReturnStatement') return { body, result: undefined };
  body.pop();
  return { body, result: last.argument ?? undefined };
}

/** `const x = ...; this._pos += 2; return x` of a number of two bytes: the same with the position moved in between. */
export const readNumbers: Pass = {
  name: 'read-numbers',
  pattern: '_parseNum()',
  change(tree) {
    let changed = 0;
    programOf(tree).traverse({
      ClassMethod({ node }) {
        if (node.key.type !== 'Identifier' || node.key.name !== '_parseNum') return;
        const texts = node.body.body.map((it) => generate(it, { comments: false }).code);
        if (texts.join(' ') !== NUMBER) return;
        node.body = blockStatement(parse(MOVING, { allowReturnOutsideFunction: true }).program.body);
        changed++;
      },
    });
    return changed;
  },
};

const NUMBER = 'const result = this._list.readUInt16BE(this._pos); this._pos += 2; return result;';
const MOVING = 'return this._list[this._pos++] << 8 | this._list[this._pos++];';

/** Cases that do the same become one. */
export const mergeCases: Pass = {
  name: 'merge-cases',
  pattern: 'cases that do the same',
  change(tree) {
    let merged = 0;
    programOf(tree).traverse({
      SwitchStatement({ node }) {
        const seen = new Map<string, SwitchCase>();
        for (const it of [...node.cases]) {
          const text = it.consequent.map((part) => generate(part, { comments: false }).code).join();
          const first = seen.get(text);
          if (it.consequent.length === 0) continue;
          if (!first) {
            seen.set(text, it);
            continue;
          }
          node.cases = node.cases.filter((other) => other !== it);
          node.cases.splice(node.cases.indexOf(first), 0, switchCase(it.test, []));
          merged++;
        }
      },
    });
    return merged;
  },
};

const isParse = ({ key }: ClassMethod): boolean => key.type === 'Identifier' && key.name === 'parse';

/** Puts the body of every method that parse() calls in place of the statement that calls it, until none is called. */
export const inlineMethods: Pass = {
  name: 'inline-methods',
  pattern: 'this.method(); and x = this.method();',
  change(tree) {
    let inlined = 0;
    for (let last = -1; last !== inlined; ) {
      last = inlined;
      const program = programOf(tree);
      const methods = new Map<string, ClassMethod>();
      program.traverse({
        ClassMethod({ node }) {
          if (node.key.type === 'Identifier') methods.set(node.key.name, node);
        },
      });
      const inline = (path: NodePath, name: string | undefined, target: LVal | undefined): void => {
        const caller = path.getFunctionParent()?.node;
        const method = name === undefined ? undefined : methods.get(name);
        if (!method || caller?.type !== 'ClassMethod' || !isParse(caller)) return;
        const { body, result } = bodyOf(method);
        if (target && body.length === 0) {
          path.replaceWith(expressionStatement(assignmentExpression('=', target, result!)));
          inlined++;
          return;
        }
        if (target) body.push(expressionStatement(assignmentExpression('=', target, result!)));
        path.replaceWith(blockStatement(body));
        inlined++;
      };
      program.traverse({
        ExpressionStatement(path) {
          const { expression } = path.node;
          if (expression.type === 'AssignmentExpression') {
            inline(path, called(expression.right), expression.left as LVal);
          } else {
            inline(path, called(expression), undefined);
          }
        },
        VariableDeclaration(path) {
          const [declaration] = path.node.declarations;
          const name = called(declaration?.init);
          if (name === undefined || !methods.has(name) || declaration!.id.type !== 'Identifier') return;
          const caller = path.getFunctionParent()?.node;
          if (caller?.type !== 'ClassMethod' || !isParse(caller)) return;
          const { body, result } = bodyOf(methods.get(name)!);
          if (body.length === 0) {
            declaration!.init = result!;
            inlined++;
            return;
          }
          path.insertBefore(variableDeclaration('let', [variableDeclarator(cloneNode(declaration!.id))]));
          inline(path, name, cloneNode(declaration!.id));
        },
      });
    }
    return inlined;
  },
};

/** The fields of the parser, as variables of its one method. */
const LOCALS = new Map([
  ['packet', 'packet'],
  ['_list', 'list'],
  ['_pos', 'pos'],
]);

/** Takes the one method that is left out of its class: what was a field is a variable. */
export const freeFunction: Pass = {
  name: 'free-function',
  pattern: 'class Parser with a method parse(), and its fields',
  change(tree) {
    let changed = 0;
    const program = programOf(tree);
    program.traverse({
      ClassDeclaration(path) {
        const method = path.node.body.body.find((it) => it.type === 'ClassMethod' && isParse(it)) as ClassMethod;
        if (!method || path.node.id?.name !== 'Parser') return;
        path.replaceWith(functionDeclaration(path.node.id, method.params as never, method.body));
        changed++;
      },
    });
    program.traverse({
      // const packet = this.packet
      VariableDeclarator(path) {
        if (!isName(path.node.id, 'packet') || !isMember(path.node.init, 'this', 'packet')) return;
        path.remove();
        changed++;
      },
      MemberExpression(path) {
        if (path.node.object.type !== 'ThisExpression' || path.node.property.type !== 'Identifier') return;
        const local = LOCALS.get(path.node.property.name);
        if (local === undefined) return;
        path.replaceWith(identifier(local));
        changed++;
      },
    });
    return changed;
  },
};
