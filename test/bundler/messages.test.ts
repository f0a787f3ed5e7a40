// Bundles without the sentences of errors: what stays is what tells errors apart, and nothing else is lost.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runInContext } from 'node:vm';
import { bundle } from '../../targets/bundler/bundle.ts';
import { dropMessages, messageMakers } from '../../targets/bundler/passes/drop-messages.ts';
import { generate, type Module, programOf, readModule } from '../../targets/bundler/passes/pass.ts';
import { bareWorld } from './support.ts';

const root = join(import.meta.dirname, '..', '..');
const app = 'test/bundler/apps/errors.ts';

const read = (name: string, text = readFileSync(join(root, name), 'utf8')): Module =>
  readModule(name, text, ['typescript']);

const sources: readonly string[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((it) => it.endsWith('.ts'))
  .map((it) => `src/${it.replaceAll('\\', '/')}`);

const makers = messageMakers(sources.map((it) => read(it)));

/** The code of a module of src after the pass. */
function dropped(name: string, text?: string): string {
  const module = read(name, text);
  dropMessages(module, makers);
  return generate(module.tree).code;
}

/** What mqtt-packet says: an app gets to see it only as a message. */
const packet = ['parser.js', 'writeToStream.js', 'constants.js']
  .map((it) => readFileSync(join(root, 'node_modules/mqtt-packet', it), 'utf8'))
  .join();
const NAMES = ['Alibaba Cloud IoT Platform'];

/** Texts of three words and more that a script holds, and that are no names. */
function sentencesIn(code: string): string[] {
  const found: string[] = [];
  const look = (text: string): void => {
    if (/[a-z]{2,} [a-z]+ [a-z]{2,}/i.test(text) && !NAMES.includes(text) && !packet.includes(text)) found.push(text);
  };
  programOf(readModule('x', code).tree).traverse({
    StringLiteral: ({ node }) => look(node.value),
    TemplateElement: ({ node }) => look(node.value.cooked ?? ''),
  });
  return found;
}

interface Errors {
  errors(): { code: string; reason: string; message: string; clause: string }[];
  warning(): { code: string; message: string };
}

async function errorsOf(target: 'es2022' | 'node' | 'espruino' | 'es5', messages?: boolean) {
  const { code } = await bundle({ entry: join(root, app), target, messages, format: 'iife', globalName: 'app' });
  const context = bareWorld(target);
  runInContext(code, context);
  const it = runInContext('app', context) as Errors;
  const here = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)); // From a world of its own.
  return { code, errors: here(it.errors()), warning: here(it.warning()) };
}

for (const target of ['espruino', 'es5', 'es2022'] as const) {
  test(`${target}: a bundle has no sentences; an error says by code and reason what is wrong`, async () => {
    const { code, errors, warning } = await errorsOf(target);
    assert.deepEqual(sentencesIn(code), []);
    const short = errors.map((it) => `${it.code} ${it.reason ?? it.clause}`);
    assert.deepEqual(short, [
      'bad-option keepAliveSeconds',
      'bad-option production',
      'bad-option productKey',
      'bad-option maxPacketSize',
      'bad-option handler',
      'bad-packet 3.3.3',
      'bad-topic MQTT-3.3.2-2',
    ]);
    assert.ok(errors.every((it) => it.message === it.code));
    assert.equal(warning.code, 'plaintext');
    assert.equal(warning.message, '');
  });
}

for (const [target, messages] of [
  ['node', undefined],
  ['es5', true],
] as const) {
  test(`${target}${messages ? ', asked to keep them' : ''}: a bundle has the sentences`, async () => {
    const { errors, warning } = await errorsOf(target, messages);
    assert.equal(errors[0]!.message, 'keepAliveSeconds must be a whole number from 0 to 65535, not 100000');
    assert.match(errors.at(-1)!.message, /wildcard/);
    assert.match(warning.message, /plain TCP/);
  });
}

test('what a host has said stays, since src looks into it', () => {
  const code = dropped('src/adapters/ecma419-tls.ts');
  assert.match(code, /error\.message\.indexOf\("date validation"\)|error\.message\.indexOf\('date validation'\)/);
  const text = `import { mqttError } from '../error.ts';
    export const fail = (cause: Error) => [mqttError('tcp', cause.message, { cause }), mqttError('dns', \`no \${cause}\`)];`;
  const rest = dropped('src/adapters/x.ts', text);
  assert.match(rest, /mqttError\('tcp', cause\.message, {\s*cause\s*}\), mqttError\('dns'\)/);
});

test('a reason that stands there stays, and none is put beside a clause', () => {
  const text = `import { mqttError } from '../error.ts';
    const a = mqttError('bad-option', 'first is wrong', { reason: 'second' });
    const b = mqttError('bad-packet', 'first is wrong', { clause: '1.2' });
    const c = mqttError('bad-option', 'first is wrong');
    const d = (name: string) => mqttError('bad-option', \`extras.\${name} is wrong\`);
    const e = mqttError('bad-option', 'the world is wrong');`;
  const code = dropped('src/client/x.ts', text).replace(/\s+/g, ' ');
  assert.match(code, /a = mqttError\('bad-option', "", { reason: 'second' }\)/);
  assert.match(code, /b = mqttError\('bad-packet', "", { clause: '1\.2' }\)/);
  assert.match(code, /c = mqttError\('bad-option', "", { reason: "first" }\)/);
  assert.match(code, /mqttError\('bad-option', "", { reason: `extras\.\${name}` }\)/);
  assert.match(code, /e = mqttError\('bad-option'\)/);
});

test('every sentence of src about a wrong option begins with its name', () => {
  const reasons = sources.flatMap((it) => dropMessages(read(it), makers).reasons);
  assert.ok(reasons.length > 20, `${reasons.length} reasons`);
  assert.deepEqual(
    reasons.filter((it) => it !== '' && !/^[a-zA-Z]\w*(\.\w+)*(\(\))?$/.test(it)),
    [],
  );
});

test('a module that makes errors, and in which no sentence is found, fails the build', () => {
  const text = "import { mqttError } from '../error.ts'; export const make = mqttError;";
  assert.throws(
    () => dropped('src/client/x.ts', text),
    /pass drop-messages looked for sentences in src\/client\/x\.ts: found none/,
  );
});

test('where errors are made otherwise, the build fails', () => {
  const module = read('src/error.ts', 'export const otherError = (code: string) => new Error(code);');
  assert.throws(() => messageMakers([module]), /no mqttError\(\) in src\/error\.ts/);
});
