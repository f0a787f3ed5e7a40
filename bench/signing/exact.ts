// What signing takes in XS, in steps of the engine: the same in every run.

import { join } from 'node:path';
import { bundle } from '../../targets/bundler/bundle.ts';
import { Xsnap, xsnapPath } from '../../test/support/xsnap.ts';
import type { Exact } from '../runner/exact.ts';

export const HASHES = ['md5', 'sha1', 'sha256'] as const;

/** Defines `sign` in an engine. */
export const guest = async (target: 'moddable' | 'quickjs' | 'duktape'): Promise<string> =>
  (await bundle({ entry: join(import.meta.dirname, 'guest.ts'), target, format: 'iife' })).code;

/** Nothing where xsnap is not. */
export async function exactSigning(): Promise<Exact> {
  if (!xsnapPath) return {};
  const figures: Record<string, number> = {};
  for (const hash of HASHES) {
    const xs = new Xsnap();
    await xs.evaluate(await guest('moddable'));
    const steps = async (rounds: number) => (await xs.evaluate(`sign('${hash}', ${rounds})`)).compute;
    const none = await steps(0);
    figures[`xs/${hash}/first`] = (await steps(1)) - none;
    figures[`xs/${hash}/next`] = (await steps(1)) - none;
    await xs.close();
  }
  return figures;
}
