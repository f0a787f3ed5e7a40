// Typed arrays for hosts that have none, beside those of Node.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { bundle } from '../../targets/bundler/bundle.ts';
import type { Target } from '../../targets/bundler/hosts.ts';

const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-typed-arrays-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ABSENT = 'ArrayBuffer DataView Uint8Array Uint16Array Uint32Array Int32Array Float64Array';

/** What an app says about typed arrays on a host. */
async function ask(target: Target, absent: string): Promise<string> {
  const entry = join(folder, 'app.js');
  writeFileSync(entry, APP);
  const { code } = await bundle({ entry, target, format: 'iife', globalName: 'app' });
  const context = createContext({});
  for (const name of absent.split(' ').filter(Boolean)) runInContext(`delete globalThis.${name}`, context);
  runInContext(code, context);
  return runInContext('app.run()', context);
}

test('a host without typed arrays gets some that do what those of the language do', async () => {
  const theirs = await ask('es2022', '');
  assert.match(theirs, /1,2,44/);
  assert.equal(await ask('mujs', ABSENT), theirs);
});

test('a host that has them keeps its own', async () => {
  await assert.rejects(ask('duktape', ABSENT), /Uint\d+Array is not defined/);
});

const APP = `
  const list = (it) => Array.from(it).join();
  const fault = (run) => { try { return run(); } catch (error) { return error instanceof RangeError; } };
  export function run() {
    const bytes = new Uint8Array([1, 2, 300]);
    const said = [list(bytes)];
    bytes[0] = -1;
    bytes[1] += 5;
    bytes[2] = 1.9;
    said.push(list(bytes), bytes[7], bytes.length, bytes.byteLength);
    const part = bytes.subarray(1);
    part[0] = 77;
    said.push(bytes[1], part.byteOffset, list(bytes.subarray(-2, -1)), list(bytes.subarray(2, 1)));
    bytes.set([9, 8], 1);
    said.push(list(bytes));
    bytes.set(bytes.subarray(0, 2), 1);
    said.push(list(bytes));
    const words = new Uint32Array(2);
    words[0] = -2;
    words[1] = 2 ** 32 + 3;
    said.push(list(words), list(new Uint8Array(words.buffer)), list(new Uint16Array(words.buffer, 2, 2)));
    const view = new DataView(words.buffer, 1);
    view.setUint32(3, 0x01020384);
    view.setUint16(0, 0xfffe, true);
    said.push(list(words), view.getUint32(3), view.getUint32(3, true), view.getUint16(1), view.getUint8(6), view.byteLength);
    said.push(fault(() => bytes.set([1, 2, 3], 1)), fault(() => new Uint8Array(-1)), fault(() => view.getUint32(4)));
    said.push(fault(() => new Uint32Array(words.buffer, 4, 2)), fault(() => new DataView(words.buffer, 0, 9)));
    const long = new Uint8Array(12000).fill(7);
    long[11999] = 5;
    said.push(long[11998], list(long.subarray(11998)), list(long.slice(11999)), String.fromCharCode.apply(null, bytes).length);
    said.push(bytes instanceof Uint8Array, bytes instanceof Uint32Array, ArrayBuffer.isView(bytes), ArrayBuffer.isView(words.buffer));
    said.push(list(Uint8Array.from([1, 2])), list(Uint8Array.of(3)), new Uint8Array(words.buffer).buffer === words.buffer);
    for (const byte of bytes) said.push(byte);
    return said.join(' ');
  }`;
