// The ES5 bundle in the Duktape host, built here by the C compiler: against real servers, over TCP and TLS, under the address
// sanitizer; and what it takes of memory.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { generate, parser } from 'mqtt-packet';
import { makeAuthority, makeSelfSignedServer, makeServer, type ServerCertificates } from '../platform/certificates.ts';
import { Platform } from '../platform/platform.ts';
import { checkBudget } from '../support/budget.ts';
import { bundleOf } from '../support/bundles.ts';
import { Duktape, type DuktapeOptions, type DuktapeRun, whyNotDuktape } from '../support/duktape.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';

const skip = whyNotDuktape() ?? false;
const DAY = 86_400_000;

const program = async (entry: string): Promise<string> => (await bundleOf(entry, 'duktape')).code;

async function listening(server: Server): Promise<{ host: string; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { host: 'localhost', port: (server.address() as { port: number }).port };
}

describe('the Duktape host', { skip }, () => {
  let duktape: Duktape;
  let checked: string;
  let small: string;
  let certificates: ServerCertificates;
  before(async () => {
    duktape = new Duktape();
    checked = duktape.build('TLS=1', 'SANITIZE=1');
    small = duktape.build('TLS=1', 'STATIC=1');
    certificates = await makeServer(await makeAuthority('Root'));
  });
  after(() => duktape?.remove());

  const run = (code: string, options?: DuktapeOptions): Promise<DuktapeRun> => duktape.run(checked, code, options);

  for (const kind of ['TCP', 'TLS'] as const) {
    const tls = () => (kind === 'TLS' ? { tls: { cert: certificates.chain, key: certificates.privateKey } } : {});
    const ca = () => (kind === 'TLS' ? { ca: certificates.authority } : {});

    test(`the end-to-end script passes over ${kind}, checked and as it is shipped`, async () => {
      for (const mote of [checked, small]) {
        const server = await EndToEndServer.start(tls());
        const endpoint = { host: 'localhost', port: server.endpoint.port };
        const options = { endpoint, device: server.device, ...ca() };
        const { lines, code, errors } = await duktape.run(mote, await program('targets/bare/end-to-end.ts'), options);
        assert.equal(errors, '');
        server.judge(lines);
        assert.equal(code, 0);
        await server.close();
      }
    });

    test(`more than a socket takes at once arrives whole over ${kind}`, async () => {
      const payloads: Buffer[] = [];
      const serve = (socket: Socket) => {
        const reader = parser({ protocolVersion: 4 });
        reader.on('packet', (packet) => {
          if (packet.cmd === 'connect') {
            socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
            socket.pause(); // Until the device has said that it has published all.
          }
          if (packet.cmd === 'publish') {
            payloads.push(packet.payload as Buffer);
            socket.write(generate({ cmd: 'puback', messageId: packet.messageId! }));
          }
        });
        socket.on('data', (bytes) => reader.parse(bytes));
        socket.on('error', () => {});
        sockets.push(socket);
      };
      const sockets: Socket[] = [];
      const server = kind === 'TLS' ? createTlsServer(tls().tls!, serve) : createServer(serve);
      const endpoint = await listening(server);
      const running = run(await program('test/targets/apps/flood.ts'), { endpoint, ...ca() });
      // The app's turn is over at once; everything else waits for room.
      while (sockets.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(payloads.length, 0);
      for (const socket of sockets) socket.resume();
      const { lines, code, errors } = await running;
      assert.deepEqual([lines, code, errors], [['published'], 0, '']);
      assert.equal(payloads.length, 40);
      for (const [i, payload] of payloads.entries()) {
        assert.equal(payload.length, 16_384);
        assert.ok(
          payload.every((byte, j) => byte === ((i * 31 + j * 7) & 255)),
          `message ${i}`,
        );
      }
      server.close();
    });
  }

  describe('the example', () => {
    const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
    let platform: Platform;
    let example: string;
    before(async () => {
      platform = await Platform.start({ devices: [device] });
      example = await program('targets/bare/device.ts');
    });
    after(() => platform.close());

    test('holds the conversation of the three programs, over TLS', async () => {
      const endpoint = { host: 'localhost', port: platform.endpoints.private.port };
      const { lines, code, errors } = await run(example, { endpoint, device, ca: platform.authorities.private });
      assert.deepEqual(lines, [
        `connected   localhost:${endpoint.port}`,
        'subscribed  /pk/device/user/get, QoS 1',
        'published   /pk/device/user/update, QoS 1: "hello from device"',
        'received    /pk/device/user/get, QoS 1: "hello from device"',
        'closed      in order',
      ]);
      assert.deepEqual([code, errors], [0, '']);
    });

    const wrong: readonly (readonly [what: string, make: () => Promise<ServerCertificates>, says: RegExp])[] = [
      [
        'a root that is not trusted',
        async () => ({
          ...(await makeServer(await makeAuthority('Other'))),
          authority: certificates.authority,
        }),
        /not signed by a trusted root/,
      ],
      [
        'a certificate that nobody signed',
        async () => ({ ...(await makeSelfSignedServer()), authority: certificates.authority }),
        /not signed by a trusted root/,
      ],
      [
        'a certificate for another host',
        async () => makeServer(await makeAuthority('Root'), { hostNames: ['iot.example.com'] }),
        /is for another host/,
      ],
      [
        'a certificate at its end',
        async () =>
          makeServer(await makeAuthority('Root'), {
            notBefore: new Date(Date.now() - 2 * DAY),
            notAfter: new Date(Date.now() - DAY),
          }),
        /has ended/,
      ],
      [
        'a certificate from the future',
        async () => makeServer(await makeAuthority('Root'), { notBefore: new Date(Date.now() + DAY) }),
        /not valid yet/,
      ],
    ];
    for (const [what, make, says] of wrong) {
      test(`meets ${what}: it says so, and sends nothing`, async () => {
        const made = await make();
        const other = await Platform.start({ devices: [device], certificates: { private: made } });
        const endpoint = { host: 'localhost', port: other.endpoints.private.port };
        const { lines, code, errors } = await run(example, { endpoint, device, ca: made.authority });
        assert.match(lines.join('\n'), says);
        assert.deepEqual([lines.length, code, errors], [1, 1, '']);
        assert.equal(other.counts.connectPackets, 0);
        await other.close();
      });
    }

    test('meets a server that speaks no TLS', async () => {
      const endpoint = { host: 'localhost', port: platform.endpoints.tcp.port };
      const { lines, code, errors } = await run(example, { endpoint, device, ca: certificates.authority });
      assert.match(lines.join('\n'), /^error: no TLS handshake with localhost/);
      assert.deepEqual([code, errors], [1, '']);
    });

    test('meets nobody', async () => {
      const server = createServer();
      const endpoint = await listening(server);
      await new Promise((resolve) => server.close(resolve));
      const closed = await run(example, { endpoint, device });
      assert.match(closed.lines.at(-1)!, /^error: nothing listens at localhost/);
      const unknown = await run(example, { endpoint: { host: 'no-such-host.invalid', port: 1883 }, device });
      assert.match(
        unknown.lines.at(-1)!,
        /^error: (the host name of|no answer from the name service about) no-such-host/,
      );
      assert.deepEqual([closed.code, closed.errors, unknown.code, unknown.errors], [1, '', 1, '']);
    });

    test('meets a server that speaks something else', async () => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(1_000)));
      });
      const endpoint = await listening(server);
      const { lines, code, errors } = await run(example, { endpoint, device });
      assert.match(lines.at(-1)!, /^error: localhost:\d+ sent what is not MQTT/);
      assert.deepEqual([code, errors], [1, '']);
      server.close();
    });
  });

  describe('what a program may do', () => {
    test('nothing at all: it ends, since nothing can happen any more', async () => {
      assert.deepEqual(await run('host.event = function () {};'), { code: 0, lines: [], errors: '' });
    });

    test('fail: the host says where, and ends', async () => {
      for (const text of ['null.x', 'host.wake(0)', 'host.event = function () { null.x }; host.wake(0)', 'var (']) {
        const { code, errors } = await run(text);
        assert.match(errors, /^error: \w*Error: .+/);
        assert.equal(code, 70);
      }
    });

    test('ask for more memory than there is: it gets an error that it can catch', async () => {
      const text = `host.event = function () {};
        try { new Uint8Array(3e6) } catch (error) { host.print(error.name) }
        var all = []; try { for (;;) all.push(new Uint8Array(1e4)) } catch (error) { all = []; host.print(error.name) }`;
      assert.deepEqual(await run(text), { code: 0, lines: ['Error', 'Error'], errors: '' });
    });

    test('hand in nonsense: it gets an error, and the host goes on', async () => {
      const text = `var calls = ['open("x", 0)', 'open("x", 65536)', 'open({}, 1)', 'open()', 'send(0, "text")', 'send()',
          'send(7, new Uint8Array(1))', 'control(7, 0)', 'control("x")', 'wake("soon")', 'exit()'];
        host.event = function () {};
        calls.forEach(function (call) {
          try { host.print(call + ' ' + eval('host.' + call)) } catch (error) { host.print(call + ' ' + error.name) }
        });`;
      assert.deepEqual(await run(text), {
        code: 0,
        lines: [
          'open("x", 0) RangeError',
          'open("x", 65536) RangeError',
          'open({}, 1) TypeError',
          'open() TypeError',
          'send(0, "text") TypeError',
          'send() TypeError',
          'send(7, new Uint8Array(1)) -1',
          'control(7, 0) undefined',
          'control("x") TypeError',
          'wake("soon") TypeError',
          'exit() TypeError',
        ],
        errors: '',
      });
    });

    test('open and abort connections in any state: no descriptor and no byte is lost', async () => {
      const server = createServer((socket) => socket.on('error', () => {}));
      const { port } = await listening(server);
      const text = `var opened = 0, round = 0;
        function next() {
          if (++round > 200) return host.exit(0);
          var names = ['127.0.0.1', 'localhost', 'no-such-host.invalid'];
          for (var i = 0; i < 3; i++) { var handle = host.open(names[i], ${port}); if (round % 3 === i) host.control(handle, 0); }
          host.wake(1);
        }
        host.event = function (kind, handle) {
          if (kind === 0) next();
          else if (kind === 1) { opened++; host.send(handle, new Uint8Array(10)); host.control(handle, opened % 2); }
        };
        var handles = []; for (var i = 0; i < 17; i++) handles.push(host.open('127.0.0.1', ${port}));
        host.print(handles.join(' ')); handles.forEach(function (it) { host.control(it, 0); });
        next();`;
      const { code, lines, errors } = await run(text);
      assert.deepEqual([code, lines, errors], [0, ['0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -1'], '']);
      server.close();
    });

    test('stop reading and go on, without losing a byte', async () => {
      for (const tls of [false, true]) {
        const bytes = Buffer.alloc(200_000, 'x');
        const serve = (socket: Socket) => void socket.end(bytes).on('error', () => {});
        const { chain, privateKey, authority } = certificates;
        const server = tls ? createTlsServer({ cert: chain, key: privateKey }, serve) : createServer(serve);
        const endpoint = await listening(server);
        const text = `var got = 0, paused = 0, after = 0;
          host.event = function (kind, handle, bytes) {
            if (kind === 0) { host.control(0, 3); paused = 0; }
            if (kind === 2) {
              if (paused) after++;
              got += bytes.length;
              host.control(0, 2); paused = 1; host.wake(0);
            }
            if (kind === 4) { host.print(got + ' ' + after + ' ' + bytes); host.exit(0); }
          };
          host.open('localhost', ${endpoint.port});`;
        const { lines, errors } = await run(text, { endpoint, ...(tls && { ca: authority }) });
        assert.deepEqual([lines, errors], [['200000 0 undefined'], '']);
        server.close();
      }
    });
  });

  test('says which setting is missing or wrong, and shows none', async () => {
    const broken: readonly (readonly [string, string | undefined])[] = [
      ['MQTT_MOTE_PRODUCT_KEY', ''],
      ['MQTT_MOTE_DEVICE_NAME', undefined],
      ['MQTT_MOTE_DEVICE_SECRET', undefined],
      ['MQTT_MOTE_ENDPOINT', undefined],
      ['MQTT_MOTE_ENDPOINT', 'localhost'],
      ['MQTT_MOTE_ENDPOINT', ':1883'],
      ['MQTT_MOTE_ENDPOINT', 'localhost:65536'],
      ['MQTT_MOTE_ENDPOINT', 'localhost:1x'],
    ];
    for (const [name, value] of broken) {
      const { code, errors } = await run('', { environment: { [name]: value } });
      assert.match(errors, new RegExp(`^error: ${name}( \\(host:port\\))?: is missing or wrong\n$`));
      assert.equal(code, 64);
    }
  });

  test('a file of roots that cannot be read, or a host without TLS, ends before anything is sent', async () => {
    const damaged = await run('', { ca: 'no certificate' });
    assert.match(damaged.errors, /ca\.pem: it cannot be read, or holds a certificate that cannot/);
    const without = await duktape.run(duktape.build('SANITIZE=1'), '', { ca: certificates.authority });
    assert.match(without.errors, /ca\.pem: this program was built without TLS/);
    assert.deepEqual([damaged.code, without.code], [64, 64]);
  });

  test('an IPv6 address is written in brackets', async () => {
    const text = 'host.event = function () {}; host.print(host.settings.host + " " + host.settings.port)';
    const { lines } = await run(text, { environment: { MQTT_MOTE_ENDPOINT: '[::1]:8883' } });
    assert.deepEqual(lines, ['::1 8883']);
  });

  for (const app of ['slice', 'whole'] as const) {
    test(`connected over TLS, the ${app} device and its host take no more memory than their budget`, async () => {
      const { chain, privateKey, authority } = certificates;
      const server = createTlsServer({ cert: chain, key: privateKey }, (socket) => {
        socket.once('data', () => socket.write(Uint8Array.of(0x20, 2, 0, 0)));
        socket.on('error', () => {});
      });
      const endpoint = await listening(server);
      let kilobytes = 0;
      const look = (pid: number) => {
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        kilobytes = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]);
      };
      await duktape.run(small, await program(`targets/bare/${app}.ts`), {
        endpoint,
        ca: authority,
        at: ['connected', look],
      });
      server.close();
      assert.ok(kilobytes > 500, `${kilobytes} KB`);
      checkBudget(`duktape/${app}/residentKilobytes`, kilobytes, Infinity); // Kernels differ in what they map around a page.
    });
  }
});
