// The command, as a maker types it: what it writes, and the one line that each mistake gets.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { TARGETS } from '../../targets/bundler/hosts.ts';
import { mqttMote } from '../../targets/bundler/index.ts';
import { complaint } from '../../targets/bundler/tools.ts';

const root = join(import.meta.dirname, '..', '..');
const COMMAND = join(root, 'targets/bundler/command.ts');
const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const APPS: Readonly<Record<string, string>> = {
  'app.ts': `import { Client, deviceSecret, hmacmd5 } from 'mqtt-mote';
    const identity = deviceSecret({ productKey: 'pk', deviceName: 'dn', deviceSecret: 'ds', signMethod: hmacmd5 });
    Object.assign(globalThis, { Client });
    (globalThis as { print?: (text: string) => void }).print?.(String(identity.credentials({ number: 1, secure: true }).userName));`,
  'plain.js': `print('plain');`,
  'exports.ts': `export const answer: number = 42;`,
  'broken.ts': `const half = ;`,
  'absent.ts': `import 'no-such-package';`,
  'for-node.ts': `import { nodeTcp } from 'mqtt-mote/node'; nodeTcp();`,
  'built-in.ts': `import 'node:fs';`,
  'no-face.ts': `import 'mqtt-mote/src/error.ts';`,
  'map.ts': `export const table = new Map();`,
};
for (const [name, text] of Object.entries(APPS)) writeFileSync(join(folder, name), text);

function run(...args: readonly string[]) {
  const tsx = join(root, 'node_modules/.bin/tsx');
  const { status, stdout, stderr } = spawnSync(tsx, [COMMAND, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const bundle = (app: string, ...more: readonly string[]) =>
  run('bundle', app, '--target', 'es5', '--out', 'out.js', ...more);

/** What the script prints. */
function printed(file: string): string[] {
  const lines: string[] = [];
  runInNewContext(readFileSync(join(folder, file), 'utf8'), { print: (line: string) => lines.push(line) });
  return lines;
}

test('an app in JavaScript becomes one file, in a folder that need not be there yet; its size is told', () => {
  const { status, stdout, stderr } = run('bundle', 'plain.js', '--target', 'es5', '--out', 'deep/er/out.js');
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.match(stdout, /^deep\/er\/out\.js: \d+ bytes, \d+ with gzip, for es5\n$/);
  assert.deepEqual(printed('deep/er/out.js'), ['plain']);
});

test('--source-map and --report: a map beside the file, and bytes by module', () => {
  const { status, stdout } = bundle('plain.js', '--source-map', '--report');
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'out.js.map'), 'utf8')).sources, ['plain.js']);
  assert.match(stdout, /^ +\d+ {2}plain\.js$/m);
  assert.match(stdout, /^ +\d+ {2}in all$/m);
});

test('--global-name leaves the exports behind; without it a warning says that they are lost', () => {
  assert.equal(bundle('exports.ts', '--global-name', 'app').stderr, '');
  const context: { app?: { answer: number } } = {};
  runInNewContext(readFileSync(join(folder, 'out.js'), 'utf8'), context);
  assert.equal(context.app?.answer, 42);
  const { status, stderr } = bundle('exports.ts');
  assert.equal(status, 0);
  assert.equal(
    stderr,
    'mqtt-mote: warning: a script without globalName leaves nothing behind: what the app exports is lost (answer)\n',
  );
});

test('a file that imports is a module beside a package.json that says commonjs, as npm init writes it', () => {
  mkdirSync(join(folder, 'project'));
  writeFileSync(join(folder, 'project/package.json'), '{ "type": "commonjs" }');
  writeFileSync(join(folder, 'project/part.ts'), 'export const word: string = "module";');
  writeFileSync(join(folder, 'project/app.ts'), 'import { word } from "./part.ts";\nprint(word);');
  const { status, stderr } = bundle('project/app.ts');
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.deepEqual(printed('out.js'), ['module']);
  assert.doesNotMatch(readFileSync(join(folder, 'out.js'), 'utf8'), /getOwnPropertyNames/); // No function around each module.
});

test('an app in CommonJS becomes a script that runs, and leaves its one export behind where it has a name', () => {
  writeFileSync(join(folder, 'part.cjs'), 'module.exports = "part";');
  writeFileSync(join(folder, 'app.cjs'), 'print(require("./part.cjs")); module.exports = { answer: 42 };');
  assert.equal(bundle('app.cjs').status, 0);
  assert.deepEqual(printed('out.js'), ['part']);
  const { status, stderr } = bundle('app.cjs', '--global-name', 'app');
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const context: { app?: { answer: number }; print: () => void } = { print: () => {} };
  runInNewContext(readFileSync(join(folder, 'out.js'), 'utf8'), context);
  assert.equal(context.app?.answer, 42);
});

test('the command in the README of Espruino makes its example', () => {
  const readme = readFileSync(join(root, 'targets/espruino/README.md'), 'utf8');
  const [, line = ''] = /```sh\nnpx tsx (.+) --out device\.js\n```/.exec(readme) ?? [];
  const out = join(folder, 'espruino.js');
  const tsx = join(root, 'node_modules/.bin/tsx');
  const { status, stderr } = spawnSync(tsx, [...line.split(' '), '--out', out], { cwd: root, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.match(readFileSync(out, 'utf8'), /unauthenticated-server/);
});

test('--no-minify keeps the bundle readable, --no-mangle the names of the package', () => {
  bundle('app.ts');
  const [small, isSigned] = [readFileSync(join(folder, 'out.js'), 'utf8'), printed('out.js')];
  assert.deepEqual(isSigned, ['dn&pk']);
  bundle('app.ts', '--no-minify');
  const readable = readFileSync(join(folder, 'out.js'), 'utf8');
  assert.equal(readable.length > 1.5 * small.length, true);
  bundle('app.ts', '--no-mangle');
  assert.equal(readFileSync(join(folder, 'out.js'), 'utf8').length > small.length, true);
  assert.deepEqual(printed('out.js'), ['dn&pk']);
});

test('a global that the host lacks is a warning with its place', () => {
  const { status, stderr } = bundle('map.ts', '--global-name', 'app');
  assert.equal(status, 0);
  assert.equal(stderr, 'mqtt-mote: warning: map.ts:1 uses Map, which es5 does not have\n');
});

test('--help and --version', () => {
  const { stdout, status } = run('--help');
  assert.equal(status, 0);
  for (const target of TARGETS) assert.match(stdout, new RegExp(`\\b${target}\\b`));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.equal(run('--version').stdout, `${version}\n`);
});

const es5 = ['--target', 'es5'];
const out = ['--out', 'refused.js'];

for (const [title, args, line] of [
  ['no command', [], 'what to do? bundle'],
  ['another command', ['build', 'app.ts'], 'build is unknown: bundle'],
  ['no app', ['bundle', ...es5, ...out], 'which app? mqtt-mote bundle app.ts'],
  ['two apps', ['bundle', 'app.ts', 'plain.js', ...es5, ...out], 'one app at a time: plain.js is too much'],
  ['no such app', ['bundle', 'nowhere.ts', ...es5, ...out], 'there is no file nowhere.ts'],
  ['no target', ['bundle', 'app.ts', ...out], `--target is missing: ${TARGETS.join(', ')}`],
  [
    'an unknown target',
    ['bundle', 'app.ts', '--target', 'esp9000', ...out],
    `--target must be one of ${TARGETS.join(', ')}, not esp9000`,
  ],
  ['no place', ['bundle', 'app.ts', ...es5], '--out is missing: where does the bundle go?'],
  ['a folder', ['bundle', 'app.ts', ...es5, '--out', '.'], '--out must be a file: . is a folder'],
  ['an unknown flag', ['bundle', 'app.ts', '--fast'], /^Unknown option '--fast'/],
  ['a flag without its value', ['bundle', 'app.ts', '--out'], /--out.* argument missing/],
  ['a form', ['bundle', 'app.ts', ...es5, ...out, '--format', 'cjs'], '--format must be esm or iife, not cjs'],
  [
    'a name of exports for a module',
    ['bundle', 'app.ts', '--target', 'es2022', ...out, '--global-name', 'app'],
    '--global-name is for scripts: add --format iife',
  ],
  [
    'a name that is none',
    ['bundle', 'app.ts', ...es5, ...out, '--global-name', '1a'],
    'globalName must be a name, not 1a',
  ],
  [
    'both of two flags',
    ['bundle', 'app.ts', ...es5, ...out, '--messages', '--no-messages'],
    '--messages and --no-messages exclude each other',
  ],
  ['an app that does not parse', ['bundle', 'broken.ts', ...es5, ...out], /^broken\.ts:1:14: Unexpected ";"$/],
  [
    'a package that is not there',
    ['bundle', 'absent.ts', ...es5, ...out],
    /^absent\.ts:1:8: Could not resolve "no-such-package"$/,
  ],
  ['what only Node has', ['bundle', 'built-in.ts', ...es5, ...out], /^built-in\.ts:1:8: es5 has no node:fs$/],
  [
    'the adapter of Node',
    ['bundle', 'for-node.ts', ...es5, ...out],
    /mqtt-mote\/node is for Node alone: es5 has no node:\w+/,
  ],
  [
    'what is no entry point',
    ['bundle', 'no-face.ts', ...es5, ...out],
    /^no-face\.ts:1:8: mqtt-mote\/src\/error\.ts is not a module of mqtt-mote for devices$/,
  ],
] as const satisfies readonly (readonly [string, readonly string[], string | RegExp])[]) {
  test(`${title}: one line, a status that is not 0, and no file`, () => {
    const { status, stdout, stderr } = run(...args);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    const [said = '', ...more] = stderr.split('\n');
    assert.deepEqual(more, ['']);
    assert.equal(said.startsWith('mqtt-mote: '), true, said);
    if (typeof line === 'string') assert.equal(said, `mqtt-mote: ${line}`);
    else assert.match(said.slice('mqtt-mote: '.length), line);
    assert.equal(existsSync(join(folder, 'refused.js')), false);
  });
}

test('a place that cannot be written to is told in one line', () => {
  const { status, stderr } = run('bundle', 'plain.js', ...es5, '--out', 'plain.js/out.js');
  assert.equal(status, 1);
  assert.match(stderr, /^mqtt-mote: plain\.js\/out\.js cannot be written: \w+[^\n]*\n$/);
});

test('tools that are missing are named with the command that installs them; what comes with another is not', () => {
  const tools = { '@babel/core': '^7.29.0', '@babel/types': '^7.29.0', esbuild: '>=0.25.0 <1', terser: '^5.30.0' };
  assert.equal(
    complaint(tools, () => true),
    undefined,
  );
  assert.equal(
    complaint(tools, (it) => it !== 'terser'),
    'terser is missing: npm install --save-dev "terser@^5.30.0"',
  );
  assert.equal(
    complaint(tools, (it) => it === 'esbuild'),
    '@babel/core, terser are missing: npm install --save-dev "@babel/core@^7.29.0" "terser@^5.30.0"',
  );
  assert.equal(
    complaint(tools, (it) => it !== '@babel/types'),
    '@babel/types is missing: npm install --save-dev "@babel/types@^7.29.0"',
  );
});

test('the plugin refuses options that are none before a build begins', () => {
  for (const [options, message] of [
    [undefined, /options must be an object/],
    [{}, /target must be one of .*, not undefined/],
    [{ target: 'esp9000' }, /target must be one of .*, not esp9000/],
    [{ target: 'es5', mangle: 1 }, /mangle must be true or false/],
    [{ target: 'es5', messages: 'no' }, /messages must be true or false/],
  ] as const) {
    assert.throws(() => mqttMote(options as never), message);
  }
});
