// Makes of the package's entry points modules for one kind of host, with the codec specialised at build time: what package.json
// gives that host by an exports condition.

import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { mqttMote } from './bundler/plugin.ts';

const root = join(import.meta.dirname, '..');

/** The entry points that package.json has under a condition, as their files in src are called. */
function faces(condition: 'moddable' | 'node'): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | Readonly<Record<string, string>>>;
  };
  return Object.values(exports).flatMap((it) => {
    const file = typeof it === 'object' && it[condition];
    return file ? [basename(file, '.js')] : [];
  });
}

const sourceOf = (face: string): string => join(root, 'src', `${face}.ts`);

/** @param folder gets a module for each entry point, and those for what several of them share */
export async function buildForModdable(folder: string): Promise<void> {
  await build({
    entryPoints: faces('moddable').map(sourceOf),
    outdir: folder,
    splitting: true,
    chunkNames: 'shared-[hash]',
    minify: true,
    plugins: [mqttMote({ target: 'moddable' })],
  });
}

/** Modules with everything that some entry points export. @param parts the entry points of each, by its name */
const together = (parts: Readonly<Record<string, readonly string[]>>): Plugin => ({
  name: 'entry points together',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^/ }, ({ kind, path }) =>
      kind === 'entry-point' ? { path, namespace: 'together' } : undefined,
    );
    onLoad({ filter: /^/, namespace: 'together' }, ({ path }) => ({
      contents: parts[path]!.map((face) => `export * from ${JSON.stringify(sourceOf(face))};\n`).join(''),
      resolveDir: root,
    }));
  },
});

/** What each entry point exports. */
async function exportsOf(entries: readonly string[]): Promise<Map<string, readonly string[]>> {
  const { metafile } = await build({
    entryPoints: entries.map(sourceOf),
    outdir: 'nowhere',
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    metafile: true,
    write: false,
  });
  const outputs = Object.values(metafile.outputs);
  return new Map(outputs.map(({ entryPoint, exports }) => [basename(entryPoint!, '.ts'), exports.sort()]));
}

/**
 * On Node many files cost more than many bytes: the entry points lead to two modules, one for what nearly every device imports and
 * one for the rest, and to what these share. They can be read, and have source maps.
 * @param folder gets the modules
 */
export async function buildForNode(folder: string): Promise<void> {
  const all = faces('node');
  const isCore = (face: string) => ['index', 'node'].includes(face);
  const parts = { core: all.filter(isCore), rest: all.filter((it) => !isCore(it)) };
  await build({
    entryPoints: Object.keys(parts),
    outdir: folder,
    splitting: true,
    chunkNames: 'shared-[hash]',
    sourcemap: true,
    sourcesContent: false,
    plugins: [together(parts), mqttMote({ target: 'node', mangle: false })],
  });
  for (const [face, names] of await exportsOf(all)) {
    const part = isCore(face) ? 'core' : 'rest';
    writeFileSync(join(folder, `${face}.js`), `export { ${names.join(', ')} } from './${part}.js';\n`);
  }
}
