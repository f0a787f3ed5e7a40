// Bundles of the targets' entry points, each made once for a test file.

import { join } from 'node:path';
import { type Bundle, type BundleOptions, bundle } from '../../targets/bundler/bundle.ts';

const root = join(import.meta.dirname, '..', '..');
const made = new Map<string, Promise<Bundle>>();

/** @param entry relative to the root of the repository */
export function bundleOf(entry: string, target: BundleOptions['target']): Promise<Bundle> {
  const key = `${entry} ${target}`;
  const known = made.get(key) ?? bundle({ entry: join(root, entry), target, format: 'iife' });
  made.set(key, known);
  return known;
}
