// The signing methods, as they come out of the bundler, and a hash of an app's own.

export { sha1 } from '@noble/hashes/legacy.js';
export { hmacmd5, hmacsha1, hmacsha256 } from '../../../src/index.ts';
