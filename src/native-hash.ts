// mqtt-mote/native-hash: signing by a hash that the host has, without carrying one.

export { deviceSecretBy } from './identity/device-secret.ts';
export { type Digest, hmacOver } from './identity/hmac-over.ts';
