// The platform's signature: upper-case hex of an HMAC over the sorted parameters. Each method is a value that an app
// imports, so that a device carries one hash only.

import { hmac } from '@noble/hashes/hmac.js';
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { mqttError } from '../error.ts';
import { utf8 } from '../utf8.ts';

export interface SignMethod {
  /** As it stands in the CONNECT client id. */
  readonly name: string;
  /** HMAC of `content` under `key`. A host with a native hash can supply its own. */
  hmac(key: Uint8Array, content: Uint8Array): Uint8Array;
}

export const hmacsha1: SignMethod = /* @__PURE__ */ Object.freeze({
  name: 'hmacsha1',
  hmac: (key: Uint8Array, content: Uint8Array) => hmac(sha1, key, content),
});

export const hmacsha256: SignMethod = /* @__PURE__ */ Object.freeze({
  name: 'hmacsha256',
  hmac: (key: Uint8Array, content: Uint8Array) => hmac(sha256, key, content),
});

export const hmacmd5: SignMethod = /* @__PURE__ */ Object.freeze({
  name: 'hmacmd5',
  hmac: (key: Uint8Array, content: Uint8Array) => hmac(md5, key, content),
});

/** Upper-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += (256 + bytes[i]!).toString(16).slice(1); // Two digits of each.
  return text.toUpperCase();
}

/**
 * Signs name-value pairs: sorted by name, joined without separators. Leave a parameter out by not naming it: an empty
 * value is signed with its name.
 * @throws MqttError 'bad-option' when a text holds a lone surrogate
 */
export function sign(method: SignMethod, secret: string, parameters: Readonly<Record<string, string>>): string {
  let content = '';
  for (const name of Object.keys(parameters).sort()) content += name + parameters[name];
  const key = utf8(secret);
  const text = utf8(content);
  if (!key || !text) throw mqttError('bad-option', 'a signed parameter or the secret holds a lone surrogate');
  return hex(method.hmac(key, text));
}
