// Makes `mqtt-mote/bundled` one file, without bl, readable-stream and debug: `npm run build` runs it after the compiler.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundle } from '../bundler/bundle.ts';

const root = join(import.meta.dirname, '..', '..');

/** Names of properties stay as they are, so that what comes from here and from the other entry points fits together. */
export const bundleForNode = (): Promise<Bundle> =>
  bundle({ entry: join(root, 'src/bundled.ts'), target: 'node', mangle: false });

if (process.argv[1] === import.meta.filename) {
  const { code } = await bundleForNode();
  writeFileSync(join(root, 'dist/bundled.js'), code);
  rmSync(join(root, 'dist/bundled.js.map'), { force: true }); // That of the compiler's file.
}
