// How many bytes a file is, as it is and as it is kept or sent; and apps bundled by esbuild alone, as most are.

import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export interface Bytes {
  readonly minified: number;
  readonly gzip: number;
  readonly brotli: number;
}

export function bytesOf(code: string | Uint8Array): Bytes {
  const text = Buffer.from(code);
  const brotli = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
  return { minified: text.length, gzip: gzipSync(text, { level: 9 }).length, brotli: brotli.length };
}

/**
 * @param packages `external`: only what is not from a package
 * @param nodePaths folders in which packages are looked for as well
 */
export async function esbuildBytes(
  entry: string,
  packages: 'bundle' | 'external' = 'bundle',
  nodePaths: string[] = [],
): Promise<Bytes> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    packages,
    nodePaths,
    logLevel: 'error',
  });
  return bytesOf(outputFiles[0]!.contents);
}
