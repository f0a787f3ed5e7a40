// mqtt-mote/enrolment: devices that ask the platform for their identity, and keep it.

export { type DeviceTokenOptions, deviceToken } from './identity/device-token.ts';
export type { EnrolmentMethod, Kept } from './identity/enrolment.ts';
export {
  type RegisterOptions,
  type RegisterUnlistedOptions,
  register,
  registerUnlisted,
} from './identity/registration.ts';
export { type X509LoginOptions, type X509Options, x509, x509Login } from './identity/x509.ts';
export { type EnrolDone, type EnrolOptions, enrol, forgetIdentity, storedIdentity } from './modules/enrolment.ts';
export type { KeyValueStore } from './storage/key-value.ts';
