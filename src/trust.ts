// mqtt-mote/trust: root certificates that can be replaced while a device runs.

export type { KeyValueStore } from './storage/key-value.ts';
export { type Certificate, readCertificate } from './trust/certificate.ts';
export { fromPem, toPem } from './trust/pem.ts';
export { type ReplaceOptions, type RootChange, RootStore, type RootStoreOptions } from './trust/root-store.ts';
export { type Roots, type RootsInput, readRoots } from './trust/roots.ts';
export { type TrustedOptions, trusted } from './trust/trusted.ts';
