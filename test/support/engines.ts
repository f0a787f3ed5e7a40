// Engines that are programs of their own: named by an environment variable, or where the system or `.ci/run` puts them.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../.work/engines/node_modules');

const { arch } = process;

const PLACES = {
  MUJS: ['/usr/bin/mujs', '/usr/local/bin/mujs'],
  HERMES: [join(MODULES, 'hermes-engine-cli/linux64-bin/hermes')],
  BUN: [join(MODULES, `@oven/bun-linux-${arch === 'arm64' ? 'aarch64' : arch}/bin/bun`)],
  DENO: [join(MODULES, `@deno/linux-${arch}-glibc/deno`)],
} as const;

/** @returns its path, or undefined: suites that need it are skipped, visibly */
export const engine = (name: keyof typeof PLACES): string | undefined =>
  [process.env[name], ...PLACES[name]].find((it) => it !== undefined && existsSync(it));

/** What `skip` of a test is to be. */
export const unless = (name: keyof typeof PLACES): string | false =>
  engine(name) ? false : `no ${name.toLowerCase()}: set ${name}, or let .ci/run install it`;
