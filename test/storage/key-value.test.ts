// Records that are whole or not there: the seal, and the store of files.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { nodeKeyValueStore } from '../../src/node.ts';
import { getSealed, putSealed, seal, unseal } from '../../src/storage/sealed.ts';
import { Flash } from '../support/virtual-platform.ts';

const record = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) & 255);

test('a seal is the CRC-32 that everybody computes, least byte first', () => {
  for (const length of [0, 1, 2, 299]) {
    const sealed = seal(record.subarray(0, length));
    assert.equal(Buffer.from(sealed).readUInt32LE(length), crc32(record.subarray(0, length)));
    assert.deepEqual(unseal(sealed), record.slice(0, length));
  }
});

test('a record that is cut anywhere, or has one bit changed, is none', () => {
  const sealed = seal(record);
  for (let length = 0; length < sealed.length; length++) assert.equal(unseal(sealed.subarray(0, length)), undefined);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(unseal(changed), undefined, `bit ${bit}`);
  }
  assert.equal(unseal(undefined), undefined);
});

test('a store that keeps nothing, or something else, is found out at once', () => {
  const forgetful = new Flash();
  forgetful.put = () => {};
  const torn = new Flash();
  torn.put = (key, it) => void torn.records.set(key, it.slice(0, -1));
  const stale = new Flash();
  putSealed(stale, 'identity', Uint8Array.of(1));
  stale.put = () => {};
  for (const store of [forgetful, torn, stale]) {
    assert.throws(() => putSealed(store, 'identity', record), {
      code: 'host-failed',
      message: 'the store did not keep the record identity',
    });
  }
});

test('on Node a record is a file of its own that only its owner can read, replaced whole', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'key-value-')), 'new', 'folder');
  try {
    const store = nodeKeyValueStore(folder);
    assert.equal(store.get('identity'), undefined);
    putSealed(store, 'identity', record);
    putSealed(store, 't-private', Uint8Array.of());
    assert.deepEqual(getSealed(nodeKeyValueStore(folder), 'identity'), record);
    assert.deepEqual(readdirSync(folder).sort(), ['identity.record', 't-private.record']);
    if (process.platform !== 'win32') assert.equal(statSync(join(folder, 'identity.record')).mode & 0o777, 0o600);
    writeFileSync(join(folder, 'record.next'), 'half of what was being written when the power went');
    assert.deepEqual(getSealed(store, 'identity'), record);
    putSealed(store, 'identity', Uint8Array.of(7));
    assert.deepEqual(getSealed(store, 'identity'), Uint8Array.of(7));
    store.remove('identity');
    store.remove('identity');
    assert.equal(store.get('identity'), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a key that could leave the folder is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'key-value-'));
  try {
    const store = nodeKeyValueStore(folder);
    for (const key of ['', '..', 'a/b', 'Identity', 'thirteen-keys', 'x.record']) {
      for (const use of [() => store.get(key), () => store.put(key, record), () => store.remove(key)]) {
        assert.throws(use, { code: 'bad-option', message: `${key} is no key: up to 12 small letters, digits and -` });
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
