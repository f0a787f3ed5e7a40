// ECMA-419 TLS against a strict fake of TLSSocket: what it throws in the callbacks of the socket below becomes a typed error.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type Ecma419TlsOptions, type Ecma419TlsSocketOptions, ecma419Tls } from '../../src/ecma419.ts';
import { Client, type MqttError, plainIdentity, type Transport } from '../../src/index.ts';
import { FakeHost, type FakeHostOptions } from '../support/ecma419.ts';
import { dataOf, recordsOf, serverSays, tlsSocketOf } from '../support/ecma419-tls.ts';

const hosts: FakeHost[] = [];

afterEach(() => {
  const aborted = hosts.splice(0).map((it) => it.aborted);
  assert.deepEqual(
    aborted.filter((it) => it !== undefined),
    [],
    'an exception has left a callback',
  );
});

/** DER of so many bytes. */
const der = (length: number, mark = 0): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes.set([0x30, 0x82, (length - 4) >> 8, (length - 4) & 255, mark]);
  return bytes;
};

function dial(changes: Partial<Ecma419TlsOptions> = {}, options: FakeHostOptions = {}) {
  const host = new FakeHost({ accept: () => true, ...options });
  hosts.push(host);
  const TLSSocket = tlsSocketOf(host);
  const adapter = ecma419Tls({ ...host.parts, TLSSocket, certificate: der(700), ...changes });
  const told: string[] = [];
  const received: number[] = [];
  const it = {
    host,
    adapter,
    told,
    received,
    made: TLSSocket.made,
    error: undefined as MqttError | undefined,
    onReceived: () => {},
    onOpened: () => {},
    transport: undefined as unknown as Transport,
  };
  it.transport = adapter.dial(
    { host: '10.0.0.1', port: 8883 },
    {
      opened: () => {
        told.push('opened');
        it.onOpened();
      },
      received: (bytes) => {
        told.push(`received ${bytes.length}`);
        received.push(...bytes);
        it.onReceived();
      },
      writable: () => told.push('writable'),
      closed: (error) => {
        told.push(`closed ${error?.code ?? 'in order'}`);
        it.error = error;
      },
      warning: () => {},
    },
  );
  return it;
}

function open(changes: Partial<Ecma419TlsOptions> = {}) {
  const it = dial(changes);
  const { host, told } = it;
  host.time.advance(40);
  host.peer.send(serverSays.certificate());
  host.time.advance(20);
  assert.deepEqual(told, [], 'opened before the handshake was over');
  host.peer.send(serverSays.finished());
  host.time.advance(60);
  assert.deepEqual(told, ['opened']);
  told.length = 0;
  return { it, ...it };
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);

// The handshake.

test('it opens when the handshake is over, to the name and root that were given', () => {
  const certificate = der(700);
  const { made, host } = open({ certificate });
  const [{ secure, host: name, address, port }] = made as [Ecma419TlsSocketOptions];
  assert.deepEqual([secure, name, address, port], [{ certificate }, '10.0.0.1', '10.0.0.1', 8883]);
  assert.deepEqual(
    recordsOf(host.peer).map((it) => it.type),
    [22, 20, 22],
  );
});

test('a server name and a client certificate are handed on', () => {
  const clientCertificate = der(600);
  const clientKey = der(300);
  const { made } = dial({ serverName: 'iot.example.com', clientCertificate, clientKey, certificate: undefined });
  assert.deepEqual(made[0]!.secure, {
    serverName: 'iot.example.com',
    clientCertificates: [clientCertificate],
    clientKey,
  });
});

const REFUSALS: readonly [string, Uint8Array, string, RegExp][] = [
  [
    'a certificate that is not trusted',
    serverSays.certificate('certificate: auth err'),
    'untrusted',
    /untrusted root, wrong/,
  ],
  ['an alert', serverSays.alert(40), 'handshake', /^alert: 2, 40$/],
  ['an unknown curve', serverSays.certificate('unsupported curve'), 'handshake', /^unsupported curve$/],
];

for (const [title, answer, reason, message] of REFUSALS) {
  test(`${title} throws inside the host, and is tls here`, () => {
    const it = dial();
    it.host.time.advance(40);
    it.host.peer.send(answer);
    it.host.time.advance(100);
    assert.deepEqual([it.told, it.error?.reason], [['closed tls'], reason]);
    assert.match(it.error!.message, message);
    assert.equal(it.host.peer.open, false);
  });
}

test('a close_notify in the midst of the handshake opens nothing: what followed would leave in the clear', () => {
  const it = dial();
  it.host.time.advance(40);
  it.host.peer.send(serverSays.alert(0));
  it.host.time.advance(100);
  assert.deepEqual([it.told, it.error?.reason], [['closed tls'], 'closed']);
  assert.deepEqual(
    recordsOf(it.host.peer).map((record) => record.type),
    [22],
  );
});

test('a refused connection is tcp, one that is closed during the handshake is tls', () => {
  const refused = dial({}, { accept: () => false });
  refused.host.time.advance(100);
  assert.deepEqual([refused.told, refused.error?.reason], [['closed tcp'], 'closed']);
  const closed = dial();
  closed.host.time.advance(40);
  closed.host.peer.close();
  closed.host.time.advance(100);
  assert.deepEqual([closed.told, closed.error?.reason], [['closed tls'], 'closed']);
});

test('a root that is not valid now, and a host without sockets, throw at the dial', () => {
  assert.throws(() => dial({ certificate: der(700, 0xee) }), { code: 'tls', reason: 'ca-expired' });
  const TCP = class {
    constructor() {
      throw new Error('no socket');
    }
  } as unknown as FakeHost['TCP'];
  assert.throws(() => dial({ TCP }), { code: 'tcp', message: 'no socket' });
});

// Data.

test('writes stay below the room of a record with the largest overhead, and arrive whole', () => {
  const { host, transport, told } = open();
  const message = bytes(5_000);
  let taken = transport.write(message);
  for (let i = 0; taken < message.length && i < 20; i++) {
    host.time.advance(20);
    taken += transport.write(message.subarray(taken));
  }
  host.time.advance(100);
  assert.deepEqual(dataOf(host.peer), message);
  assert.ok(told.length > 2 && told.every((it) => it === 'writable'), String(told));
});

test('small writes fill the room to its end without an error', () => {
  const { host, transport } = open();
  let count = 0;
  while (transport.write(bytes(10)) === 10) count++;
  assert.ok(count > 5, `${count} writes`);
  host.time.advance(100);
  assert.equal(dataOf(host.peer).length >= count * 10, true);
});

test('no single write exceeds a record', () => {
  const { transport } = open();
  const sizes: number[] = [];
  const link = transport as unknown as { socket: { write(bytes: Uint8Array): number } };
  link.socket.write = (part) => {
    sizes.push(part.length);
    return 60_000;
  };
  transport.write(bytes(10)); // Learns of the room.
  assert.equal(transport.write(bytes(40_000)), 40_000);
  assert.deepEqual(sizes, [10, 16_384, 16_384, 7_232]);
});

test('several records at once are read at once, without a timer of the host', () => {
  const { host, received, told } = open();
  for (const length of [10, 20, 30]) host.peer.send(serverSays.data(bytes(length)));
  host.time.advance(20);
  assert.deepEqual(told, ['received 10', 'received 20', 'received 30']);
  assert.deepEqual(received, [...bytes(10), ...bytes(20), ...bytes(30)]);
  assert.equal(host.timers.length, 0);
});

test('a record in pieces is read when it is whole', () => {
  const { host, received } = open();
  const record = serverSays.data(bytes(5_000));
  for (let at = 0; at < record.length; at += 611) {
    host.peer.send(record.subarray(at, at + 611));
    host.time.advance(20);
  }
  assert.deepEqual(received, [...bytes(5_000)]);
});

test('a forged record behind a good one ends the connection after the good one, not the machine', () => {
  const { host, told, it } = open();
  host.peer.send(serverSays.data(bytes(10)));
  host.peer.send(serverSays.forged());
  host.time.advance(100);
  assert.deepEqual([told, it.error?.message], [['received 10', 'closed tls'], 'recordProtocol: auth failed']);
});

test('pausing with records unread loses none, and guards those behind as well', () => {
  const { host, transport, told, it } = open();
  it.onReceived = () => transport.pause();
  host.peer.send(serverSays.data(bytes(10)));
  host.peer.send(serverSays.data(bytes(20)));
  host.peer.send(serverSays.forged());
  host.time.advance(500);
  assert.deepEqual(told, ['received 10']);
  host.peer.send(serverSays.data(bytes(30)));
  host.time.advance(500);
  assert.deepEqual(told, ['received 10']);
  transport.resume();
  assert.deepEqual(told, ['received 10', 'received 20']);
  transport.resume();
  assert.deepEqual(told, ['received 10', 'received 20', 'closed tls']);
});

test('while paused a forged record behind a good one is not looked at, nor is it by a timer of the host', () => {
  const { host, transport, told, it } = open();
  it.onReceived = () => transport.pause();
  host.peer.send(serverSays.data(bytes(10)));
  host.peer.send(serverSays.forged());
  host.time.advance(500);
  assert.deepEqual([told, host.aborted], [['received 10'], undefined]);
  transport.resume();
  assert.deepEqual(told, ['received 10', 'closed tls']);
});

test('however many records come at once, the stack of a small host does not grow with them', () => {
  const { host, transport, it, told } = open();
  const depths: number[] = [];
  const { stackTraceLimit } = Error;
  it.onReceived = () => {
    transport.pause();
    transport.resume();
    Error.stackTraceLimit = Number.POSITIVE_INFINITY;
    depths.push(new Error('depth').stack!.split('\n').length);
    Error.stackTraceLimit = stackTraceLimit;
  };
  for (let i = 0; i < 100; i++) host.peer.send(serverSays.data(bytes(5)));
  host.time.advance(100);
  assert.equal(told.length, 100);
  assert.deepEqual([...new Set(depths)].length, 1, String(depths));
});

test('a close_notify comes after the data before it', () => {
  const { host, told } = open();
  host.peer.send(serverSays.data(bytes(10)));
  host.peer.send(serverSays.alert(0));
  host.time.advance(100);
  assert.deepEqual(told, ['received 10', 'closed in order']);
  assert.equal(host.peer.open, false);
});

test('aborting within any event leaves nothing behind', () => {
  const it = dial();
  it.onOpened = () => it.transport.abort();
  it.host.time.advance(40);
  it.host.peer.send(serverSays.certificate());
  it.host.peer.send(serverSays.finished());
  it.host.time.advance(500);
  assert.deepEqual([it.told, it.host.peer.open], [['opened'], false]);
  const other = open();
  other.it.onReceived = () => other.transport.abort();
  other.host.peer.send(serverSays.data(bytes(10)));
  other.host.peer.send(serverSays.data(bytes(10)));
  other.host.time.advance(500);
  assert.deepEqual([other.told, other.host.peer.open, other.host.timers.length], [['received 10'], false, 0]);
});

test('what a listener throws is no fault of TLS', () => {
  const { host, it } = open();
  it.onReceived = () => {
    throw new Error('bug');
  };
  host.peer.send(serverSays.data(bytes(10)));
  host.time.advance(100);
  assert.equal(it.error?.code, 'host-failed');
});

// Options.

const FAULTS: readonly [object, string][] = [
  [{ TLSSocket: undefined }, 'TLSSocket must be handed in'],
  [{ TCP: undefined }, 'TCP must be handed in'],
  [{ certificate: '-----BEGIN CERTIFICATE-----' }, 'certificate must be bytes, in DER'],
  [{ certificate: new Uint8Array(0) }, 'certificate must be bytes, in DER'],
  [{ certificate: Buffer.from('-----BEGIN CERTIFICATE-----') }, 'certificate is not DER: decode PEM first'],
  [{ certificate: der(700).subarray(0, 699) }, 'certificate has 699 bytes, but says 700'],
  [{ certificate: Uint8Array.of(0x30, 9, 0, 0, 0, 0) }, 'certificate has 6 bytes, but says 11'],
  [{ clientCertificate: der(600) }, 'clientCertificate and clientKey go together'],
  [{ clientKey: der(600) }, 'clientCertificate and clientKey go together'],
  [{ clientCertificate: der(600), clientKey: Buffer.from('MIIEvQ') }, 'clientKey is not DER: decode PEM first'],
  [{ serverName: '' }, 'serverName must be a host name'],
];

for (const [fault, message] of FAULTS) {
  test(`a bad option is refused: ${message}${'TLSSocket' in fault ? '' : ` (${Object.keys(fault)})`}`, () => {
    assert.throws(() => dial(fault), { code: 'bad-option', message });
  });
}

test('certificates come as ArrayBuffer, as Uint8Array, or as a resource of the firmware', () => {
  const resource = { byteLength: 700 };
  for (const certificate of [der(700), der(700).buffer as ArrayBuffer, resource]) {
    assert.deepEqual(dial({ certificate }).made[0]!.secure, { certificate });
  }
});

test('a client takes it for production, and reports a certificate that is not trusted', () => {
  const { host, adapter } = dial();
  const client = new Client({
    adapter,
    production: true,
    reconnect: false,
    endpoints: [{ host: '10.0.0.1', port: 8883 }],
    identity: plainIdentity({ clientId: 'device' }),
  });
  const codes: string[] = [];
  client.on('disconnected', ({ error }) => codes.push(`${error?.code} ${error?.reason}`));
  client.connect();
  host.time.advance(40);
  host.peer.send(serverSays.certificate('certificate: auth err'));
  host.time.advance(100);
  assert.deepEqual(codes, ['tls untrusted']);
});
