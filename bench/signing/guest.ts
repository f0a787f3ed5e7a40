// Signing inside a small engine: so many HMACs over what a device signs, and how long they took.

import { hmacmd5, hmacsha1, hmacsha256 } from '../../src/index.ts';

declare global {
  /** @returns milliseconds by the engine's clock */
  var sign: (hash: string, rounds: number) => number;
}

const METHODS = { md5: hmacmd5, sha1: hmacsha1, sha256: hmacsha256 };

const bytes = (length: number): Uint8Array => {
  const made = new Uint8Array(length);
  for (let index = 0; index < length; index++) made[index] = 97 + (index % 26);
  return made;
};

/** As long as a DeviceSecret, and as what is signed at a login. */
const key = bytes(32);
const content = bytes(80);

globalThis.sign = (hash, rounds) => {
  const { hmac } = METHODS[hash as keyof typeof METHODS];
  const begin = Date.now();
  for (let round = 0; round < rounds; round++) hmac(key, content);
  return Date.now() - begin;
};
