// The package as its users get it: packed, laid out as npm would, and looked at by publint and are-the-types-wrong.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import type { Adapter, Client, Endpoint } from '../../src/index.ts';
import { type MemoryPeer, memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { bundle } from '../../targets/bundler/bundle.ts';
import { Platform } from '../platform/platform.ts';
import { checkBudget } from '../support/budget.ts';

const root = join(import.meta.dirname, '..', '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

let folder: string;
let tarball: string;
let user: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-'));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  tarball = join(folder, `${name}-${version}.tgz`);
  user = join(folder, 'user');
  const installed = join(user, 'node_modules', 'mqtt-mote');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  for (const dependency of ['mqtt-packet', '@noble', '@types', 'bl', 'debug', 'process-nextick-args']) {
    symlinkSync(join(root, 'node_modules', dependency), join(user, 'node_modules', dependency));
  }
  writeFileSync(join(user, 'package.json'), '{ "type": "module" }');
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('publint finds nothing in the packed tarball', async () => {
  const bytes = readFileSync(tarball);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const { messages, pkg } = await publint({ pack: { tarball: buffer } });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg ?? {})),
    [],
  );
});

test('are the types wrong? They are not', () => {
  const { status, stdout, stderr } = spawnSync(bin('attw'), [tarball, '--profile', 'esm-only', '--no-color'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});

test('every entry point of the package can be imported, and none exports nothing', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((it) => it !== './package.json');
  assert.ok(entries.length >= 4);
  for (const entry of entries) {
    const name = entry.replace(/^\./, 'mqtt-mote');
    const script = `console.log(Object.keys(await import('${name}')).length)`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: user,
      encoding: 'utf8',
    });
    assert.ok(Number(stdout) > 0, `${name}: ${stderr}`);
  }
});

test('every entry point that needs no Node is a module for Moddable too', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const forNode = ['./node', './bundled', './bundler', './espruino', './package.json'];
  for (const entry of Object.keys(exports).filter((it) => !forNode.includes(it))) {
    const file = exports[entry].moddable;
    assert.ok(file && existsSync(join(user, 'node_modules', 'mqtt-mote', file)), `${entry}: ${file}`);
  }
});

/** The files that Node reads for an import, and their characters: Node's own modules do not count. */
function filesOf(...names: string[]): { readonly url: string; readonly length: number }[] {
  const script = `
    import { Session } from 'node:inspector';
    const files = [];
    const session = new Session();
    session.connect();
    session.on('Debugger.scriptParsed', ({ params: { url, length } }) => url.startsWith('file:') && files.push({ url, length }));
    session.post('Debugger.enable');
    files.length = 0;
    for (const name of ${JSON.stringify(names)}) await import(name);
    console.log(JSON.stringify(files));`;
  const args = ['--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: user, encoding: 'utf8' });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('the bundled entry point is one file', () => {
  const [file, ...others] = filesOf('mqtt-mote/bundled');
  assert.match(file!.url, /dist\/bundled\.js$/);
  assert.deepEqual(others, []);
  checkBudget('node/bundled/minified', file!.length, Infinity); // Grows with every module of the package.
});

test('on Node the plain entry points are few files, of no other package: many cost more than many bytes', () => {
  const names = (...entries: string[]) => filesOf(...entries).map(({ url }) => url.replace(/.*\/mqtt-mote\//, ''));
  const files = names('mqtt-mote', 'mqtt-mote/node');
  assert.equal(files.length, 4, files.join('\n'));
  for (const it of files) assert.match(it, /^dist\/node\/[\w-]+\.js$/);
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((it) => exports[it].node);
  const all = names(...entries.map((it) => it.replace('.', 'mqtt-mote')));
  assert.ok(entries.length > 25);
  assert.equal(all.length, entries.length + 3, all.join('\n'));
});

test('a stack trace from the modules for Node leads to the sources that the package ships', () => {
  const script = `
    import { mqttPacketFraming } from 'mqtt-mote';
    mqttPacketFraming().check({ type: 12 });
    try { mqttPacketFraming(1) } catch (error) { console.log(error.stack) }`;
  const args = ['--enable-source-maps', '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: user, encoding: 'utf8' });
  assert.match(stdout, /mqttPacketFraming \([^)]*mqtt-mote\/src\/framing\/mqtt-packet\.ts:\d+/, stderr);
});

test('elsewhere the plain entry points are modules that import mqtt-packet and noble as npm installs them', async () => {
  writeFileSync(join(user, 'plain.js'), "export * from 'mqtt-mote'; export * from 'mqtt-mote/router';");
  const { metafile } = await build({
    absWorkingDir: user,
    entryPoints: ['plain.js'],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    packages: 'bundle',
    external: ['mqtt-packet', '@noble/*'],
    metafile: true,
    write: false,
  });
  const { inputs, outputs } = metafile;
  const imported = Object.values(outputs).flatMap((it) => it.imports.map(({ path }) => path));
  assert.ok(Object.keys(inputs).some((it) => it.endsWith('mqtt-mote/dist/framing/codec.js')));
  assert.deepEqual([...new Set(imported)].sort(), [
    '@noble/hashes/hmac.js',
    '@noble/hashes/legacy.js',
    '@noble/hashes/sha2.js',
    'mqtt-packet',
  ]);
});

for (const name of ['mqtt-mote/node', 'mqtt-mote/bundled']) {
  test(`an import of ${name} loads neither node:tls nor node:crypto, nodeTls() does: who has few megabytes pays when it is time`, () => {
    const script = `
    const loaded = () => process.moduleLoadList.filter((it) => /^NativeModule (tls|crypto)$/.test(it)).length;
    const { nodeTls } = await import(process.argv[2]);
    const before = loaded();
    nodeTls({ ca: (await import('node:fs')).readFileSync(process.argv[1], 'utf8') });
    console.log(before, loaded());`;
    const ca = join(user, 'root.pem');
    writeFileSync(ca, rootCertificates[0]!);
    const args = ['--input-type=module', '-e', script, ca, name];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: user, encoding: 'utf8' });
    assert.equal(stdout, '0 1\n', stderr);
  });
}

test('the bundled entry point holds every entry point that Node has a use for', async () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const elsewhere =
    'bundled bundler ecma419 espruino moddable raw-socket native-hash memory trace wheel black-box-decoder';
  const text = readFileSync(join(root, 'src/bundled.ts'), 'utf8');
  for (const name of Object.keys(exports)) {
    const face = name === '.' ? 'index' : name.slice(2);
    if (face === 'package.json' || elsewhere.split(' ').includes(face)) continue;
    assert.ok(text.includes(`export * from './${face}.ts';`), `src/bundled.ts does not export ${face}.ts`);
  }
});

describe('the bundler in the package', () => {
  const app = join(root, 'targets/bundler/apps/slice.ts');
  const command = () => {
    const installed = join(user, 'node_modules/mqtt-mote');
    return join(installed, JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).bin['mqtt-mote']);
  };
  const run = () =>
    spawnSync(
      process.execPath,
      [command(), 'bundle', 'device.ts', '--target', 'es5', '--out', 'device.js', '--global-name', 'app'],
      { cwd: user, encoding: 'utf8' },
    );

  test('who has not installed its tools is told in one line what to install', () => {
    writeFileSync(join(user, 'device.ts'), readFileSync(app, 'utf8').replace('../../../src/index.ts', 'mqtt-mote'));
    const { status, stdout, stderr } = run();
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^mqtt-mote: @babel\/core, .*esbuild, terser are missing: npm install --save-dev "@babel\/core@[^\n]*\n$/,
    );
    assert.equal(existsSync(join(user, 'device.js')), false);
  });

  test('with them, the command makes a file of the app that is as small as in the repository, and signs', async () => {
    for (const it of ['@babel', '@jridgewell', 'esbuild', 'terser']) {
      symlinkSync(join(root, 'node_modules', it), join(user, 'node_modules', it));
    }
    const { status, stderr } = run();
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const code = readFileSync(join(user, 'device.js'), 'utf8');
    const { bytes } = await bundle({ entry: app, target: 'es5', globalName: 'app' });
    assert.ok(Math.abs(code.length - bytes) < bytes / 100, `${code.length} bytes in place of ${bytes}`);
    const context: { app?: { device: (adapter: Adapter, endpoint: Endpoint) => Client } } = {};
    runInNewContext(code, context);
    const time = new VirtualTime();
    let sent = '';
    const accept = (peer: MemoryPeer) => {
      peer.onReceived = (bytes) => {
        sent += Buffer.from(bytes).toString('latin1');
      };
      return true;
    };
    context.app!.device(memoryAdapter({ time, accept }), { host: 'far', port: 8883 }).connect();
    time.advance(1);
    assert.match(sent, /MQTT.*\|securemode=2,signmethod=hmacsha1\|.*device&pk.*[0-9A-F]{40}$/s);
  });
});

test('the tarball holds the built and the original source, and nothing else', () => {
  const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const strange = names.filter(
    (it) => !/^package\/(dist|src)\/|^package\/(package\.json|README\.md|LICENSE)$/.test(it),
  );
  assert.deepEqual(strange, []);
  assert.ok(!names.some((it) => it.includes('test')));
});

/** The blocks of TypeScript in the README; the first is the device in twenty lines. */
const examples = [...readme.matchAll(/```ts\n([\s\S]+?)```/g)].map(([, text]) => text!);
const example = examples[0] ?? '';

test("the README's first example has about twenty lines", () => {
  const lines = example.split('\n').filter((it) => it.trim() !== '');
  assert.ok(lines.length >= 15 && lines.length <= 22, `${lines.length} lines`);
});

for (const [index, text] of examples.entries()) {
  test(`example ${index + 1} of the README passes the compiler in strict mode`, () => {
    const file = `example-${index + 1}.ts`;
    writeFileSync(join(user, file), text);
    const flags = `--noEmit --strict --module nodenext --target es2022 --types node --skipLibCheck ${file}`.split(' ');
    const { status, stdout } = spawnSync(bin('tsc'), flags, { cwd: user, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
}

test("the README's example runs against the local platform", async () => {
  const platform = await Platform.start({ devices: [device] });
  const ca = join(user, 'ca.pem');
  writeFileSync(ca, platform.authorities.private);
  writeFileSync(join(user, 'device.ts'), example);
  const env = {
    ...process.env,
    PRODUCT_KEY: device.productKey,
    DEVICE_NAME: device.deviceName,
    DEVICE_SECRET: device.deviceSecret,
    HOST: 'localhost',
    PORT: String(platform.endpoints.private.port),
    CA: ca,
  };
  const child = spawn(bin('tsx'), ['device.ts'], { cwd: user, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.includes('published\n') && said.includes('received /pk/device/user/get {"power":"on"}\n')) break;
  }
  child.kill();
  await platform.close();
  assert.match(said, /published/);
  assert.match(said, /received \/pk\/device\/user\/get \{"power":"on"\}/);
});

test('every command that the README names is a script of the package', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const text = readme.replace(/<!-- bench: [\s\S]*?<!-- end of /g, ''); // Tables: they name a package of npm.
  const named = [...text.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name]) => name!).filter((it) => it !== 'ci');
  assert.ok(named.length > 0);
  for (const name of named) assert.ok(name in scripts, `npm run ${name}`);
});
