// Engines with an older language: the end-to-end script in mujs and Hermes, byte for byte what Node makes of the sources.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { bundle } from '../../targets/bundler/bundle.ts';
import { memoryPair } from '../platform/memory-pair.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { engine, unless } from '../support/engines.ts';
import { type FromGuest, type Machine, XsDevice } from '../support/xs-device.ts';
import { session } from './golden/session.ts';

interface Golden {
  readonly commands: string[];
  readonly answers: string[];
}

/** A session of Node's, from the sources, with everything that the device was told and that it answered. */
async function record(): Promise<Golden> {
  const golden: Golden = { commands: [], answers: [] };
  const answer = session();
  const nothing = { compute: 0, currentHeapCount: 0 };
  const machine: Machine = {
    evaluate: async () => ({ reply: Buffer.alloc(0), ...nothing }),
    async command(text) {
      const reply = answer(text);
      golden.commands.push(text);
      golden.answers.push(reply);
      return { reply: Buffer.from(reply), ...nothing };
    },
    close: async () => {},
  };
  const server = await EndToEndServer.start();
  const connect = () => {
    const [near, far] = memoryPair();
    server.accept(far);
    return near;
  };
  const device = new XsDevice({ machine, code: '', connect, stepMillis: 20 });
  await device.command(['start', { endpoint: { host: '10.0.0.1', port: 1883 }, ...server.device }]);
  await device.until(/^end/);
  await device.close();
  server.judge(device.lines);
  await server.close();
  return golden;
}

const written = (answers: readonly string[]): number[] =>
  answers.flatMap((it) => (JSON.parse(it) as FromGuest[]).flatMap((one) => (one[0] === 'write' ? one[2] : [])));

let folder: string;
let golden: Golden;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-golden-'));
  golden = await record();
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [name, target] of [
  ['MUJS', 'mujs'],
  ['HERMES', 'hermes'],
  ['HERMES', 'es5'],
] as const) {
  test(`in ${name.toLowerCase()}, a bundle for ${target} sends through a whole session what Node sends, byte for byte`, {
    skip: unless(name),
  }, async () => {
    const entry = join(import.meta.dirname, 'golden/session.ts');
    const { code, warnings } = await bundle({ entry, target, globalName: 'golden' });
    assert.deepEqual(warnings, []);
    const file = join(folder, `${name}-${target}.js`);
    const commands = JSON.stringify(golden.commands);
    const loop = 'for (var i = 0; i < commands.length; i++) print(answer(commands[i]));';
    writeFileSync(file, `${code}\nvar answer = golden.session(), commands = ${commands};\n${loop}\n`);
    const { stdout } = await promisify(execFile)(engine(name)!, [file], { maxBuffer: 1e8 });
    const answers = stdout.trimEnd().split('\n');
    assert.ok(written(golden.answers).length > 10_000);
    assert.deepEqual(written(answers), written(golden.answers));
    assert.deepEqual(answers, golden.answers); // When it says what, too.
  });
}
