// Makes what the package holds for Node, without bl, readable-stream and debug: each entry point as one module, where the condition
// `node` of package.json's exports leads, and `mqtt-mote/bundled` as one file. `npm run build` runs it after the compiler.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildForNode } from '../entry-points.ts';
import { bundleForNode } from './bundle.ts';

const dist = join(import.meta.dirname, '../../dist');

await buildForNode(join(dist, 'node'));
writeFileSync(join(dist, 'bundled.js'), (await bundleForNode()).code);
rmSync(join(dist, 'bundled.js.map'), { force: true }); // That of the compiler's file.
