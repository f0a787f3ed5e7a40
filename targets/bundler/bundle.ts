// Bundles one app into one file for a host, and tells how many of its bytes come from which module.

import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Format } from './hosts.ts';
import { bytesByModule } from './output/report.ts';
import { type BundlerOptions, mqttMote } from './plugin.ts';

export interface Bundle {
  readonly code: string;
  /** A source map from the code to the app's and the packages' sources, as JSON. */
  readonly map: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Bytes by module, the largest first; their sum is `bytes`. */
  readonly modules: readonly (readonly [module: string, bytes: number])[];
}

export interface BundleOptions extends BundlerOptions {
  readonly entry: string;
  /** `esm`, or `iife`: a script that sets the global variable `globalName`. Default: what suits the host. */
  readonly format?: Format | undefined;
  readonly globalName?: string | undefined;
  /** Default true. */
  readonly minify?: boolean | undefined;
}

export async function bundle({ entry, format, globalName, minify = true, ...options }: BundleOptions): Promise<Bundle> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile: join(dirname(entry), 'device.js'),
    write: false,
    minify,
    ...(format && { format }),
    ...(globalName !== undefined && { globalName }),
    sourcemap: 'external',
    logLevel: 'silent',
    plugins: [mqttMote(options)],
  });
  const code = outputFiles.find(({ path }) => path.endsWith('.js'))!;
  const map = outputFiles.find(({ path }) => path.endsWith('.map'))!;
  return {
    code: code.text,
    map: map.text,
    bytes: code.contents.length,
    gzipBytes: gzipSync(code.contents, { level: 9 }).length,
    modules: bytesByModule({ code: code.text, map: JSON.parse(map.text) }),
  };
}
