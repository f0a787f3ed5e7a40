// Makes what the package holds for Moddable: each entry point as one module, and a manifest that names and preloads them.
// `npm run build` runs it; the condition `moddable` of package.json's exports leads there.

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { mqttMote } from '../bundler/plugin.ts';

const root = join(import.meta.dirname, '..', '..');

/** Names of the files of src that are entry points for Moddable. */
function faces(): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { moddable?: string }>;
  };
  return Object.values(exports).flatMap((it) =>
    typeof it === 'object' && it.moddable ? [basename(it.moddable, '.js')] : [],
  );
}

/** @param folder gets the modules and their manifest */
export async function buildModules(folder: string): Promise<void> {
  await build({
    entryPoints: faces().map((file) => join(root, 'src', `${file}.ts`)),
    outdir: folder,
    splitting: true,
    chunkNames: 'shared-[hash]',
    minify: true,
    plugins: [mqttMote({ target: 'moddable' })],
  });

  // A module finds its neighbours by its own name, which `mqtt-mote` alone does not allow.
  writeFileSync(join(folder, 'main.js'), "export * from 'mqtt-mote/index';\n");

  const manifest = {
    modules: { 'mqtt-mote': './main', 'mqtt-mote/*': './*' },
    preload: ['mqtt-mote', 'mqtt-mote/*'],
  };
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) await buildModules(join(root, 'dist', 'moddable'));
