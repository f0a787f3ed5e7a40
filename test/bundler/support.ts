// Bundles for the tests.

import { join } from 'node:path';
import { bundle } from '../../targets/bundler/bundle.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a bundle of this file exports. @param entry relative to the root of the repository */
export async function load<Exports>(entry: string): Promise<Exports> {
  const { code } = await bundle({ entry: join(root, entry), target: 'es2022' });
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`) as Promise<Exports>;
}

/** A bundle that sets the global variable `app`. */
export async function script(entry: string, mangle = true): Promise<string> {
  const options = { target: 'es2022', format: 'iife', globalName: 'app' } as const;
  return (await bundle({ entry: join(root, entry), mangle, ...options })).code;
}
