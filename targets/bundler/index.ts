// mqtt-mote/bundler: makes one file for a host out of an app. It loads its tools when it is first used, so that who lacks one
// is told which.

import type { Plugin } from 'esbuild';
import { type Bundle, type BundleOptions, type BundlerOptions, checkOptions } from './options.ts';
import { checkTools } from './tools.ts';

export type { Format, Target } from './hosts.ts';
export { TARGETS } from './hosts.ts';
export type { Bundle, BundleOptions, BundlerOptions } from './options.ts';

/**
 * A plugin for esbuild, which goes over what esbuild makes for the host: language level, what the host lacks, minification.
 * It respects `format` (`esm` or `iife`), `globalName`, `minify` and `sourcemap`.
 * @throws Error in one line, for options that are none
 * @example build({ entryPoints: ['app.ts'], outfile: 'device.js', minify: true, plugins: [mqttMote({ target: 'quickjs' })] })
 */
export function mqttMote(options: BundlerOptions): Plugin {
  checkOptions(options);
  return {
    name: 'mqtt-mote',
    async setup(build) {
      checkTools();
      const plugin = await import('./plugin.ts');
      await plugin.mqttMote(options).setup(build);
    },
  };
}

/**
 * Bundles an app, and writes nothing.
 * @returns rejects with an Error in one line for options that are none, a tool that is missing, an app that does not compile
 * @example const { code, bytes } = await bundle({ entry: 'app.ts', target: 'espruino' });
 */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  checkOptions(options);
  checkTools();
  const bundler = await import('./bundle.ts');
  return bundler.bundle(options);
}
