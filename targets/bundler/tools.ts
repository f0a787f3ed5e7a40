// The tools that the bundler works with. They are optional peers of the package: only who bundles installs them.

import { readFileSync } from 'node:fs';
import { refusal } from './options.ts';

interface Manifest {
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** What npm puts beside @babel/core when it installs that; named when it is missing all the same. */
const COMES_WITH_BABEL = /^@babel\/(generator|parser|traverse|types)$|^@jridgewell\//;

const peers = (): Readonly<Record<string, string>> => {
  const { peerDependencies = {} } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as Manifest;
  return peerDependencies;
};

const isInstalled = (name: string): boolean => {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
};

/** The line that says what is missing, and how to install it; undefined when all is there. */
export function complaint(tools: Readonly<Record<string, string>>, has: (name: string) => boolean): string | undefined {
  const missing = Object.keys(tools).filter((it) => !has(it));
  if (missing.length === 0) return undefined;
  const withBabel = missing.includes('@babel/core');
  const named = missing.filter((it) => !withBabel || !COMES_WITH_BABEL.test(it));
  const command = named.map((it) => `"${it}@${tools[it]}"`).join(' ');
  return `${named.join(', ')} ${named.length > 1 ? 'are' : 'is'} missing: npm install --save-dev ${command}`;
}

/** @throws Error in one line, when a tool is not installed */
export function checkTools(): void {
  const line = complaint(peers(), isInstalled);
  if (line !== undefined) throw refusal(line);
}
