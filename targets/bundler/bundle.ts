// Bundles one app into one minified file, and tells how many of its bytes come from which module.

import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { type BundlerOptions, mqttMote } from './plugin.ts';

export interface Bundle {
  readonly code: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Bytes after minification by module, the largest first. */
  readonly modules: readonly (readonly [module: string, bytes: number])[];
}

export interface BundleOptions extends BundlerOptions {
  readonly entry: string;
  /** `esm` (default), or `iife` that sets the global variable `globalName`. */
  readonly format?: 'esm' | 'iife';
  readonly globalName?: string;
}

const shortName = (path: string): string => path.replace(/^mqtt-mote-framing:/, '').replace(/^.*node_modules\//, '');

export function report(metafile: Metafile): Bundle['modules'] {
  const [output] = Object.values(metafile.outputs);
  return Object.entries(output!.inputs)
    .map(([path, { bytesInOutput }]) => [shortName(path), bytesInOutput] as const)
    .filter(([, bytes]) => bytes > 0)
    .sort((a, b) => b[1] - a[1]);
}

export async function bundle({ entry, format = 'esm', globalName, ...options }: BundleOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    write: false,
    minify: true,
    format,
    ...(globalName === undefined ? {} : { globalName }),
    metafile: true,
    logLevel: 'silent',
    plugins: [mqttMote(options)],
  });
  const { contents, text } = outputFiles[0]!;
  return {
    code: text,
    bytes: contents.length,
    gzipBytes: gzipSync(contents, { level: 9 }).length,
    modules: report(metafile),
  };
}
