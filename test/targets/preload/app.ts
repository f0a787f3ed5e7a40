// Everything a device can be made of, as one module to preload.

export { ecma419Tcp, ecma419Tls } from '../../../src/ecma419.ts';
export { explain } from '../../../src/explain.ts';
export { hmacmd5, hmacsha1, hmacsha256 } from '../../../src/index.ts';
export { keyValueStore, preferenceStore } from '../../../src/moddable.ts';
export { deviceSecretBy, hmacOver } from '../../../src/native-hash.ts';
export {
  BlackBox,
  device,
  PolicyQueue,
  PromiseClient,
  persistSession,
  quarantine,
  Router,
} from '../../../targets/bundler/apps/whole.ts';
export { endToEnd } from '../../../targets/end-to-end/script.ts';
