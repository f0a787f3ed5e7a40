// Bundles for the tests.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Context, createContext, runInContext } from 'node:vm';
import { type Bundle, bundle } from '../../targets/bundler/bundle.ts';
import { HOSTS, type Target } from '../../targets/bundler/hosts.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a bundle of this file exports, with the sentences of its errors. @param entry relative to the root of the repository */
export async function load<Exports>(entry: string, target: Target = 'es2022'): Promise<Exports> {
  const { code } = await bundle({ entry: join(root, entry), target, messages: true });
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`) as Promise<Exports>;
}

const made = new Map<string, Promise<Bundle>>();

/** A bundle for a host that sets the global variable `app`, made once. */
export async function script(entry: string, target: Target, mangle = true): Promise<string> {
  const name = `${entry} ${target} ${mangle}`;
  const options = { entry: join(root, entry), mangle, target, format: 'iife', globalName: 'app' } as const;
  if (!made.has(name)) made.set(name, bundle(options));
  return (await made.get(name)!).code;
}

/** What ECMAScript has had since its edition 6. */
const SINCE_ES5 =
  `Object.assign Object.entries Object.fromEntries Object.hasOwn Object.is Object.setPrototypeOf Object.values
  Number.isFinite Number.isInteger Number.isNaN Number.isSafeInteger Number.parseInt Number.parseFloat
  Math.clz32 Math.imul Math.log2 Math.sign Math.trunc Array.from Array.of String.raw String.fromCodePoint
  Array.prototype.at Array.prototype.copyWithin Array.prototype.entries Array.prototype.fill Array.prototype.find
  Array.prototype.findIndex Array.prototype.flat Array.prototype.flatMap Array.prototype.includes Array.prototype.keys
  String.prototype.at String.prototype.codePointAt String.prototype.endsWith String.prototype.includes
  String.prototype.isWellFormed String.prototype.normalize String.prototype.padEnd String.prototype.padStart
  String.prototype.repeat String.prototype.startsWith String.prototype.matchAll String.prototype.replaceAll
  globalThis.BigInt globalThis.Map globalThis.Promise globalThis.Proxy globalThis.Reflect globalThis.Set globalThis.Symbol
  globalThis.WeakMap globalThis.WeakRef globalThis.WeakSet globalThis.Atomics globalThis.SharedArrayBuffer`.split(
    /\s+/,
  );

/** What typed arrays have had since then, but were not born with. */
const TYPED =
  'fill find findIndex includes indexOf map every some forEach join reverse slice copyWithin at keys values';

/** A world that has nothing but the language, as far as the host knows it; for `es5` its edition 5.1 with typed arrays. */
export function bareWorld(target: Target): Context {
  const context = createContext({});
  const { lacks, without } = HOSTS[target];
  const typed = '(Object.getPrototypeOf(Uint8Array))';
  const newer = [
    ...SINCE_ES5,
    `${typed}.from`,
    `${typed}.of`,
    ...TYPED.split(' ').map((it) => `${typed}.prototype.${it}`),
  ];
  const host = lacks.map((it) => it.replace(/^Uint\d+Array/, typed));
  for (const it of target === 'es5' ? newer : [...host, ...without]) {
    runInContext(`delete ${it}`, context);
    assert.equal(runInContext(`typeof ${it.replace('globalThis.', '')}`, context), 'undefined', it);
  }
  if (target === 'espruino') {
    // It has them, but they do less.
    const poor = { fromCharCode: (code: number) => String.fromCharCode(code & 255) };
    Object.assign(runInContext('String', context), poor);
    const assign = (target: object, ...sources: object[]) => {
      assert.equal(typeof target, 'object');
      return Object.assign(target, ...sources);
    };
    Object.assign(runInContext('Object', context), { assign });
    context.E = { asUTF8: (text: string) => Buffer.from(text, 'latin1').toString() };
  }
  return context;
}
