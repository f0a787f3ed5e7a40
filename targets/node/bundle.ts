// `mqtt-mote/bundled`: the whole client for Node as one file that needs no other.

import { join } from 'node:path';
import { type Bundle, bundle } from '../bundler/bundle.ts';

/** Names of properties stay as they are, so that what comes from here and from the other entry points fits together. */
export const bundleForNode = (): Promise<Bundle> =>
  bundle({ entry: join(import.meta.dirname, '../../src/bundled.ts'), target: 'node', mangle: false });
