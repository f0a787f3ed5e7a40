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
}

/** Upper-case hex, as in the platform's worked example. */
export function sign(method: SignMethod, deviceSecret: string, parameters: SignedParameters): string {
  return digest(method, deviceSecret, parameters).toString('hex').toUpperCase();
}

function digest(method: SignMethod, deviceSecret: string, parameters: SignedParameters): Buffer {
  const { clientId, deviceName, productKey, timestamp } = parameters;
  let content = '';
  if (clientId !== undefined) content += `clientId${clientId}`;
  content += `deviceName${deviceName}productKey${productKey}`;
  if (timestamp !== undefined) content += `timestamp${timestamp}`;
  return createHmac(DIGESTS[method], deviceSecret).update(content).digest();
}

export function isWellFormedPassword(method: SignMethod, password: string): boolean {
  return password.length === HEX_LENGTHS[method] && /^[0-9a-f]+$/i.test(password);
}

/** The password must be well formed. */
export function isSignedBy(device: DeviceTriple, parts: ClientIdParts, password: string, profile: Profile): boolean {
  const given = Buffer.from(password, 'hex');
  return signedClientIds(parts.clientId, profile).some((clientId) => {
    const parameters = { ...device, clientId, timestamp: parts.timestamp };
    return timingSafeEqual(given, digest(parts.signMethod, device.deviceSecret, parameters));
  });
}

function signedClientIds(clientId: string, profile: Profile): readonly (string | undefined)[] {
  if (clientId !== '' || profile.emptyClientId === 'signed') return [clientId];
  return profile.emptyClientId === 'leftOut' ? [undefined] : [clientId, undefined];
}
