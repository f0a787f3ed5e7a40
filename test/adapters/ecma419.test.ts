// ECMA-419 TCP against a strict fake host: when it opens, how it writes and reads, how it ends, and that nothing escapes.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type Ecma419Options, ecma419Tcp } from '../../src/ecma419.ts';
import { Client, type MqttError, plainIdentity, type Transport } from '../../src/index.ts';
import { VirtualTime } from '../../src/memory.ts';
import { FakeHost, type FakeHostOptions, type FarEnd } from '../support/ecma419.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';

const hosts: FakeHost[] = [];

function makeHost(options: FakeHostOptions = {}): FakeHost {
  const host = new FakeHost(options);
  hosts.push(host);
  return host;
}

afterEach(() => {
  const aborted = hosts.splice(0).map((it) => it.aborted);
  assert.deepEqual(
    aborted.filter((it) => it !== undefined),
    [],
    'an exception has left a callback',
  );
});

/** A transport, and what it has told. */
function dial(host: FakeHost, address = '10.0.0.1', changes: Partial<Ecma419Options> = {}) {
  const told: string[] = [];
  const received: number[] = [];
  const it = {
    told,
    received,
    error: undefined as MqttError | undefined,
    onReceived: (_: Uint8Array) => {},
    onOpened: () => {},
    transport: undefined as unknown as Transport,
  };
  it.transport = ecma419Tcp({ ...host.parts, ...changes }).dial(
    { host: address, port: 1883 },
    {
      opened: () => {
        told.push('opened');
        it.onOpened();
      },
      received: (bytes) => {
        told.push(`received ${bytes.length}`);
        received.push(...bytes);
        it.onReceived(bytes);
      },
      writable: () => told.push('writable'),
      closed: (error) => {
        told.push(`closed ${error?.code ?? 'in order'}`);
        it.error = error;
      },
      warning: ({ code }) => told.push(`warning ${code}`),
    },
  );
  return it;
}

function open(options: FakeHostOptions = {}) {
  const host = makeHost({ accept: () => true, ...options });
  const it = dial(host);
  host.time.advance(100);
  assert.deepEqual(it.told, ['opened']);
  it.told.length = 0;
  return { host, peer: host.peer, ...it, it };
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255);

// Opening.

test('a name is resolved first, and the first onWritable is when it opens', () => {
  const host = makeHost({ names: { broker: '10.0.0.7' } });
  const { told } = dial(host, 'broker');
  assert.equal(host.peers.length, 0, 'a socket before there is an address');
  host.time.advance(0);
  const { address, port, nodelay, host: name } = host.made[0]!;
  assert.deepEqual([address, port, nodelay, name], ['10.0.0.7', 1883, true, 'broker']);
  host.time.advance(1_000);
  assert.deepEqual(told, []);
  host.peer.accept();
  host.time.advance(20);
  assert.deepEqual(told, ['opened']);
});

test('an IPv4 address asks no resolver; what only looks like one does', () => {
  const asked: string[] = [];
  const resolver = { resolve: ({ host }: { host: string }) => void asked.push(host) };
  const host = makeHost();
  for (const it of ['127.0.0.1', '255.255.255.255', '1.2.3.256', '1.2.3', '01.2.3.4', '1.2.3.4.5', '1.2..4', 'a.b.c.d'])
    dial(host, it, { resolver });
  assert.deepEqual(
    host.made.map((it) => it.address),
    ['127.0.0.1', '255.255.255.255'],
  );
  assert.deepEqual(asked, ['1.2.3.256', '1.2.3', '01.2.3.4', '1.2.3.4.5', '1.2..4', 'a.b.c.d']);
});

test('a name that does not resolve, and one without a resolver, is dns', () => {
  const host = makeHost({ names: { nowhere: null } });
  const it = dial(host, 'nowhere');
  host.time.advance(0);
  assert.deepEqual(it.told, ['closed dns']);
  assert.match(it.error!.message, /no address of nowhere/);
  assert.throws(() => dial(host, 'broker', { resolver: undefined }), { code: 'dns', reason: 'resolver' });
  const resolver = {
    resolve: () => {
      throw new Error('no servers');
    },
  };
  assert.throws(() => dial(host, 'broker', { resolver }), { code: 'dns', message: 'no servers' });
});

test('a resolver that answers at once is not heard before dial() has returned', () => {
  const host = makeHost({ accept: () => true });
  const found = dial(host, 'broker', { resolver: { resolve: (it) => it.onResolved(it.host, '10.0.0.9') } });
  const lost = dial(host, 'broker', { resolver: { resolve: (it) => it.onError() } });
  assert.deepEqual([found.told, lost.told, host.peers.length], [[], [], 0]);
  host.time.advance(100);
  assert.deepEqual([found.told, lost.told], [['opened'], ['closed dns']]);
});

test('a resolver that answers twice, or after abort(), opens nothing more', () => {
  const host = makeHost();
  let answer = (_: string) => {};
  const resolver = {
    resolve: (it: { host: string; onResolved(host: string, address: string): void }) => {
      answer = (address) => it.onResolved(it.host, address);
    },
  };
  dial(host, 'broker', { resolver });
  answer('10.0.0.1');
  answer('10.0.0.2');
  assert.equal(host.peers.length, 1);
  const { transport, told } = dial(host, 'broker', { resolver });
  transport.abort();
  answer('10.0.0.3');
  host.time.advance(100);
  assert.deepEqual([host.peers.length, told], [1, []]);
});

test('what the resolver gives is no address: tcp, with what the host said', () => {
  const host = makeHost({ names: { broker: 'fe80::1' } });
  const it = dial(host, 'broker');
  host.time.advance(0);
  assert.deepEqual([it.told, it.error?.message], [['closed tcp'], 'invalid address']);
});

test('a host that has no socket left throws at the dial: tcp', () => {
  const host = makeHost();
  const TCP = class {
    constructor() {
      throw new Error('no socket');
    }
  } as unknown as FakeHost['TCP'];
  assert.throws(() => dial(host, '10.0.0.1', { TCP }), { code: 'tcp', message: 'no socket' });
});

test('a connection that is refused is tcp', () => {
  const host = makeHost({ accept: () => false });
  const it = dial(host);
  host.time.advance(100);
  assert.deepEqual([it.told, it.error?.reason], [['closed tcp'], 'closed']);
});

// Writing.

test('no write exceeds what is writable, and the rest follows when there is room', () => {
  const { host, peer, transport, told } = open();
  const message = bytes(4_000);
  let taken = transport.write(message);
  assert.deepEqual([taken, transport.write(message.subarray(taken))], [1_536, 0]);
  for (const room of [1_536, 928]) {
    host.time.advance(20);
    assert.deepEqual(told.splice(0), ['writable']);
    const more = transport.write(message.subarray(taken));
    assert.equal(more, room);
    taken += more;
  }
  host.time.advance(1_000);
  assert.deepEqual([told, peer.writes], [[], [1_536, 1_536, 928]]);
  assert.deepEqual(peer.received, message);
});

test('several messages share the room, down to its last byte', () => {
  const { peer, transport } = open();
  assert.deepEqual(
    [transport.write(bytes(1_000)), transport.write(bytes(536)), transport.write(bytes(1))],
    [1_000, 536, 0],
  );
  assert.deepEqual(peer.writes, [1_000, 536]);
});

test('room that nobody waits for is told to nobody', () => {
  const { host, transport, told } = open();
  transport.write(bytes(10));
  host.time.advance(1_000);
  assert.deepEqual(told, []);
});

test('a network that takes nothing is full until it does', () => {
  const { host, peer, transport, told } = open();
  peer.allow(0);
  assert.equal(transport.write(bytes(2_000)), 1_536);
  host.time.advance(5_000);
  assert.deepEqual(told, []);
  peer.allow(1);
  host.time.advance(20);
  assert.deepEqual(told, ['writable']);
});

test('a write that returns nothing leaves no room, one that throws is tcp', () => {
  const { transport, it } = open();
  const link = transport as unknown as { socket: { write(bytes: Uint8Array): number | undefined } };
  link.socket.write = () => undefined;
  assert.deepEqual([transport.write(bytes(5)), transport.write(bytes(5))], [5, 0]);
  const { transport: other } = open();
  (other as unknown as typeof link).socket.write = () => {
    throw new Error('would block');
  };
  assert.throws(() => other.write(bytes(5)), { code: 'tcp', message: 'would block' });
  assert.deepEqual(it.told, []);
});

test('before it opens and after it has ended it takes nothing', () => {
  const host = makeHost();
  const { transport } = dial(host);
  assert.equal(transport.write(bytes(5)), 0);
  transport.abort();
  assert.equal(transport.write(bytes(5)), 0);
});

// Reading.

test('what arrives is read whole, in order', () => {
  const { host, peer, told, received } = open();
  peer.send(bytes(4_000));
  host.time.advance(200);
  assert.deepEqual(told, ['received 1536', 'received 1536', 'received 928']);
  assert.deepEqual(received, [...bytes(4_000)]);
});

test('while paused nothing is read, and afterwards everything, although the host tells only once', () => {
  const { host, peer, transport, told, received } = open();
  transport.pause();
  peer.send(bytes(2_000));
  host.time.advance(500);
  assert.deepEqual(told, []);
  transport.resume();
  assert.deepEqual(told, ['received 1536']);
  host.time.advance(100);
  assert.deepEqual(received, [...bytes(2_000)]);
});

test('a listener that pauses, resumes or aborts in the midst is obeyed', () => {
  const { host, peer, transport, it, received } = open();
  it.onReceived = () => {
    transport.pause();
    transport.resume();
    it.onReceived = () => transport.pause();
  };
  peer.send(bytes(4_000));
  host.time.advance(500);
  assert.equal(received.length, 3_072);
  it.onReceived = () => transport.abort();
  transport.resume();
  host.time.advance(500);
  assert.equal(received.length, 4_000);
  assert.ok(!it.told.includes('closed in order'), String(it.told));
});

test('bytes that come with the connection wait until it has opened', () => {
  const host = makeHost();
  const { told } = dial(host);
  const { onReadable, onWritable, target } = host.made[0]!;
  const socket = { target };
  host.peer.accept();
  host.call(() => onReadable.call(socket, 3));
  assert.deepEqual(told, []);
  host.peer.send(bytes(3));
  host.time.advance(20);
  assert.deepEqual(told, ['opened', 'received 3']);
  host.call(() => onWritable.call(socket, 9));
  assert.deepEqual(told, ['opened', 'received 3']);
});

// Ending.

test('a server that closes is told after what it has sent', () => {
  const { host, peer, told, it } = open();
  peer.send(bytes(2_000));
  peer.close();
  host.time.advance(500);
  assert.deepEqual(told, ['received 1536', 'received 464', 'closed in order']);
  assert.equal(it.error, undefined);
});

test('a host that says why is quoted: tcp', () => {
  const { host, told, it } = open();
  const { onError, target } = host.made[0]!;
  host.call(() => onError.call({ target }, new Error('reset')));
  assert.deepEqual([told, it.error?.message], [['closed tcp'], 'reset']);
});

test('close() ends once, after what was written; abort() says nothing; both can be called again', () => {
  const { host, peer, transport, told } = open();
  transport.write(bytes(9));
  transport.close();
  transport.close();
  transport.abort();
  host.time.advance(500);
  assert.deepEqual([told, [...peer.received], peer.open], [['closed in order'], [...bytes(9)], false]);
  const other = open();
  other.transport.abort();
  other.transport.abort();
  other.peer.send(bytes(9));
  other.host.time.advance(500);
  assert.deepEqual([other.told, other.peer.open], [[], false]);
});

test('events that the host still has for a socket that was given up are not passed on', () => {
  const { host, transport, told } = open();
  const { onError, onReadable, onWritable, target } = host.made[0]!;
  transport.abort();
  host.call(() => onReadable.call({ target }, 5));
  host.call(() => onWritable.call({ target }, 5));
  host.call(() => onError.call({ target }));
  assert.deepEqual(told, []);
});

// Nothing escapes.

test('what a listener throws ends the connection, not the machine', () => {
  const host = makeHost({ accept: () => true });
  const it = dial(host);
  it.onOpened = () => {
    throw new Error('bug');
  };
  host.time.advance(100);
  assert.deepEqual([it.told, (it.error!.cause as Error).message], [['opened', 'closed host-failed'], 'bug']);
});

test('a socket that cannot be read or closed is reported, and the machine goes on', () => {
  const reports: unknown[] = [];
  const host = makeHost({ accept: () => true });
  const it = dial(host, '10.0.0.1', { report: (error) => reports.push((error as Error).message) });
  host.time.advance(100);
  const { socket } = it.transport as unknown as { socket: { read(): never; close(): void } };
  socket.read = () => {
    throw new Error('read');
  };
  const close = socket.close.bind(socket);
  socket.close = () => {
    close();
    throw new Error('close');
  };
  host.peer.send(bytes(3));
  host.time.advance(100);
  assert.deepEqual([it.told, reports], [['opened', 'closed host-failed'], ['close']]);
});

// Host.

test('the clock is the last 32 bits of ticks, which may be negative', () => {
  const adapter = ecma419Tcp({ ...makeHost({ time: new VirtualTime(2 ** 31 + 5) }).parts });
  assert.equal(adapter.now(), 2 ** 31 + 5);
});

test('an alarm rings once; setting it again replaces it; no timer is longer than the host can count', () => {
  const host = makeHost();
  let rang = 0;
  const alarm = ecma419Tcp(host.parts).alarm(() => rang++);
  alarm.set(100);
  alarm.set(200);
  assert.equal(host.timers.length, 1);
  host.time.advance(199);
  assert.equal(rang, 0);
  host.time.advance(1);
  assert.equal(rang, 1);
  alarm.clear();
  alarm.set(2 ** 31 + 10);
  assert.equal(host.timers.length, 1);
  alarm.clear();
  alarm.clear();
  assert.equal(host.timers.length, 0);
});

test('what an alarm throws is reported, by default with trace, and a report that throws is let be', () => {
  const host = makeHost();
  const ring = () => {
    throw new Error('rang');
  };
  const reports: unknown[] = [];
  const report = (error: unknown) => {
    reports.push((error as Error).message);
    throw new Error('full');
  };
  ecma419Tcp({ ...host.parts, report })
    .alarm(ring)
    .set(1);
  host.time.advance(1);
  assert.deepEqual(reports, ['rang']);
  const traced: string[] = [];
  const world = globalThis as { trace?: (text: string) => void };
  world.trace = (text) => void traced.push(text);
  ecma419Tcp(host.parts).alarm(ring).set(1);
  host.time.advance(1);
  delete world.trace;
  assert.deepEqual(traced, ['mqtt-mote: rang\n']);
  ecma419Tcp(host.parts).alarm(ring).set(1);
  host.time.advance(1); // Neither: nothing happens.
});

test('random is the host’s, or what was handed in', () => {
  const { random: _, ...parts } = makeHost().parts;
  assert.equal(ecma419Tcp({ ...parts, random: () => 0.25 }).random(), 0.25);
  const value = ecma419Tcp(parts).random();
  assert.ok(value >= 0 && value < 1, String(value));
});

const FAULTS: readonly [object, string][] = [
  [{ TCP: undefined }, 'TCP must be handed in'],
  [{ Timer: {} }, 'Timer.set must be handed in'],
  [{ Timer: { set: () => {} } }, 'Timer.clear must be handed in'],
  [{ Time: undefined }, 'Time.ticks must be a number of milliseconds'],
  [{ resolver: {} }, 'resolver.resolve must be handed in'],
  [{ random: 4 }, 'random must be handed in'],
  [{ report: 'trace' }, 'report must be handed in'],
];

for (const [fault, message] of FAULTS) {
  test(`a bad option is refused: ${message}`, () => {
    assert.throws(() => ecma419Tcp({ ...makeHost().parts, ...fault } as Ecma419Options), {
      code: 'bad-option',
      message,
    });
  });
}

test('without options the first thing that is missing is named', () => {
  assert.throws(() => ecma419Tcp(undefined as never), { code: 'bad-option', message: 'TCP must be handed in' });
});

// A client on it.

test('a client on this host connects, exchanges 10 KB both ways, reconnects, and leaves no timer', () => {
  const server = new ScriptedServer();
  server.respond = obligingly;
  const host = makeHost({ accept: (peer: FarEnd) => server.accept(peer), names: { broker: '10.0.0.1' } });
  const client = new Client({
    adapter: ecma419Tcp(host.parts),
    allowPlaintext: true,
    endpoints: [{ host: 'broker', port: 1883 }],
    identity: plainIdentity({ clientId: 'device' }),
  });
  const told: string[] = [];
  client.on('connected', () => told.push('connected'));
  client.on('disconnected', ({ code }) => told.push(code));
  client.on('message', ({ payload }) => told.push(`message of ${payload.length}`));
  client.connect();
  host.time.advance(500);
  client.publish('up', bytes(10_240), { qos: 1 }, (error) => told.push(error?.code ?? 'published'));
  host.time.advance(500);
  const { current } = server;
  assert.deepEqual(
    current.of('publish').map((it) => Buffer.from(it.payload)),
    [Buffer.from(bytes(10_240))],
  );
  current.send({
    cmd: 'publish',
    topic: 'down',
    payload: Buffer.from(bytes(10_240)),
    qos: 1,
    messageId: 7,
    dup: false,
    retain: false,
  });
  host.time.advance(500);
  assert.deepEqual(
    current.of('puback').map((it) => it.messageId),
    [7],
  );
  current.peer.close();
  host.time.advance(5_000);
  client.close();
  host.time.advance(500);
  assert.equal(server.current.received.at(-1)?.cmd, 'disconnect');
  assert.deepEqual(told, ['connected', 'published', 'message of 10240', 'closed-by-peer', 'connected', 'closed']);
  assert.equal(host.timers.length, 0);
});
