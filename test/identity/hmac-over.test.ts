// HMAC over a hash of the host: equal to Node's for keys and texts of every length.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { deviceSecret, hmacsha1 } from '../../src/index.ts';
import { deviceSecretBy, hmacOver } from '../../src/native-hash.ts';

const over = (hash: string) => hmacOver((bytes) => createHash(hash).update(bytes).digest(), `hmac${hash}`);

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 255);

for (const hash of ['md5', 'sha1', 'sha256']) {
  test(`hmac${hash} over a digest of the host is that of Node, for keys and texts of every length around a block`, () => {
    for (const key of [0, 1, 20, 63, 64, 65, 100, 200]) {
      for (const text of [0, 1, 55, 56, 64, 300]) {
        const expected = createHmac(hash, bytesOf(key)).update(bytesOf(text)).digest();
        assert.deepEqual(over(hash).hmac(bytesOf(key), bytesOf(text)), new Uint8Array(expected), `${key} and ${text}`);
      }
    }
  });
}

test('a digest may come as an ArrayBuffer, and in a buffer that the host uses again', () => {
  const shared = new ArrayBuffer(20);
  const method = hmacOver((bytes) => {
    new Uint8Array(shared).set(createHash('sha1').update(bytes).digest());
    return shared;
  });
  assert.equal(method.name, 'hmacsha1');
  assert.deepEqual(method.hmac(bytesOf(100), bytesOf(9)), hmacsha1.hmac(bytesOf(100), bytesOf(9)));
});

test('a device that signs with it says the same as one that carries a hash', () => {
  const options = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret', clientId: '12345', timestamp: 789 };
  const attempt = { number: 1, secure: true };
  for (const secret of ['secret', 'ß'.repeat(40)]) {
    const device = { ...options, deviceSecret: secret };
    const expected = deviceSecret(device).credentials(attempt);
    assert.deepEqual(deviceSecretBy(over('sha1'), device).credentials(attempt), expected);
    assert.deepEqual(deviceSecret({ ...device, signMethod: over('sha1') }).credentials(attempt), expected);
  }
});

test('what is no hash is refused, and a digest of another length at the first signature', () => {
  const bad = (message: RegExp) => ({ code: 'bad-option', message });
  assert.throws(() => hmacOver(undefined as never), bad(/a function that hashes bytes/));
  assert.throws(() => hmacOver(() => bytesOf(20), 'hmacsha512'), bad(/not hmacsha512/));
  assert.throws(
    () => hmacOver(() => bytesOf(32)).hmac(bytesOf(1), bytesOf(1)),
    bad(/digest must give 20 bytes for hmacsha1, not 32/),
  );
  assert.throws(() => deviceSecretBy(undefined as never, {} as never), bad(/signMethod must be/));
});
