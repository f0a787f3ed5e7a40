// Builds of the real Moddable SDK for Linux, preloaded, over its own TCP and TLS: the end-to-end script, the example against
// mosquitto, faults of the network, what a device takes of the machine, and the two ways to put the package into an app.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { connectAsync } from 'mqtt';
import { generate } from 'mqtt-packet';
import { bundle } from '../../targets/bundler/bundle.ts';
import { buildDevice, derOf } from '../../targets/moddable/build.ts';
import { buildModules } from '../../targets/moddable/package.ts';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';
import { checkBudget } from '../support/budget.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { type Built, buildModdable, buildModdableHost, runModdable, whyNotModdable } from '../support/moddable.ts';
import { freePort, mosquittoPath, startMosquitto } from '../support/mosquitto.ts';
import type { Order } from './moddable/suite/main.ts';

const ROOT = join(import.meta.dirname, '../..');
const WORK = join(ROOT, '.work/moddable');
const SUITE = join(import.meta.dirname, 'moddable/suite');

/** Of a 64-bit machine; 16 on a microcontroller. */
const SLOT_BYTES = 32;

const DEVICE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

/** A server that does something to each connection. */
async function serve(use: (socket: Socket) => void, tls?: TlsOptions) {
  const accept = (socket: Socket) => use(socket.on('error', () => {}));
  const server = tls ? createTlsServer(tls, accept) : createServer(accept);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: { host: 'localhost', port }, close: () => void server.close() };
}

/** Accepts whoever comes. */
const accept = (socket: Socket): void =>
  void socket.once('data', () => socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false })));

/** What the linker says of modules of the package, and of an app; what hmacOver() was given is never a constant. */
const ofDevice = ({ warnings }: Built): string[] =>
  warnings.filter((it) => /^(main|mqtt-mote)/.test(it) && !/\.hmac\(\) \w+\(\) \w+: no const$/.test(it));

describe('Moddable', { skip: whyNotModdable }, () => {
  let suite: Built;
  let certificates: ServerCertificates;
  const run = (order: Order & object) => runModdable(suite.library, JSON.stringify(order));
  const printed = async (order: Order) => {
    const { code, lines } = await run(order);
    return [code, ...lines.filter((it) => !it.startsWith('before'))];
  };

  before(async () => {
    certificates = await makeServer(await makeAuthority('Root', {}, 'rsa'));
    const { code } = await bundle({ entry: join(SUITE, 'main.ts'), target: 'moddable' });
    mkdirSync(join(WORK, 'suite'), { recursive: true });
    writeFileSync(join(WORK, 'suite/main.js'), code);
    buildModdableHost();
    suite = await buildModdable(join(SUITE, 'manifest.json'));
  });

  for (const kind of ['TCP', 'TLS']) {
    const isTls = kind === 'TLS';

    test(`the end-to-end script passes over ${kind}`, async (context) => {
      const { chain, privateKey, authority } = certificates;
      const server = await EndToEndServer.start(isTls ? { tls: { cert: chain, key: privateKey } } : {});
      context.after(() => server.close());
      const endpoint = { ...server.endpoint, host: 'localhost' };
      const certificate = isTls ? derOf(authority) : undefined;
      const { lines, code } = await run({ program: 'end-to-end', endpoint, certificate, ...server.device });
      server.judge(lines.slice(1));
      assert.equal(code, 0);
    });

    test(`the example holds its conversation with mosquitto over ${kind}, and all of it is frozen`, {
      skip: mosquittoPath ? false : 'no mosquitto',
    }, async (context) => {
      const tlsPort = await freePort();
      const [chain, key] = ['chain.pem', 'key.pem'].map((it) => join(WORK, it));
      writeFileSync(chain!, certificates.chain);
      writeFileSync(key!, certificates.privateKey, { mode: 0o644 }); // Mosquitto is another user's.
      const lines = [`listener ${tlsPort} 127.0.0.1`, `certfile ${chain}`, `keyfile ${key}`];
      const mosquitto = await startMosquitto(lines);
      context.after(() => mosquitto.stop());
      const console = await connectAsync(`mqtt://127.0.0.1:${mosquitto.port}`);
      context.after(() => console.endAsync());
      await console.subscribeAsync('/pk/device/user/update');
      console.on('message', (_, payload) => void console.publish('/pk/device/user/get', `you said ${payload}`));

      const port = isTls ? tlsPort : mosquitto.port;
      const settings = { ...DEVICE, host: 'localhost', port, keepAliveSeconds: undefined, timeoutMillis: 20_000 };
      const certificate = isTls ? derOf(certificates.authority) : undefined;
      await buildDevice(isTls ? 'main' : 'main-tcp', { ...settings, nameServers: ['127.0.0.1'] }, certificate);
      const built = await buildModdable(join(ROOT, 'targets/moddable/manifest.json'));
      assert.deepEqual(ofDevice(built), []);
      const { lines: traced } = await runModdable(built.library, '', 'closed');
      assert.deepEqual(traced, [
        ...(isTls ? [] : ['warning plaintext']),
        `connected localhost:${port}`,
        'subscribed /pk/device/user/get',
        'published /pk/device/user/update',
        'received /pk/device/user/get: you said hello from device',
        'closed',
      ]);
    });
  }

  test('where nothing listens, and where a server resets, closes or says nonsense, the device hears of it', async () => {
    const nowhere = { host: '127.0.0.1', port: await freePort() };
    assert.deepEqual(await printed({ program: 'dial', endpoint: nowhere }), [0, 'tcp closed']);
    const cases: readonly [(socket: Socket) => void, string, string][] = [
      [(socket) => socket.end(), 'tcp closed', 'tcp closed'],
      [(socket) => socket.once('data', () => socket.resetAndDestroy()), 'closed-by-peer undefined', 'tls closed'],
      [(socket) => socket.end('nonsense'), 'malformed-packet undefined', 'tls closed'],
    ];
    for (const [use, plain, tls] of cases) {
      const { endpoint, close } = await serve(use);
      assert.deepEqual(await printed({ program: 'dial', endpoint }), [0, plain]);
      const certificate = derOf(certificates.authority);
      assert.deepEqual(await printed({ program: 'dial', endpoint, certificate }), [0, tls]);
      close();
    }
  });

  test('a server under another root or of another name is not trusted, and gets no CONNECT', async (context) => {
    const other = await makeAuthority('Another Root', {}, 'rsa');
    const elsewhere = await makeServer(other, { hostNames: ['elsewhere.example'] });
    for (const [{ chain, privateKey }, authority] of [
      [certificates, other.certificate],
      [elsewhere, other.certificate],
    ] as const) {
      const server = await EndToEndServer.start({ tls: { cert: chain, key: privateKey } });
      context.after(() => server.close());
      const endpoint = { ...server.endpoint, host: 'localhost' };
      const order = { program: 'dial', endpoint, certificate: derOf(authority) } as const;
      const { code, lines } = await run(order);
      assert.deepEqual([code, lines.at(-1)], [0, 'tls untrusted']);
      assert.deepEqual(
        server.connections.flatMap(({ sent }) => sent),
        [],
      );
    }
  });

  for (const [name, program, isTls] of [
    ['slice', 'slice', false],
    ['whole', 'whole', false],
    ['sliceOverTls', 'slice', true],
  ] as const) {
    test(`once connected, ${name} takes no more slots and chunks than its budget, and no module`, async (context) => {
      const { chain, privateKey, authority } = certificates;
      const { endpoint, close } = await serve(accept, isTls ? { cert: chain, key: privateKey } : undefined);
      context.after(close);
      const { lines } = await run({ program, endpoint, certificate: isTls ? derOf(authority) : undefined });
      const [empty, connected] = lines.map((it) => it.split(' ').slice(1).map(Number));
      assert.ok(empty && connected, lines.join('\n'));
      assert.deepEqual([empty[2], connected[2]], [0, 0], 'modules in memory');
      checkBudget(`moddable/${name}/slots`, (connected[0]! - empty[0]!) / SLOT_BYTES);
      checkBudget(`moddable/${name}/chunkBytes`, connected[1]! - empty[1]!);
      checkBudget(`moddable/${name}/stackSlots`, connected[3]! / SLOT_BYTES);
    });
  }

  for (const way of ['manifest', 'mcpack']) {
    test(`an app gets the package by its ${way}, preloaded and frozen`, async (context) => {
      const folder = join(WORK, way);
      const modules = join(folder, 'node_modules/mqtt-mote');
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(modules, { recursive: true });
      await buildModules(join(modules, 'dist/moddable'));
      writeFileSync(join(folder, 'main.js'), APP);
      const include = ['base', 'net'].map((it) => `$(MODDABLE)/examples/manifest_${it}.json`);
      include.push('$(MODDABLE)/modules/io/manifest.json');
      if (way === 'manifest') {
        include.push('./node_modules/mqtt-mote/dist/moddable/manifest.json');
        const manifest = { include, modules: { '*': './main' }, preload: ['main'] };
        writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
      } else {
        const own = { name: way, version: '1.0.0', type: 'module', main: './main.js' };
        const moddable = { manifest: { include, preload: ['main'] } };
        writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...own, moddable }));
        writeFileSync(join(modules, 'package.json'), readFileSync(join(ROOT, 'package.json')));
      }
      const built = await buildModdable(join(folder, way === 'manifest' ? 'manifest.json' : 'package.json'));
      assert.deepEqual(
        ofDevice(built).filter((it) => !it.startsWith('mqtt-mote')),
        [],
      );
      const server = await EndToEndServer.start();
      context.after(() => server.close());
      const order = { endpoint: server.endpoint, device: server.device };
      const { lines } = await runModdable(built.library, JSON.stringify(order), 'connected');
      assert.deepEqual(lines, ['connected']);
    });
  }
});

const APP = `
  import TCP from 'embedded:io/socket/tcp';
  import Time from 'time';
  import Timer from 'timer';
  import { Client, deviceSecret } from 'mqtt-mote';
  import { ecma419Tcp } from 'mqtt-mote/ecma419';

  export default function main() {
    screen.onMessage = (text) => {
      const { endpoint, device } = JSON.parse(text);
      const adapter = ecma419Tcp({ TCP, Timer, Time });
      const identity = deviceSecret(device);
      const client = new Client({ adapter, endpoints: [endpoint], identity, allowPlaintext: true });
      client.on('connected', () => trace('connected\\n'));
      client.on('disconnected', ({ code }) => trace(code + '\\n'));
      client.connect();
    };
  }`;
