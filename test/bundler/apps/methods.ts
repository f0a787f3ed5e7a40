// The signing methods, and a signature by any of them, inside a host that knows no more than numbers and texts.

import type { SignMethod } from '../../../src/index.ts';

export { hmacmd5, hmacsha1, hmacsha256 } from '../../../src/index.ts';

const bytes = (text: string): Uint8Array => {
  const made = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) made[index] = text.charCodeAt(index);
  return made;
};

export function signed(method: SignMethod): string {
  let hex = '';
  const digest = method.hmac(bytes('key'), bytes('what is signed'));
  for (let index = 0; index < digest.length; index++) hex += (256 + digest[index]!).toString(16).slice(1);
  return hex;
}
