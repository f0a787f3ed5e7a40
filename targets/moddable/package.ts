// Makes what the package holds for Moddable: each entry point as one module, and a manifest that names and preloads them.
// `npm run build` runs it; the condition `moddable` of package.json's exports leads there.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildForModdable } from '../entry-points.ts';

/** @param folder gets the modules and their manifest */
export async function buildModules(folder: string): Promise<void> {
  await buildForModdable(folder);

  // A module finds its neighbours by its own name, which `mqtt-mote` alone does not allow.
  writeFileSync(join(folder, 'main.js'), "export * from 'mqtt-mote/index';\n");

  const manifest = {
    modules: { 'mqtt-mote': './main', 'mqtt-mote/*': './*' },
    preload: ['mqtt-mote', 'mqtt-mote/*'],
  };
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) await buildModules(join(import.meta.dirname, '../../dist/moddable'));
