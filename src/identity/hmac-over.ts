// HMAC (RFC 2104) over a hash that the host has, so that a device carries none.

import { mqttError } from '../error.ts';
import type { SignMethod } from './signing.ts';

/** A hash of the host: MD5, SHA-1 or SHA-256 of all that it is given, as 16, 20 or 32 bytes. */
export type Digest = (content: Uint8Array) => Uint8Array | ArrayBuffer;

/** Bytes that the three hashes work on at a time. */
const BLOCK = 64;

/** By the name of the method: bytes of its digest. */
const SIZES: Readonly<Record<string, number>> = Object.freeze({ hmacmd5: 16, hmacsha1: 20, hmacsha256: 32 });

/**
 * A sign method over a hash of the host.
 * @param digest MD5, SHA-1 or SHA-256, as the name says; its result is copied before it is called again
 * @param name `hmacsha1` (default), `hmacsha256` or `hmacmd5`: what the server is told
 * @throws MqttError 'bad-option'; the method throws it for a digest of another length
 * @example hmacOver((bytes) => new Digest('SHA1').process(bytes)) // Moddable: import { Digest } from 'crypt'
 */
export function hmacOver(digest: Digest, name = 'hmacsha1'): SignMethod {
  const size = SIZES[name];
  if (typeof digest !== 'function') throw mqttError('bad-option', 'hmacOver() needs a function that hashes bytes');
  if (size === undefined) throw mqttError('bad-option', `hmacOver() knows hmacsha1, hmacsha256, hmacmd5, not ${name}`);
  const hash = (content: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(new Uint8Array(digest(content))); // A copy, also of an ArrayBuffer.
    if (bytes.length === size) return bytes;
    throw mqttError('bad-option', `digest must give ${size} bytes for ${name}, not ${bytes.length}`);
  };
  const padded = (key: Uint8Array, pad: number, content: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(BLOCK + content.length);
    bytes.set(key);
    for (let i = 0; i < BLOCK; i++) bytes[i]! ^= pad;
    bytes.set(content, BLOCK);
    return bytes;
  };
  return Object.freeze({
    name,
    hmac(key: Uint8Array, content: Uint8Array) {
      const short = key.length > BLOCK ? hash(key) : key;
      return hash(padded(short, 0x5c, hash(padded(short, 0x36, content))));
    },
  });
}
