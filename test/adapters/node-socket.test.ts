// Node's sockets as transports: what is written together leaves together, and what errors mean.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { nextTick } from 'node:process';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { networkError, type Spare, socketTransport } from '../../src/adapters/node-socket.ts';

/** A socket that keeps what is written to it, and says so later where it is asked to. */
class FakeSocket extends Duplex {
  readonly pieces: string[] = [];
  held: (() => void) | undefined;
  holds = false;

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

function transportOver(socket: FakeSocket, spare?: Spare) {
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  const events = {
    opened: tell('opened'),
    received: tell('received'),
    writable: tell('writable'),
    closed: tell('closed'),
    warning: tell('warning'),
  };
  return { told, transport: socketTransport(socket as unknown as Socket, 'connect', events, spare) };
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

test('small pieces are put together in memory that is used again, unless the system still has it', async () => {
  const spare: Spare = { bytes: undefined };
  const [one, other] = [new FakeSocket(), new FakeSocket()];
  const [first, second] = [transportOver(one, spare).transport, transportOver(other, spare).transport];
  const writeMuch = (transport: typeof first, letter: string) => {
    for (let count = 0; count < 5; count++) transport.write(bytesOf(letter.repeat(1_000)));
  };
  writeMuch(first, 'a');
  writeMuch(second, 'b');
  await ticks();
  const { bytes } = spare;
  assert.ok(bytes);
  writeMuch(first, 'c');
  await ticks();
  assert.equal(spare.bytes, bytes);
  assert.deepEqual([one.pieces, other.pieces], [['a'.repeat(5_000), 'c'.repeat(5_000)], ['b'.repeat(5_000)]]);

  one.holds = true;
  writeMuch(first, 'd');
  await ticks();
  assert.equal(spare.bytes, undefined);
  writeMuch(second, 'e');
  await ticks();
  assert.notEqual(spare.bytes, bytes);
  assert.equal(Buffer.from(bytes.buffer).toString('latin1', 0, 5_000), 'd'.repeat(5_000)); // Not written over.
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
