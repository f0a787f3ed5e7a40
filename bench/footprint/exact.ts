// What of the footprint is the same in every run: bytes by target and by entry point, heap in QuickJS, slots and steps in XS.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundle } from '../../targets/bundler/bundle.ts';
import type { Target } from '../../targets/bundler/hosts.ts';
import { VARIANTS } from '../../targets/quickjs/engine.ts';
import { measureHeap } from '../../targets/quickjs/memory.ts';
import { makeAuthority, makeServer } from '../../test/platform/certificates.ts';
import { bundleOf } from '../../test/support/bundles.ts';
import { xsFigures } from '../../test/support/xs-figures.ts';
import { xsnapPath } from '../../test/support/xsnap.ts';
import type { Exact } from '../runner/exact.ts';
import { bytesOf, esbuildBytes } from './bytes.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The slice: QoS 0 and 1, signed. The whole: every module that devices have a use for. */
export const APPS = ['slice', 'whole'] as const;
export type App = (typeof APPS)[number];

export const ENGINES = Object.keys(VARIANTS) as (keyof typeof VARIANTS)[];

/** Names of the package's entry points: `.`, `node`, ... What bundles and what is bundled already are no part of an app. */
export function entryPoints(): string[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  return Object.keys(exports)
    .map((name) => name.replace(/^\.\//, ''))
    .filter((name) => !['package.json', 'bundler', 'bundled'].includes(name));
}

/** The others are as one of these: Moddable XS and QuickJS take es2022, mujs takes es5. */
export const TARGETS = ['es2022', 'espruino', 'hermes', 'duktape', 'es5', 'node'] as const satisfies readonly Target[];

const made = new Map<string, Promise<Bundle>>();

/** The app as a module that exports all of its device, made once. */
export function bundled(app: App, target: Target): Promise<Bundle> {
  const key = `${app} ${target}`;
  const known =
    made.get(key) ?? bundle({ entry: join(ROOT, `targets/bundler/apps/${app}.ts`), target, globalName: 'app' });
  made.set(key, known);
  return known;
}

/** Figures by name, below a path: `bytes/es5/slice/gzip`. */
export const named = (path: string, figures: object): [string, number][] =>
  Object.entries(figures).map(([figure, value]) => [`${path}/${figure}`, value]);

export async function exactEntryPoints(): Promise<Exact> {
  const figures: [string, number][] = [];
  for (const name of entryPoints()) {
    const file = join(ROOT, 'src', `${name === '.' ? 'index' : name}.ts`);
    figures.push(...named(`entry/${name}`, await esbuildBytes(file, 'external')));
  }
  return Object.fromEntries(figures);
}

export async function exactBytes(app: App, target: Target): Promise<Exact> {
  return Object.fromEntries(named(`bytes/${target}/${app}`, bytesOf((await bundled(app, target)).code)));
}

async function quickJsHeap(app: App, engine: keyof typeof VARIANTS): Promise<{ heapBytes: number }> {
  const { code } = await bundleOf(`targets/bare/${app}.ts`, 'quickjs');
  const { empty, connected, debug } = await measureHeap(code, engine, await makeServer(await makeAuthority('Root')));
  return { heapBytes: connected - empty - debug };
}

/** Figures of XS are there where xsnap is. */
export async function exactFootprint(): Promise<Exact> {
  const figures: [string, number][] = [];
  for (const app of APPS) {
    for (const target of TARGETS) figures.push(...Object.entries(await exactBytes(app, target)));
    for (const engine of ENGINES) figures.push(...named(`${engine}/${app}`, await quickJsHeap(app, engine)));
    if (xsnapPath) figures.push(...named(`xs/${app}`, await xsFigures(app)));
  }
  return { ...(await exactEntryPoints()), ...Object.fromEntries(figures) };
}
