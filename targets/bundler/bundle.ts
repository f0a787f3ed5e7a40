// Bundles one app into one file for a host, and tells how many of its bytes come from which module.

import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildFailure, type BuildOptions, build, type Message, type OutputFile } from 'esbuild';
import { type Bundle, type BundleOptions, checkOptions, refusal } from './options.ts';
import { bytesByModule } from './output/report.ts';
import { mqttMote } from './plugin.ts';

export type { Bundle, BundleOptions } from './options.ts';

/** One line of what esbuild says. What the bundler throws itself has a place in the bundler, which is no help. */
function lineOf({ text, location, pluginName }: Message): string {
  const [line = ''] = text.replace(/^mqtt-mote bundler: /, '').split('\n');
  const isOurs = pluginName !== '' && text.startsWith('mqtt-mote bundler: ');
  return location && !isOurs ? `${location.file}:${location.line}:${location.column + 1}: ${line}` : line;
}

async function run(options: BuildOptions): Promise<{ files: readonly OutputFile[]; warnings: string[] }> {
  try {
    const { outputFiles = [], warnings } = await build(options);
    return { files: outputFiles, warnings: warnings.map(lineOf) };
  } catch (cause) {
    const { errors } = cause as Partial<BuildFailure>;
    if (!errors?.[0]) throw cause;
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    throw Object.assign(refusal(lineOf(errors[0]) + more), { cause });
  }
}

/** @throws Error in one line, for options that are none, and for an app that cannot be bundled */
export async function bundle(asks: BundleOptions): Promise<Bundle> {
  checkOptions(asks);
  const { entry, outfile = join(dirname(entry), 'device.js'), format, globalName, minify = true, ...options } = asks;
  const { files, warnings } = await run({
    entryPoints: [resolve(entry)],
    outfile,
    write: false,
    minify,
    ...(format && { format }),
    ...(globalName !== undefined && { globalName }),
    sourcemap: 'external',
    logLevel: 'silent',
    plugins: [mqttMote(options)],
  });
  const code = files.find(({ path }) => !path.endsWith('.map'))!;
  const map = files.find(({ path }) => path.endsWith('.map'))!;
  return {
    code: code.text,
    map: map.text,
    bytes: code.contents.length,
    gzipBytes: gzipSync(code.contents, { level: 9 }).length,
    modules: bytesByModule({ code: code.text, map: JSON.parse(map.text) }),
    warnings,
  };
}
