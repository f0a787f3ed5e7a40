// What the plugin refuses, keeps and leaves alone.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { build } from 'esbuild';
import { bundle } from '../../targets/bundler/bundle.ts';
import { checkVersion, specialise } from '../../targets/bundler/mqtt-packet.ts';
import { takeNotices } from '../../targets/bundler/output/notices.ts';
import { lazyScratch } from '../../targets/bundler/passes/lazy-scratch.ts';
import { generate, readModule, run } from '../../targets/bundler/passes/pass.ts';
import { mqttMote } from '../../targets/bundler/plugin.ts';

const root = join(import.meta.dirname, '..', '..');
const slice = join(root, 'targets/bundler/apps/slice.ts');
const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-bundler-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const NAMES = new Map<string, string>();

const original = (path: string): string => readFileSync(join(root, 'node_modules', path), 'utf8');

/** Bundles a text that lies in a folder of its own. */
function bundleText(contents: string, resolveDir: string) {
  const plugins = [mqttMote({ target: 'es2022' })];
  return build({ stdin: { contents, resolveDir }, write: false, format: 'esm', logLevel: 'silent', plugins });
}

test('an unknown version of mqtt-packet is named and refused', () => {
  assert.throws(
    () => checkVersion('9.1.0'),
    /mqtt-mote bundler: mqtt-packet 9\.1\.0 is installed, but only 9\.0\.2 can be specialised/,
  );
});

test('mqtt-packet that an app imports itself is left as it is, with what it asks of Node', async () => {
  await assert.rejects(
    bundleText("import { parser } from 'mqtt-packet'; parser();", root),
    /es2022 has no (stream|util)/,
  );
});

for (const [file, from, to, pass] of [
  ['writeToStream.js', 'if (stream.cork) {', 'if (stream.plug) {', 'drop-cork'],
  ['writeToStream.js', "debug('generate called')", '', 'drop-debug'],
  ['writeToStream.js', "case 'connack':", "case 'welcome': case 'connack':", 'prune-sent'],
  ['parser.js', "case 'suback':", "case 'granted':", 'prune-received'],
  ['parser.js', 'if (this.settings.protocolVersion === 5) {', 'if (this.version === 5) {', 'fold-parser-version'],
  ['numbers.js', 'SubOk ?', 'isNew ?', 'drop-old-node'],
] as const) {
  test(`where ${pass} does not find all that it looks for, the build fails and says which`, () => {
    const text = original(`mqtt-packet/${file}`);
    assert.ok(text.includes(from));
    assert.throws(
      () => specialise(file, text.replace(from, to), NAMES),
      new RegExp(`pass ${pass} looked for .* in mqtt-packet/${file}: expected \\d+, found -?\\d+`),
    );
  });
}

test('a constant that is not known is refused', () => {
  const text = original('mqtt-packet/writeToStream.js').replace(
    'protocol.PUBLISH_HEADER[',
    'protocol.PUBLISHED_HEADER[',
  );
  assert.throws(
    () => specialise('writeToStream.js', text, NAMES),
    /compute-tables does not know the constant PUBLISHED_HEADER/,
  );
});

test('a module of mqtt-packet that no recipe knows is refused', () => {
  assert.throws(() => specialise('extra.js', '', NAMES), /mqtt-packet\/extra\.js is not expected in a bundle/);
});

test('an unknown language level is refused', () => {
  assert.throws(() => mqttMote({ target: 'es3' as 'es5' }), /target must be one of node, .*es5, not es3/);
});

test("noble's buffers are made when they are first used", () => {
  for (const file of ['legacy.js', 'sha2.js']) {
    const module = readModule(file, original(`@noble/hashes/${file}`));
    run(lazyScratch, module, 3);
    const { code } = generate(module.tree);
    assert.doesNotMatch(code, /^(const|let) \w+ = (\/\*.*\*\/ *)?new Uint(8|32)Array/m);
    assert.match(code, /^let SHA\w+_W\w*;/m);
    assert.match(code, /\|\|= \/\* @__PURE__ \*\/new Uint32Array|\|\|= new Uint32Array/);
  }
});

for (const target of ['es2022', 'espruino', 'es5', 'moddable'] as const) {
  test(`${target}: a bundle ends in the licence notices of what is in it, one line each`, async () => {
    const { code } = await bundle({ entry: slice, target, globalName: 'app' });
    const notices = code.trimEnd().split('\n').slice(-3);
    assert.deepEqual(
      notices.map((it) => /^\/\*! (.+)\. MIT License\. Copyright \(c\) \d{4}.* \*\/$/.exec(it)?.[1]),
      ['mqtt-mote', 'mqtt-packet 9.0.2, specialised', '@noble/hashes 2.4.0'],
    );
    assert.equal(code.split('/*').length, 4);
  });
}

test("the notices of an app's other packages stay as they are", () => {
  const text =
    'run();\n/*! ours */\n/*! Bundled license information:\n\na/b.js:\n  (*! one *)\n\nc/d.js:\n  (**\n   * more\n   *)\n*/\n';
  const { code, notices } = takeNotices(text);
  assert.equal(code, 'run();');
  assert.equal(`\n${notices}\n`, text.slice('run();'.length));
});

test('a bundle names every module with its bytes', async () => {
  const { bytes, modules } = await bundle({ entry: slice, target: 'es2022' });
  const names = modules.map(([name]) => name);
  assert.ok(names.includes('mqtt-packet/parser.js') && names.includes('src/client/client.ts'));
  const sum = modules.reduce((sofar, [, size]) => sofar + size, 0);
  assert.equal(sum, bytes);
});

test('a bundle asks its host for nothing, and holds neither bl, debug nor code for MQTT 5', async () => {
  const { code, modules } = await bundle({ entry: slice, target: 'es2022' });
  assert.doesNotMatch(code, /\b(require\(|process\.|Buffer\.from|setTimeout|TextEncoder)/);
  assert.doesNotMatch(code, /sessionExpiryInterval|Invalid auth reason code|mqtt-packet:parser/);
  assert.ok(modules.every(([name]) => !/^(bl|debug|readable-stream)\//.test(name)));
});

test("an app's own properties keep their names, even those that src has too", async () => {
  const text = `import { Client } from 'mqtt-mote';
    export const it = JSON.parse('{"headerLength":1}').headerLength; export { Client };`;
  const { outputFiles } = await bundleText(text, root);
  assert.match(outputFiles![0]!.text, /JSON\.parse\('\{"headerLength":1\}'\)\.headerLength/);
  assert.doesNotMatch(outputFiles![0]!.text, /this\.headerLength/);
});

test('the package is found by its name, with its entry points', async () => {
  const text = "export { Router } from 'mqtt-mote/router'; export { plainIdentity } from 'mqtt-mote';";
  const { outputFiles } = await bundleText(text, folder);
  const { Router, plainIdentity } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles![0]!.text).toString('base64')}`
  );
  assert.equal(typeof Router, 'function');
  assert.equal(plainIdentity({ clientId: 'a' }).credentials().clientId, 'a');
});
