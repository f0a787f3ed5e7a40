// The older login of Tuya's own devices, before TuyaLink: one id for everything, and half of a hash as the password.

import { utf8 } from '../utf8.ts';
import { bad, text, tlsOnly } from './check.ts';
import type { Digest } from './hmac-over.ts';
import type { Credentials, Identity, Profile } from './identity.ts';
import { hex } from './signing.ts';

export interface TuyaLegacyOptions {
  /** The device's id; before its activation `acon_` and its UUID. */
  readonly deviceId: string;
  /** Its secret key; before its activation the authorization key. */
  readonly secretKey: string;
  /** MD5: the host's, or that of `@noble/hashes/legacy.js`. */
  readonly md5: Digest;
  /** The platform's limits; default none. */
  readonly profile?: Profile | undefined;
}

/** Digits of the hash that the password is made of. */
const FIRST = 8;
const LAST = 24;

/** Bytes of MD5. */
const LENGTH = 16;

/**
 * The identity of a device with the older login. TLS only: the password is the same every time.
 * @throws MqttError 'bad-option', before any socket is opened
 * @example tuyaLegacy({ deviceId, secretKey, md5: (bytes) => createHash('md5').update(bytes).digest() })
 */
export function tuyaLegacy(options: TuyaLegacyOptions): Identity {
  const deviceId = text('deviceId', options.deviceId, /[/+#]/);
  const key = utf8(text('secretKey', options.secretKey));
  if (!key) throw bad('secretKey', 'holds a lone surrogate');
  if (typeof options.md5 !== 'function') throw bad('md5', 'must be a function that hashes bytes');
  const hash = new Uint8Array(options.md5(key));
  if (hash.length !== LENGTH) throw bad('md5', `must give ${LENGTH} bytes, not ${hash.length}`);
  const password = hex(hash).slice(FIRST, LAST).toLowerCase();
  const credentials: Credentials = { clientId: deviceId, userName: deviceId, password };
  return {
    profile: options.profile,
    credentials(attempt) {
      tlsOnly('the older login of Tuya', attempt);
      return credentials;
    },
  };
}
