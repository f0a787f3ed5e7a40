// Signatures as the platform checks them, with node:crypto: independent of the client's own code on purpose.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ClientIdParts } from './client-id.ts';
import type { DeviceTriple } from './devices.ts';
import type { Profile, SignMethod } from './profile.ts';

const DIGESTS: Readonly<Record<SignMethod, string>> = Object.freeze({
  hmacmd5: 'md5',
  hmacsha1: 'sha1',
  hmacsha256: 'sha256',
});
const HEX_LENGTHS: Readonly<Record<SignMethod, number>> = Object.freeze({ hmacmd5: 32, hmacsha1: 40, hmacsha256: 64 });

export interface SignedParameters {
  readonly productKey: string;
  readonly deviceName: string;
  readonly clientId?: string | undefined;
  readonly timestamp?: string | undefined;
  /** Of a registration, in place of clientId and timestamp. */
  readonly random?: string | undefined;
}

/** Upper-case hex, as in the platform's worked example. */
export function sign(method: SignMethod, secret: string, parameters: SignedParameters): string {
  return digest(method, secret, parameters).toString('hex').toUpperCase();
}

function digest(method: SignMethod, secret: string, parameters: SignedParameters): Buffer {
  const { clientId, deviceName, productKey, random, timestamp } = parameters;
  let content = '';
  if (clientId !== undefined) content += `clientId${clientId}`;
  content += `deviceName${deviceName}productKey${productKey}`;
  if (random !== undefined) content += `random${random}`;
  if (timestamp !== undefined) content += `timestamp${timestamp}`;
  return createHmac(DIGESTS[method], secret).update(content).digest();
}

export function isWellFormedPassword(method: SignMethod, password: string): boolean {
  return password.length === HEX_LENGTHS[method] && /^[0-9a-f]+$/i.test(password);
}

/** Whether a well-formed password, in either case of hex, signs the parameters. */
export function matches(method: SignMethod, secret: string, parameters: SignedParameters, password: string): boolean {
  return timingSafeEqual(Buffer.from(password, 'hex'), digest(method, secret, parameters));
}

/** The password must be well formed. */
export function isSignedBy(
  device: DeviceTriple,
  parts: ClientIdParts,
  method: SignMethod,
  password: string,
  profile: Profile,
): boolean {
  const { productKey, deviceName } = device;
  return signedClientIds(parts.clientId, profile).some((clientId) =>
    matches(method, device.deviceSecret, { productKey, deviceName, clientId, timestamp: parts.timestamp }, password),
  );
}

function signedClientIds(clientId: string, profile: Profile): readonly (string | undefined)[] {
  if (clientId !== '' || profile.emptyClientId === 'signed') return [clientId];
  return profile.emptyClientId === 'leftOut' ? [undefined] : [clientId, undefined];
}
