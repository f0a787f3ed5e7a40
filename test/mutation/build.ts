// Bundles the tests that mutants are tried on into one file, which registers them with the runner instead of node:test. Called
// by Stryker, in its sandbox.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** These read the tree, or take seconds for what others show in milliseconds. */
const LEFT_OUT = ['modules.test.ts', 'table.test.ts', 'peers-faults.test.ts', 'edge-cases.test.ts'];

/** Those that start processes, or measure, ask for more of node:test than test(). */
const isPlain = (path: string): boolean => readFileSync(path, 'utf8').includes("import { test } from 'node:test';");

const tests = ['test/framing', 'test/protocol', 'test/timer', 'test/conformance'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') && !LEFT_OUT.includes(name))
    .map((name) => join(folder, name))
    .filter(isPlain),
);

/** The same random choices for each mutant, and in each run; what fails is not made smaller, which may take long. */
const seed = "import fc from 'fast-check'; fc.configureGlobal({ seed: 1, endOnFailure: true });";

const registers: Plugin = {
  name: 'registers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:test$/ }, () => ({ path: 'test', namespace: 'registers' }));
    onLoad({ filter: /.*/, namespace: 'registers' }, () => ({
      contents: 'export const test = (title, body) => globalThis.registered.push({ title, body });',
    }));
  },
};

await build({
  stdin: { contents: `${seed}\n${tests.map((path) => `import './${path}';`).join('\n')}`, resolveDir: process.cwd() },
  outfile: '.work/mutation.mjs',
  bundle: true,
  platform: 'node',
  format: 'esm',
  // With mqtt-packet inside, every loading has one of its own: it keeps what it is set to.
  banner: { js: "import { createRequire as requires } from 'node:module'; const require = requires(import.meta.url);" },
  define: { 'import.meta.dirname': JSON.stringify(join(process.cwd(), 'test', 'mutation')) },
  plugins: [registers],
  ignoreAnnotations: true, // The package says that importing it has no side effects; the tests' do.
  logLevel: 'warning',
});
