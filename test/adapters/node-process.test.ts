// A Node process with a client in it: one timer while it is idle, and nothing once it is closed, however that came about.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { Platform } from '../platform/platform.ts';

const root = join(import.meta.dirname, '..', '..');
const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-process-'));
const caFile = join(folder, 'ca.pem');

let platform: Platform;
before(async () => {
  platform = await Platform.start({ devices: [device] });
  writeFileSync(caFile, platform.authorities.private);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await platform.close();
});

/** Runs a script in a process of its own, in which there is a client, and answers what it prints once it has ended by itself. */
async function run(script: string, port = platform.endpoints.private.port): Promise<string[]> {
  const code = `
    import { readFileSync } from 'node:fs';
    import { Client, deviceSecret } from './src/index.ts';
    import { nodeTls } from './src/node.ts';
    const timers = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length;
    const sockets = () => process.getActiveResourcesInfo().filter((it) => /TCP|TLS/.test(it)).length;
    const client = new Client({
      adapter: nodeTls({ ca: readFileSync(${JSON.stringify(caFile)}), serverName: 'localhost' }),
      endpoints: [{ host: '127.0.0.1', port: ${port} }],
      identity: deviceSecret(${JSON.stringify(device)}),
    });
    process.on('exit', () => console.log('timers', timers(), 'sockets', sockets()));
    ${script}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], { cwd: root });
  // One that goes on for good is ended, and has printed no last line.
  const limit = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  clearTimeout(limit);
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout.trim().split('\n');
}

const AT_THE_END = 'timers 0 sockets 0';

test('an idle connected client holds one timer of the host, after traffic too; nothing keeps the process alive after close()', async () => {
  const lines = await run(`
    client.subscribe('/pk/device/user/get', { qos: 1 });
    client.connect();
    client.on('connected', () => setImmediate(() => console.log('idle', timers())));
    client.publish('/pk/device/user/update', 'x', { qos: 1 });
    client.on('message', () => setImmediate(() => {
      console.log('idle after traffic', timers());
      client.close(() => console.log('closed'));
    }));`);
  assert.deepEqual(lines, ['idle 1', 'idle after traffic 1', 'closed', AT_THE_END]);
});

test('nothing keeps the process alive after abort()', async () => {
  const lines = await run(`
    client.on('connected', () => client.abort());
    client.connect();`);
  assert.deepEqual(lines, [AT_THE_END]);
});

test('nothing keeps the process alive after close() while it dials, or waits for its next dial', async () => {
  const dialing = await run(`
    client.connect();
    setImmediate(() => client.close(() => console.log('closed')));`);
  assert.deepEqual(dialing, ['closed', AT_THE_END]);
  const waiting = await run(
    `client.on('disconnected', ({ code }) => {
      console.log(code);
      if (code === 'tcp') setImmediate(() => {
        console.log('waiting', timers());
        client.close(() => console.log('closed'));
      });
    });
    client.connect();`,
    1,
  );
  assert.deepEqual(waiting, ['tcp', 'waiting 1', 'closed', 'closed', AT_THE_END]);
});

test('a client that was made and never connected keeps nothing alive', async () => {
  assert.deepEqual(await run(`client.subscribe('/pk/device/user/get');`), [AT_THE_END]);
});
