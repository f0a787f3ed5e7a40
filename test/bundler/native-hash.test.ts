// What is not imported is not carried: a device that signs by a hash of its host.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { mqttMote } from '../../targets/bundler/plugin.ts';

test('a device that signs by a hash of its host carries nothing of noble', async () => {
  const contents = `
    export { Client } from 'mqtt-mote';
    export { deviceSecretBy, hmacOver } from 'mqtt-mote/native-hash';`;
  const { metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    write: false,
    plugins: [mqttMote({ target: 'es2022' })],
  });
  const [output] = Object.values(metafile!.outputs);
  const inputs = Object.entries(output!.inputs).filter(([, it]) => it.bytesInOutput > 0);
  const names = inputs.map(([path]) => path);
  assert.equal(names.filter((it) => it.includes('hmac-over')).length, 1);
  assert.deepEqual(
    names.filter((it) => it.includes('noble')),
    [],
  );
});
