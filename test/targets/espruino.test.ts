// The bundle on real Espruino, in its flash: the end-to-end script, the example, faults of the network, a loss of power, memory.
// ESPRUINO names a Linux build, or several with colons between: what needs more variables than one has is skipped there.

import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { before, describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { EXPECTED } from '../identity/vectors.ts';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';
import { Platform } from '../platform/platform.ts';
import { checkBudget } from '../support/budget.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { boardWith, buildOf, type EspruinoBuild, espruinoPaths, runOn } from '../support/espruino.ts';

/** Variables of the boards: ESP32-C3, EspruinoWiFi, ESP32. */
const SMALL = 4_095;
const MIDDLE = 8_190;
const LARGE = 16_383;

const DEVICE = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const EXAMPLE = 'targets/espruino/device.ts';

let certificates: ServerCertificates;
before(async () => {
  if (espruinoPaths.length > 0) certificates = await makeServer(await makeAuthority('Root', {}, 'rsa'));
});

/** The builds by the smallest of each size that can hold so many variables: a budget is that of a board. */
const isSmallest = (build: EspruinoBuild, needed: number, all: readonly EspruinoBuild[]): boolean =>
  build.total === Math.min(...all.map((it) => it.total).filter((it) => it >= needed));

/** Says why, where a build has too few variables. */
function hasRoom(t: TestContext, { total }: EspruinoBuild, needed: number): boolean {
  if (total < needed) t.skip(`needs ${needed} variables, and this build has ${total}`);
  return total >= needed;
}

/** A server that does as it is told with each packet. */
async function serve(t: TestContext, handle: (packet: Packet, socket: Socket) => void, tls = false): Promise<number> {
  const accept = (socket: Socket) => {
    const reader = parser({ protocolVersion: 4 });
    reader.on('packet', (packet) => handle(packet, socket));
    socket.on('data', (bytes) => reader.parse(bytes));
    socket.on('error', () => {});
    t.after(() => socket.destroy());
  };
  const { chain, privateKey } = certificates;
  const server: Server = tls ? createTlsServer({ cert: chain, key: privateKey }, accept) : createServer(accept);
  server.on('error', () => {}).on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as { port: number }).port;
}

const accepted = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false });

const noBinary = espruinoPaths.length === 0 && 'no Espruino: set ESPRUINO to a Linux build';
test('Espruino', { skip: noBinary }, () => {});

for (const path of espruinoPaths) {
  describe(`Espruino ${path.split('/').pop()}`, () => {
    let build: EspruinoBuild;
    let all: EspruinoBuild[];
    before(async () => {
      all = [];
      for (const it of espruinoPaths) all.push(await buildOf(it));
      build = all[espruinoPaths.indexOf(path)]!;
    });

    for (const tls of [false, true]) {
      const name = tls ? 'TLS' : 'TCP';

      test(`the end-to-end script passes over ${name}`, async (t) => {
        if (!hasRoom(t, build, tls ? LARGE : MIDDLE)) return;
        const { chain, privateKey } = certificates;
        const server = await EndToEndServer.start(tls ? { tls: { cert: chain, key: privateKey } } : {});
        const settings = { ...server.endpoint, ...server.device, tls };
        const lines = await runOn(path, 'targets/espruino/end-to-end.ts', 'end ', settings);
        server.judge(lines);
        await server.close();
      });

      test(`the example holds the conversation of the three programs over ${name}, and tells its memory`, async (t) => {
        if (!hasRoom(t, build, tls ? MIDDLE : SMALL)) return;
        const platform = await Platform.start({ devices: [DEVICE], certificates: { private: certificates } });
        const { port } = tls ? platform.endpoints.private : platform.endpoints.tcp;
        const lines = await runOn(path, EXAMPLE, 'closed', { host: '127.0.0.1', port, ...DEVICE, tls });
        await platform.close();
        const warning = tls
          ? [
              'warning     unauthenticated-server',
              '            Espruino checks no certificate: ANYONE may be this server',
            ]
          : ['warning     plaintext'];
        assert.deepEqual(
          lines.filter((it) => !it.startsWith('memory')),
          [
            ...warning,
            `connected   127.0.0.1:${port}`,
            'subscribed  /pk/device/user/get, QoS 1',
            'published   /pk/device/user/update, QoS 1',
            'received    /pk/device/user/get, QoS 1: hello from device',
            'closed',
          ],
        );
        const told = lines.filter((it) => it.startsWith('memory'));
        assert.equal(told.length, 2);
        for (const it of told) assert.match(it, new RegExp(`^memory {6}\\d+ of ${build.total} variables$`));
      });

      test(`a server that closes in order over ${name} ends the connection, and is no fault of ${name}`, async (t) => {
        if (!hasRoom(t, build, tls ? MIDDLE : SMALL)) return;
        const close = (packet: Packet, socket: Socket) => {
          if (packet.cmd === 'connect') socket.end(accepted);
        };
        const settings = { host: '127.0.0.1', port: await serve(t, close, tls), ...DEVICE, tls };
        const lines = await runOn(path, EXAMPLE, 'closed', settings);
        assert.deepEqual(lines.slice(-2), ['error       closed-by-peer', 'closed']);
      });
    }

    const measured = [
      ['slice', false, SMALL],
      ['whole', false, MIDDLE],
      ['slice', true, MIDDLE],
    ] as const;
    for (const [app, tls, needed] of measured) {
      const name = tls ? 'TLS' : 'TCP';
      test(`the ${app} over ${name} takes no more than its variables, with messages of 1,500 bytes`, async (t) => {
        if (!hasRoom(t, build, needed)) return;
        const platform = await Platform.start({ devices: [DEVICE], certificates: { private: certificates } });
        const { port } = tls ? platform.endpoints.private : platform.endpoints.tcp;
        const settings = { host: '127.0.0.1', port, ...DEVICE, tls };
        const lines = await runOn(path, `test/targets/espruino/${app}.ts`, 'end ', settings);
        await platform.close();
        const figure = (what: string) => Number(lines.find((it) => it.startsWith(what))?.slice(what.length));
        assert.deepEqual(
          lines.filter((it) => it.startsWith('received')),
          Array(5).fill('received 1500'),
        );
        assert.equal(lines.at(-1), 'end closed');
        t.diagnostic(lines.filter((it) => /^(loaded|connected|peak) /.test(it)).join(', '));
        if (!isSmallest(build, needed, all)) return;
        const figures = `espruino/${app}${tls ? 'OverTls' : ''}`;
        checkBudget(`${figures}/connectedVariables`, figure('connected '));
        checkBudget(`${figures}/peakVariables`, figure('peak '));
      });
    }

    test('a login that is refused is told with its code', async () => {
      const platform = await Platform.start({ devices: [DEVICE] });
      const { port } = platform.endpoints.tcp;
      const settings = { host: '127.0.0.1', port, ...DEVICE, deviceSecret: 'another' };
      const lines = await runOn(path, EXAMPLE, 'closed', settings);
      await platform.close();
      assert.match(lines.at(-2)!, /^error {7}refused [45]$/);
    });

    test('a server that resets the connection, or is not there, is told', async (t) => {
      const port = await serve(t, (_, socket) => void socket.resetAndDestroy());
      const reset = await runOn(path, EXAMPLE, 'closed', { host: '127.0.0.1', port, ...DEVICE });
      assert.deepEqual(reset.slice(-2), ['error       closed-by-peer', 'closed']);
      const nobody = await runOn(path, EXAMPLE, 'closed');
      assert.match(nobody.at(-2)!, /^error {7}tcp/);
    });

    test('a server that speaks no TLS is told', async (t) => {
      if (!hasRoom(t, build, MIDDLE)) return;
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const { port } = server.address() as { port: number };
      const lines = await runOn(path, EXAMPLE, 'closed', { host: '127.0.0.1', port, ...DEVICE, tls: true });
      assert.match(lines.at(-2)!, /^error {7}tls/);
    });

    test('[MQTT-4.4.0-1] what was in flight when the power went is sent again with DUP, from flash', async (t) => {
      const published: IPublishPacket[] = [];
      let seen = () => {};
      const handle = (packet: Packet, socket: Socket) => {
        if (packet.cmd === 'connect') {
          socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: published.length > 0 }));
        }
        if (packet.cmd !== 'publish') return;
        published.push(packet);
        seen();
      };
      const port = await serve(t, handle);
      const board = await boardWith(path, 'test/targets/espruino/kept.ts', { host: '127.0.0.1', port, ...DEVICE });
      t.after(() => board.close());
      seen = () => board.cut();
      const first = await board.boot(() => false);
      const second = await board.boot(() => false);
      assert.deepEqual([first.at(-1), second.at(-1)], ['kept 0', 'kept 1']);
      assert.deepEqual(
        published.map((it) => [it.dup, it.messageId, it.payload.length]),
        [
          [false, 1, 1_500],
          [true, 1, 1_500],
        ],
      );
      assert.deepEqual(published[1]!.payload, published[0]!.payload);
    });

    test('[row 18] vectors T1 to T19', async (t) => {
      if (!build.isUnicode) return t.skip('T9 and T10 need a build with Unicode');
      const lines = await runOn(path, 'test/targets/espruino/vectors.ts', 'end ');
      assert.deepEqual(lines, [...EXPECTED, 'end ok']);
    });
  });
}
