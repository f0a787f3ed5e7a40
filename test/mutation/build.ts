// Bundles the tests that mutants are tried on, one file each, so that a run does not pay for a compiler. Called by Stryker.

import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const OUT = '.work/mutation';

/** These read the tree, or take seconds for what others show in milliseconds. */
const LEFT_OUT = ['modules.test.ts', 'table.test.ts', 'peers-faults.test.ts', 'edge-cases.test.ts'];

const tests = ['test/framing', 'test/protocol', 'test/timer', 'test/conformance'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && !LEFT_OUT.includes(name))
    .map((name) => join(folder, name)),
);

rmSync(OUT, { recursive: true, force: true });
await build({
  entryPoints: tests.map((path) => ({ in: path, out: basename(path, '.ts') })),
  outdir: OUT,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  define: { 'import.meta.dirname': JSON.stringify(join(process.cwd(), 'test', 'mutation')) },
});
