// The ring of bytes that remembers, and its decoder.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BlackBox } from '../../src/black-box.ts';
import { decodeBlackBox } from '../../src/black-box-decoder.ts';
import { STATE_NAMES } from '../../src/client/state.ts';
import { VirtualTime } from '../../src/memory.ts';
import { byteOf } from '../../src/modules/black-box.ts';
import { ERROR_CODES, WARNING_CODES } from '../../src/modules/black-box-decoder.ts';
import { world } from '../support/world.ts';

const told = (bytes: Uint8Array) =>
  decodeBlackBox(bytes).map(({ ageMillis, what, code, detail }) => `${ageMillis} ${what} ${code} ${detail}`);

test('what happened is there, oldest first, with its age, across a wrap of the clock', () => {
  const it = world({}, {}, new VirtualTime(2 ** 32 - 500));
  const box = new BlackBox(it.client);
  it.connect();
  it.client.publish('t', 'x', { qos: 1 });
  it.time.advance(10_000);
  it.server.respond = (_, connection) => connection.send({ cmd: 'connack', returnCode: 5, sessionPresent: false });
  it.server.current.peer.close();
  it.time.advance(1_000);
  box.mark(7, 99_999);
  it.client.close();
  assert.deepEqual(told(box.dump()), [
    '11000 state dialing 0',
    '11000 session new 0',
    '11000 state connected 0',
    '1000 disconnected closed-by-peer 10',
    '1000 state waiting 1',
    '0 state dialing 1',
    '0 disconnected refused 5',
    '0 state waiting 1',
    '0 mark 7 65534',
    '0 disconnected closed undefined',
    '0 state idle 1',
  ]);
});

test('the ring keeps the newest entries in the bytes that it was given', () => {
  const it = world();
  const box = new BlackBox(it.client, 64);
  for (let n = 0; n < 100; n++) box.mark(n, n);
  const dump = box.dump();
  assert.equal(dump.length, 72);
  assert.deepEqual(
    decodeBlackBox(dump).map(({ code }) => Number(code)),
    [92, 93, 94, 95, 96, 97, 98, 99],
  );
});

/** The words in quotes from one place of a source file to the next. */
const wordsOf = (path: string, start: string, end: string): string[] => {
  const text = readFileSync(join(import.meta.dirname, '../../src', path), 'utf8')
    .split(start)[1]!
    .split(end)[0]!;
  return [...text.matchAll(/['"]([a-z-]+)['"]/g)].map(([, word]) => word!);
};

test('every state, and every code of an error and of a warning, has a byte of its own, and keeps it', () => {
  for (const words of [STATE_NAMES, ERROR_CODES, WARNING_CODES]) {
    assert.equal(new Set(words.map(byteOf)).size, words.length);
  }
  assert.deepEqual(['bad-option', 'closed-by-peer', 'listener-failed', 'idle'].map(byteOf), [61, 183, 118, 212]);
  assert.deepEqual([...ERROR_CODES].sort(), wordsOf('error.ts', 'type ErrorCode =', ';').sort());
  assert.deepEqual([...WARNING_CODES].sort(), wordsOf('adapters/adapter.ts', 'readonly code:', ';').sort());
});

test('bytes that are no dump are refused, unknown codes are told', () => {
  for (const bytes of [[], [1, 2, 3], [0x4d, 0x42, 2, 0, 0, 0, 0, 0], [0x4d, 0x42, 1, 0, 0]]) {
    assert.throws(() => decodeBlackBox(Uint8Array.from(bytes)), { code: 'bad-packet' });
  }
  const header = [0x4d, 0x42, 1, 0, 0, 0, 0, 0];
  const entries = [1, 3, 4, 9].flatMap((kind) => [0, 0, 0, 0, kind, 200, 0, 1]);
  assert.deepEqual(told(Uint8Array.from([...header, ...entries])), [
    '0 state unknown 200 1',
    '0 disconnected unknown 200 1',
    '0 warning unknown 200 1',
  ]);
});

test('a size that is none is refused', () => {
  for (const bytes of [0, 63, 100, 70_000, Number.NaN]) {
    assert.throws(() => new BlackBox(world().client, bytes), { code: 'bad-option' });
  }
});
