// A Node process with a client in it ends by itself once the client is closed.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const SCRIPT = `
import { Client, deviceSecret } from './src/index.ts';
import { nodeTls } from './src/node.ts';
import { Platform } from './test/platform/platform.ts';
const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const platform = await Platform.start({ devices: [device] });
const adapter = nodeTls({ ca: platform.authorities.private, serverName: 'localhost' });
const client = new Client({ adapter, endpoints: [platform.endpoints.private], identity: deviceSecret(device) });
client.on('connected', () => client.close(async () => {
  await platform.close();
  console.log('closed');
}));
client.connect();
`;

test('nothing keeps the process alive after close()', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', SCRIPT],
    { cwd: join(import.meta.dirname, '..', '..'), encoding: 'utf8', timeout: 60_000 },
  );
  assert.equal(stdout.trim(), 'closed', stderr);
  assert.equal(status, 0);
});
