// The specialised hashes beside those of Node.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { runInContext } from 'node:vm';
import type { sha1 } from '@noble/hashes/legacy.js';
import type { SignMethod } from '../../src/index.ts';
import { checkHashesVersion, specialiseHashes } from '../../targets/bundler/noble.ts';
import { hex } from '../framing/bytes.ts';
import { bareWorld, load, script } from './support.ts';

const METHODS = ['hmacsha1', 'hmacsha256', 'hmacmd5'] as const;

/** Lengths about those where a hash takes another block. */
const LENGTHS = [0, 1, 3, 4, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 1_000];

let small: Record<(typeof METHODS)[number], SignMethod> & { sha1: typeof sha1 };

before(async () => {
  small = await load('test/bundler/apps/hashes.ts');
});

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => (index * 167 + length) & 255);

for (const method of METHODS) {
  test(`${method} of a bundle is that of Node, for keys and contents of every length about a block`, () => {
    for (const keyLength of LENGTHS) {
      for (const length of LENGTHS) {
        const [key, content] = [bytes(keyLength), bytes(length)];
        const expected = createHmac(method.slice('hmac'.length), key).update(content).digest('hex');
        assert.equal(hex(small[method].hmac(key, content)), expected, `key ${keyLength}, content ${length}`);
      }
    }
  });
}

for (const target of ['es5', 'duktape', 'hermes', 'espruino'] as const) {
  test(`${target}: every method signs, on a host that has no more than it has`, async () => {
    const context = bareWorld(target);
    runInContext(await script('test/bundler/apps/methods.ts', target), context);
    for (const method of METHODS) {
      const expected = createHmac(method.slice('hmac'.length), 'key').update('what is signed').digest('hex');
      assert.equal(runInContext(`app.signed(app.${method})`, context), expected, method);
    }
  });
}

test('what an app hashes itself is the untouched package', () => {
  const hash = small.sha1.create().update(bytes(10));
  assert.equal(hex(hash.clone().digest()), createHash('sha1').update(bytes(10)).digest('hex'));
  assert.throws(() => hash.update('text' as unknown as Uint8Array), TypeError);
});

test('an unknown version of noble is named and refused', () => {
  assert.throws(() => checkHashesVersion('2.5.0'), /@noble\/hashes 2\.5\.0 is installed, but only 2\.4\.0/);
});

const original = (file: string): string =>
  readFileSync(join(import.meta.dirname, '../../node_modules/@noble/hashes', file), 'utf8');

for (const [file, from, to, pass] of [
  ['hmac.js', 'aoutput(out, this)', 'output(out, this)', 'drop-calls'],
  ['hmac.js', 'hmac_.create =', 'if (hmac_) hmac_.create =', 'plain-functions'],
  ['hmac.js', 'export class _HMAC {', 'export class _Hmac {', 'flat-hmac'],
  ['_md.js', '_cloneIntoMeta(to) {', '_cloneMeta(to) {', 'drop-members'],
  ['_md.js', 'constructor(blockLen,', 'constructor(length,', 'fix-variables'],
  ['legacy.js', 'super(64, 16, 8, true)', 'super(128, 16, 8, true)', 'drop-super-arguments'],
  ['legacy.js', 'createHasher(() => new _MD5())', 'hasher(() => new _MD5())', 'plain-hashes'],
  ['legacy.js', 'SHA1_W = /* @__PURE__ */ new Uint32Array(80)', 'SHA1_W = new BigUint64Array(80)', 'local-scratch'],
  ['legacy.js', 'SHA1_IV[0]', 'SHA1_IV.at(0)', 'inline-numbers'],
  ['sha2.js', 'export const sha256 =', 'export const sha256_32 =', 'keep-exports'],
] as const) {
  test(`where ${pass} does not find all that it looks for in ${file}, the build fails and says which`, () => {
    const text = original(file);
    assert.equal(text.includes(from), true, from);
    assert.throws(
      () => specialiseHashes(file, text.replaceAll(from, to)),
      new RegExp(`pass ${pass} looked for .* in @noble/hashes/${file}: expected \\d+, found -?\\d+`),
    );
  });
}

test('a fact that the package does not ask for any more fails the build and is named', () => {
  const text = original('_md.js').replaceAll('take === blockLen', 'blockLen === take');
  assert.throws(
    () => specialiseHashes('_md.js', text),
    /pass fold-facts: @noble\/hashes\/_md\.js does not hold take === blockLen/,
  );
});

test('a module of noble that no recipe knows is refused', () => {
  assert.throws(() => specialiseHashes('blake3.js', ''), /@noble\/hashes\/blake3\.js is not expected in a bundle/);
});
