// Node's sockets as transports: what is written together leaves together, and what errors mean.

import assert from 'node:assert/strict';
import type { OnReadOpts, Socket } from 'node:net';
import { nextTick } from 'node:process';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { Transport } from '../../src/adapters/adapter.ts';
import { networkError, Room, socketTransport } from '../../src/adapters/node-socket.ts';

/** A socket that keeps what is written to it, and says so later where it is asked to. */
class FakeSocket extends Duplex {
  readonly pieces: string[] = [];
  held: (() => void) | undefined;
  holds = false;
  reading!: OnReadOpts;

  /** As Node does it: into the memory that it was given when the socket was opened, or after the last piece. */
  arrive(text: string): boolean {
    const { memory } = this;
    memory.set(Buffer.from(text, 'latin1'));
    const goesOn = this.reading.callback(text.length, memory);
    this.memory = this.nextMemory();
    return goesOn;
  }
  memory!: Uint8Array;
  nextMemory = () => (this.reading.buffer as () => Uint8Array)();

  setNoDelay(): this {
    return this;
  }

  override _read(): void {}

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.pieces.push(bytes.toString('latin1'));
    if (this.holds) this.held = done;
    else done();
  }
}

function transportOver(socket: FakeSocket, room = new Room(), event: 'connect' | 'secureConnect' = 'connect') {
  const told: string[] = [];
  const taken: Uint8Array[] = [];
  const received: Uint8Array[] = [];
  const tell = (what: string) => () => void told.push(what);
  const events = {
    opened: tell('opened'),
    received: (bytes: Uint8Array) => void received.push(bytes),
    taken: (bytes: Uint8Array) => void taken.push(bytes),
    writable: tell('writable'),
    closed: tell('closed'),
    warning: tell('warning'),
  };
  const open = (reading: OnReadOpts) => {
    socket.reading = reading;
    socket.memory = socket.nextMemory();
    return socket as unknown as Socket;
  };
  return { told, taken, received, transport: socketTransport(open, event, events, room) };
}

const ticks = () => new Promise<void>((resolve) => nextTick(() => nextTick(resolve)));
const bytesOf = (text: string) => Buffer.from(text, 'latin1');

test('what is written in one turn leaves in one piece, in its order', async () => {
  const socket = new FakeSocket();
  const { transport } = transportOver(socket);
  for (const text of ['a', 'bc', '', 'def']) assert.equal(transport.write(bytesOf(text)), text.length);
  assert.deepEqual(socket.pieces, []);
  await ticks();
  transport.write(bytesOf('g'));
  await ticks();
  assert.deepEqual(socket.pieces, ['abcdef', 'g']);
});

test('much is not kept until the end of the turn, and a socket that is full takes no more until it has drained', async () => {
  const socket = new FakeSocket();
  socket.holds = true;
  const { transport, told } = transportOver(socket);
  for (let count = 0; count < 7; count++) assert.equal(transport.write(bytesOf('x'.repeat(10_000))), 10_000);
  assert.deepEqual(socket.pieces, ['x'.repeat(70_000)]);
  assert.equal(transport.write(bytesOf('z')), 0);
  assert.equal(transport.write(bytesOf('z'.repeat(20_000))), 0);
  socket.held!();
  await ticks();
  assert.deepEqual(told, ['writable']);
  assert.equal(transport.write(bytesOf('z')), 1);
});

test('a large piece is not copied: it follows at once what was written before, and is refused while that is too much', async () => {
  const socket = new FakeSocket();
  const { transport, told } = transportOver(socket);
  transport.write(bytesOf('before'));
  assert.equal(transport.write(bytesOf('x'.repeat(20_000))), 20_000);
  transport.write(bytesOf('after'));
  assert.deepEqual(socket.pieces, ['before', 'x'.repeat(20_000)]);
  await ticks();
  assert.deepEqual(socket.pieces.slice(2), ['after']);
  assert.deepEqual(told, []); // The system took everything at once: there was never too little room.

  socket.holds = true;
  for (let count = 0; count < 2; count++) transport.write(bytesOf('y'.repeat(10_000)));
  assert.equal(transport.write(bytesOf('z'.repeat(20_000))), 0);
  assert.deepEqual(socket.pieces.slice(3), ['y'.repeat(20_000)]);
  socket.held!();
  await ticks();
  assert.deepEqual(told, ['writable']);
});

const writeFive = (transport: Transport, letter: string) => {
  for (let count = 0; count < 5; count++) transport.write(bytesOf(letter.repeat(1_000)));
};

test('small pieces are put together in memory that is used again, unless the system still has it', async () => {
  const room = new Room();
  const socket = new FakeSocket();
  const { transport } = transportOver(socket, room);
  writeFive(transport, 'a');
  await ticks();
  const { bytes } = room;
  writeFive(transport, 'b');
  await ticks();
  assert.equal(room.bytes, bytes);
  socket.holds = true;
  writeFive(transport, 'c');
  await ticks();
  assert.notEqual(room.bytes, bytes);
  assert.ok(room.bytes.length < 5_000); // Little is kept for what may never come.
  socket.holds = false;
  socket.held!();
  await ticks();
  writeFive(transport, 'd');
  await ticks();
  assert.deepEqual(
    socket.pieces,
    ['a', 'b', 'c', 'd'].map((it) => it.repeat(5_000)),
  );
  assert.equal(Buffer.from(bytes.buffer).toString('latin1', 0, 5_000), 'c'.repeat(5_000)); // Not written over.
});

test('the sockets of an adapter have that memory in turns: what one has not sent leaves before another writes', async () => {
  const room = new Room();
  const [one, other, dropped] = [new FakeSocket(), new FakeSocket(), new FakeSocket()];
  const [first, second, third] = [one, other, dropped].map((it) => transportOver(it, room).transport);
  first!.write(bytesOf('a'));
  second!.write(bytesOf('b'));
  assert.deepEqual([one.pieces, other.pieces], [['a'], []]);
  first!.write(bytesOf('c'));
  first!.write(bytesOf('d'));
  third!.write(bytesOf('lost'));
  third!.abort();
  second!.write(bytesOf('e'));
  await ticks();
  assert.deepEqual([one.pieces, other.pieces, dropped.pieces], [['a', 'cd'], ['b', 'e'], []]);
});

test('what small pieces lay in is free at once, that of a large one when the system has it', () => {
  const socket = new FakeSocket();
  const { transport, taken } = transportOver(socket);
  const small = bytesOf('small');
  transport.write(small);
  assert.deepEqual(taken, [small]);
  small.fill(0);
  const large = bytesOf('x'.repeat(20_000));
  transport.write(large);
  assert.equal(taken[1], large);
  socket.holds = true;
  transport.write(bytesOf('y'.repeat(20_000)));
  transport.write(bytesOf('refused'));
  assert.equal(taken.length, 2);
  assert.deepEqual(socket.pieces, ['small', 'x'.repeat(20_000), 'y'.repeat(20_000)]);
});

test('nothing is written for an empty piece', async () => {
  const socket = new FakeSocket();
  const { transport } = transportOver(socket);
  assert.equal(transport.write(bytesOf('')), 0);
  await ticks();
  assert.deepEqual(socket.pieces, []);
});

test('over TLS nothing is handed over that is written over later: it is under way for a while', async () => {
  const room = new Room();
  const socket = new FakeSocket();
  const { transport } = transportOver(socket, room, 'secureConnect');
  const handed: Uint8Array[] = [];
  socket._write = (bytes: Uint8Array, _encoding, done) => {
    handed.push(bytes);
    done();
  };
  for (const letter of ['a', 'b']) {
    writeFive(transport, letter);
    await ticks();
  }
  assert.deepEqual(
    handed.map((it) => Buffer.from(it).toString('latin1')),
    ['a'.repeat(5_000), 'b'.repeat(5_000)],
  );
  assert.ok(handed.every(({ buffer }) => buffer !== room.bytes.buffer));
});

test('what was read stays as it was, little or much, while this socket and others read on', () => {
  const room = new Room();
  const [one, other] = [new FakeSocket(), new FakeSocket()];
  const [first, second] = [transportOver(one, room), transportOver(other, room)];
  const sizes = [1, 100, 4_096, 1, 16_384, 4_095, 65_536, 0, 65_536];
  const texts = (letters: string) => sizes.map((size, index) => letters.charAt(index).repeat(size));
  const [small, capital] = [texts('abcdefghi'), texts('ABCDEFGHI')];
  sizes.forEach((_, index) => {
    assert.equal(one.arrive(small[index]!), true);
    if (other.memory.length >= capital[index]!.length) other.arrive(capital[index]!);
    else for (const letter of capital[index]!) other.arrive(letter);
  });
  const read = ({ received }: typeof first) => received.map((it) => Buffer.from(it).toString('latin1')).join('');
  assert.deepEqual([read(first), read(second)], [small.join(''), capital.join('')]);
  assert.equal(one.memory.length, 65_536);
});

test('close() comes after what was written, and abort() does not wait for it', async () => {
  const ended = new FakeSocket();
  const { transport } = transportOver(ended);
  transport.write(bytesOf('goodbye'));
  transport.close();
  await ticks();
  assert.deepEqual([ended.pieces, ended.writableFinished], [['goodbye'], true]);

  const dropped = new FakeSocket();
  const { transport: other, told } = transportOver(dropped);
  other.write(bytesOf('lost'));
  other.abort();
  await ticks();
  assert.deepEqual([dropped.pieces, told, other.write(bytesOf('x'))], [[], ['closed'], 0]);
});

/** As Node tells that the server has ended. */
const endOf = (socket: FakeSocket): void => {
  socket.push(null);
  socket.read(0);
};

test('what the server has ended is closed: at once behind what was written, or when the system has taken that', async () => {
  const idle = new FakeSocket();
  const { transport } = transportOver(idle);
  endOf(idle);
  transport.write(bytesOf('late'));
  await ticks();
  assert.deepEqual([idle.pieces, idle.destroyed, idle.writableEnded], [['late'], true, false]);

  const busy = new FakeSocket();
  busy.holds = true;
  const { transport: other, told } = transportOver(busy);
  other.write(bytesOf('x'.repeat(20_000)));
  endOf(busy);
  await ticks();
  assert.deepEqual([busy.destroyed, busy.writableEnded, told], [false, true, []]);
  busy.held!();
  await ticks();
  await ticks();
  assert.deepEqual([busy.destroyed, told.at(-1)], [true, 'closed']);
});

test('over TLS the last word is left to Node', async () => {
  const socket = new FakeSocket();
  transportOver(socket, new Room(), 'secureConnect');
  endOf(socket);
  await ticks();
  assert.equal(socket.destroyed, false);
});

test('a socket that has ended meanwhile gets nothing more, and tells of no other fault', async () => {
  const socket = new FakeSocket();
  const faults: unknown[] = [];
  const { transport } = transportOver(socket);
  socket.on('error', (error) => faults.push(error));
  transport.write(bytesOf('late'));
  socket.end();
  assert.equal(transport.write(bytesOf('x'.repeat(20_000))), 20_000);
  await ticks();
  assert.deepEqual([socket.pieces, faults], [[], []]);
});

const system = (code: string, syscall?: string) =>
  Object.assign(new Error(`${syscall} ${code}`), syscall ? { code, syscall } : { code });

test('a closed port of a host with several addresses is a closed port, over TLS too', () => {
  const errors = [system('ECONNREFUSED', 'connect'), system('ECONNREFUSED', 'connect')];
  const error = Object.assign(new AggregateError(errors), { code: 'ECONNREFUSED' });
  for (const tls of [false, true]) {
    const { code, reason, message, cause } = networkError(error, false, tls);
    assert.deepEqual([code, reason, message], ['tcp', 'econnrefused', 'connect ECONNREFUSED']);
    assert.equal(cause, error);
  }
});

test('errors are told apart by what was being done', () => {
  const cases = [
    [system('ENOTFOUND', 'getaddrinfo'), false, true, 'dns', 'enotfound'],
    [system('ETIMEDOUT', 'connect'), false, true, 'tcp', 'etimedout'],
    [system('CERT_HAS_EXPIRED'), false, true, 'tls', 'expired'],
    [system('ERR_SSL_WRONG_VERSION_NUMBER'), false, true, 'tls', 'handshake'],
    [system('ECONNRESET', 'read'), false, true, 'tls', 'handshake'],
    [system('ECONNRESET', 'read'), true, true, 'tcp', 'econnreset'],
    [new Error('odd'), true, false, 'tcp', undefined],
  ] as const;
  for (const [error, wasOpen, tls, code, reason] of cases) {
    const made = networkError(error, wasOpen, tls);
    assert.deepEqual([made.code, made.reason, made.cause], [code, reason, error]);
  }
});
