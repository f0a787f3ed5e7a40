// The adapter for Espruino on a host that behaves as Espruino does.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type EspruinoNet, espruinoTcp, espruinoTls } from '../../src/espruino.ts';
import { Client, type MqttError, plainIdentity, type Transport } from '../../src/index.ts';
import { FakeEspruino } from './fake-espruino.ts';

/** Most bytes that wait in Espruino and in the adapter, each. */
const PIECE = 1_072;

const ENDPOINT = { host: 'mqtt.example.com', port: 1883 };

interface World {
  readonly device: FakeEspruino;
  readonly transport: Transport;
  /** What the transport told, in order. */
  readonly told: string[];
  readonly received: number[];
  fault: MqttError | undefined;
}

function install(t: TestContext, tls = false): FakeEspruino {
  const device = new FakeEspruino(tls);
  device.install();
  t.after(() => device.uninstall());
  return device;
}

/** A device that has dialled. */
function dial(t: TestContext, prepare: (device: FakeEspruino) => void = () => {}, tls = false): World {
  const device = install(t, tls);
  const adapter = tls ? espruinoTls() : espruinoTcp();
  prepare(device);
  const told: string[] = [];
  const received: number[] = [];
  const transport = adapter.dial(ENDPOINT, {
    opened: () => void told.push('opened'),
    received(bytes) {
      told.push(`received ${bytes.length}`);
      for (const it of bytes) received.push(it);
    },
    writable: () => void told.push('writable'),
    closed(error) {
      told.push(`closed ${error?.code ?? 'in order'}`);
      it.fault = error;
    },
    warning: ({ code }) => void told.push(code),
  });
  assert.deepEqual(told, []); // Nothing before dial() has returned.
  const it: World = { device, transport, told, received, fault: undefined };
  return it;
}

/** One that is connected, too. */
function connect(t: TestContext, tls = false): World {
  const it = dial(t, undefined, tls);
  it.device.turn();
  assert.deepEqual(it.told.splice(0), ['opened']);
  return it;
}

const bytes = (length: number, from = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (i + from) & 255);

const sent = ({ device }: World): number[] => [...Buffer.from(device.received, 'latin1')];

test('bytes go both ways as bytes: every value, and a view into a larger buffer', (t) => {
  const it = connect(t);
  assert.equal(it.transport.write(bytes(300).subarray(3, 299)), 296);
  it.device.turn();
  assert.deepEqual(sent(it), [...bytes(296, 3)]);
  it.device.send(bytes(1_500));
  it.device.turn(4);
  assert.deepEqual(it.told, ['received 536', 'received 536', 'received 428']);
  assert.deepEqual(it.received, [...bytes(1_500)]);
});

test('what a server says first comes after opened()', (t) => {
  const it = dial(t, (device) => device.send(bytes(5)));
  it.device.turn(2);
  assert.deepEqual(it.told, ['opened', 'received 5']);
});

test('what connect() throws is told after dial() has returned', (t) => {
  const cases = [
    ['Unable to create socket', 'tcp'],
    ['Unable to locate host', 'dns'],
    ['Not enough memory to allocate SSL socket', 'tls'],
    ["HTTPS init failed! mbedtls_x509_crt_parse of 'cert': Invalid format", 'tls'],
  ] as const;
  for (const [message, code] of cases) {
    const it = dial(t, (device) => {
      device.refuses = message;
    });
    it.device.pass(0.01);
    assert.deepEqual(it.told, [`closed ${code}`]);
    assert.equal(it.fault?.message, message);
    it.transport.abort();
    it.device.turn(3);
    assert.equal(it.told.length, 1);
    assert.deepEqual(it.device.console, []);
  }
});

test('a device that is not online is told so after dial() has returned', (t) => {
  const it = dial(t, (device) => {
    device.online = false;
  });
  it.device.pass(0.01);
  assert.deepEqual([it.told, it.fault?.message], [['closed tcp'], 'Not connected to the internet']);
});

test('a dial that was refused and given up says nothing', (t) => {
  const it = dial(t, (device) => {
    device.refuses = 'Unable to create socket';
  });
  it.transport.abort();
  it.device.pass(0.01);
  assert.deepEqual(it.told, []);
});

test('a server that closes, or resets, closes in order: Espruino cannot tell', (t) => {
  for (const ending of ['end', 'reset'] as const) {
    const it = connect(t);
    it.device.send(bytes(600));
    it.device.ending = ending;
    it.device.turn(3);
    assert.deepEqual(it.told, ['received 536', 'received 64', 'closed in order']);
  }
});

test('a server that closes before anything was connected has failed', (t) => {
  const it = dial(t, (device) => {
    device.ending = 'end';
  });
  it.device.turn();
  assert.deepEqual([it.told, it.fault?.reason], [['closed tcp'], 'closed']);
});

test('what could not be sent when the server closed is an error', (t) => {
  const it = connect(t);
  it.device.room = 0;
  it.transport.write(bytes(10));
  it.device.ending = 'end';
  it.device.turn();
  assert.deepEqual([it.told, it.fault?.reason], [['closed tcp'], 'unsent-data']);
});

test('no more is taken than two pieces, and there is room again once one has gone', (t) => {
  const it = connect(t);
  const all = bytes(10_240);
  let at = it.transport.write(all);
  assert.equal(at, PIECE);
  assert.equal(it.transport.write(all.subarray(at)), PIECE);
  at += PIECE;
  assert.equal(it.transport.write(all.subarray(at)), 0);
  for (let turns = 0; turns < 100 && at < all.length; turns++) {
    it.device.turn();
    if (it.told.pop() === 'writable') at += it.transport.write(all.subarray(at));
  }
  it.device.turn(10);
  assert.deepEqual(sent(it), [...all]);
});

test('a piece that could not be sent does not grow before it was', (t) => {
  const it = connect(t, true);
  it.device.room = 0;
  it.transport.write(bytes(100));
  it.device.turn();
  it.transport.write(bytes(100, 100));
  it.device.room = 1_000;
  it.device.turn(2);
  assert.deepEqual(it.device.pieces, [100, 100]);
  assert.deepEqual(sent(it), [...bytes(200)]);
});

test('close() sends what was taken before it closes', (t) => {
  const it = connect(t);
  it.device.room = 0;
  it.transport.write(bytes(PIECE));
  it.transport.write(bytes(10));
  it.transport.close();
  it.transport.close();
  it.device.turn(3);
  assert.equal(it.device.sockets.length, 1);
  it.device.room = 10_000;
  it.device.turn(6);
  assert.equal(sent(it).length, PIECE + 10);
  assert.deepEqual([it.told, it.device.sockets.length], [['closed in order'], 0]);
});

test('close() with nothing to send closes at once', (t) => {
  const it = connect(t);
  it.transport.close();
  it.device.turn();
  assert.deepEqual([it.told, it.device.sockets.length], [['closed in order'], 0]);
});

test('abort() frees the socket although nothing drains, and nothing is heard of it any more', (t) => {
  const it = connect(t);
  it.device.room = 0;
  it.transport.write(bytes(100));
  it.device.turn();
  it.transport.abort();
  it.device.send(bytes(10));
  it.transport.abort();
  it.device.turn(3);
  assert.deepEqual([it.told, it.device.sockets.length], [[], 0]);
});

test('abort() before the socket has opened leaves nothing either', (t) => {
  const it = dial(t);
  it.transport.abort();
  it.device.turn(2);
  assert.deepEqual([it.told, it.device.sockets.length], [[], 0]);
});

test('an event that was queued before abort() is not told', (t) => {
  const it = connect(t);
  it.device.ending = 'end';
  it.device.events.push(() => it.transport.abort());
  it.device.turn();
  assert.deepEqual(it.told, []);
});

test('what comes while reading is paused waits, in order, and the end behind it', (t) => {
  const it = connect(t);
  it.transport.pause();
  it.device.send(bytes(700));
  it.device.ending = 'end';
  it.device.turn(4);
  assert.deepEqual(it.told, []);
  it.transport.resume();
  assert.deepEqual(it.told, ['received 700', 'closed in order']);
  assert.deepEqual(it.received, [...bytes(700)]);
});

test('a network that goes away under a connection is noticed at the next write', (t) => {
  const it = connect(t);
  it.device.online = false;
  it.device.turn();
  assert.equal(it.transport.write(bytes(3)), 3);
  assert.deepEqual(it.told, []);
  it.device.pass(0.01);
  assert.deepEqual([it.told, it.fault?.message], [['closed tcp'], 'Not connected to the internet']);
  it.transport.abort();
});

test('a write between the end and its event is not an error of its own', (t) => {
  const it = connect(t);
  it.device.ending = 'end';
  it.device.events.push(() => void it.transport.write(bytes(3)));
  it.device.turn();
  assert.deepEqual(it.told, ['closed in order']);
});

test('TLS opens with TCP; the first bytes that get through prove the handshake', (t) => {
  const it = dial(
    t,
    (device) => {
      device.handshaken = false;
    },
    true,
  );
  it.device.turn();
  assert.deepEqual(it.told, ['opened']);
  it.transport.write(bytes(20));
  it.device.turn(3);
  assert.equal(it.device.received, '');
  it.device.ending = 'end';
  it.device.turn();
  assert.deepEqual([it.fault?.code, it.fault?.reason], ['tls', 'handshake']);
});

test('a server that says good-bye over TLS closes in order', (t) => {
  const it = connect(t, true);
  it.transport.write(bytes(20));
  it.device.turn();
  it.device.ending = 'close-notify';
  it.device.turn();
  assert.deepEqual(it.told, ['closed in order']);
});

test('over TLS every dial warns that nobody knows who the server is, and production refuses it', (t) => {
  install(t, true);
  const options = { adapter: espruinoTls(), endpoints: [ENDPOINT], identity: plainIdentity({ clientId: 'c' }) };
  assert.throws(() => new Client({ ...options, production: true }), { code: 'bad-option', reason: 'production' });
  const client = new Client(options);
  const codes: string[] = [];
  client.on('warning', ({ code }) => codes.push(code));
  client.connect();
  assert.deepEqual(codes, ['unauthenticated-server']);
  client.abort();
});

test('a certificate of the device goes to connect() with its key; either alone is refused', (t) => {
  const device = install(t, true);
  const options = { cert: bytes(200), key: bytes(100) };
  const events = { opened() {}, received() {}, writable() {}, closed() {}, warning() {} };
  espruinoTls(options).dial(ENDPOINT, events);
  assert.deepEqual(device.sockets[0]!.options, { ...ENDPOINT, ...options });
  for (const wrong of [{ cert: options.cert }, { key: options.key }, { cert: 'cert.pem', key: options.key }]) {
    assert.throws(() => espruinoTls(wrong as object), { name: 'MqttError', code: 'bad-option' });
  }
});

test('a module that cannot connect is refused', (t) => {
  install(t);
  for (const net of [{}, null, 'net'] as unknown as EspruinoNet[]) {
    assert.throws(() => espruinoTcp({ net: net ?? ({} as EspruinoNet) }), { code: 'bad-option' });
  }
  assert.throws(() => espruinoTls(), { code: 'bad-option' }); // A build without TLS has no such module.
});

test('an alarm rings once, is moved and cleared, and never clears the timer of somebody else', (t) => {
  const device = install(t);
  let rung = 0;
  const alarm = espruinoTcp().alarm(() => rung++);
  alarm.clear();
  alarm.set(1_000);
  alarm.set(5_000);
  device.pass(1.5);
  assert.equal(rung, 0);
  device.pass(4);
  assert.equal(rung, 1);
  let others = 0;
  setTimeout(() => others++, 1_000); // Gets the number of the timer that has rung.
  alarm.clear();
  alarm.set(2_000);
  alarm.clear();
  device.pass(3);
  assert.deepEqual([rung, others, device.timers.size], [1, 1, 0]);
});

test('the clock counts milliseconds, and nothing of what setTime() does', (t) => {
  const device = install(t);
  const { now } = espruinoTcp();
  const start = now();
  device.pass(1.5);
  assert.equal(now() - start, 1_500);
  device.setTime(1_800_000_000);
  assert.equal(now() - start, 1_500);
  device.pass(0.25);
  device.setTime(0);
  assert.equal(now() - start, 1_500);
  device.pass(2);
  assert.equal(now() - start, 3_500);
});

test('the clock is a uint32', (t) => {
  const device = install(t);
  const { now } = espruinoTcp();
  for (let day = 0; day < 60; day++) {
    device.pass(80_000);
    now();
  }
  assert.equal(now(), (60 * 80_000_000) % 2 ** 32);
});

test('what a listener threw is shown on the console', (t) => {
  const device = install(t);
  const error = new Error('from a listener');
  espruinoTcp().report(error);
  device.pass(0.01);
  assert.deepEqual(device.console, [error]);
});
