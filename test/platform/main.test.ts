// The platform as a command, in a process of its own.
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { HOST } from './listeners.ts';

function run(...flags: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'main.ts'), ...flags]);
}

function collect(stream: NodeJS.ReadableStream): { text: string } {
  const collected = { text: '' };
  stream.on('data', (chunk) => {
    collected.text += chunk;
  });
  return collected;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`the command prints where it is and ends with 0 on ${signal}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'platform-command-'));
    const ports = ['--tcp-port', '0', '--private-port', '0', '--public-port', '0'];
    const command = run(...ports, '--ca-dir', folder, '--device-secret', 'secret');
    const output = collect(command.stdout);
    const exited = once(command, 'exit');
    while (!output.text.includes('deviceSecret')) await once(command.stdout, 'data');
    for (const part of ['127.0.0.1:', 'a1B2c3D4e5F', 'device_01', join(folder, 'private-ca.pem')]) {
      assert.ok(output.text.includes(part), output.text);
    }
    assert.match(readFileSync(join(folder, 'public-ca.pem'), 'utf8'), /BEGIN CERTIFICATE/);
    command.kill(signal);
    assert.deepEqual(await exited, [0, null]);
    rmSync(folder, { recursive: true });
  });
}

test('without --ca-dir its certificates lie in a folder of its own, which is gone when it has ended', async () => {
  const command = run('--tcp-port', '0', '--private-port', '0', '--public-port', '0');
  const output = collect(command.stdout);
  const exited = once(command, 'exit');
  while (!output.text.includes('deviceSecret')) await once(command.stdout, 'data');
  const [file = ''] = /\S+private-ca\.pem/.exec(output.text) ?? [];
  assert.ok(existsSync(file), output.text);
  command.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.equal(existsSync(dirname(file)), false);
});

test('a port that is taken gives one clear line and exit code 1', async () => {
  const holder = createServer().listen(0, HOST);
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  const command = run('--tcp-port', `${port}`, '--private-port', '0', '--public-port', '0');
  const errors = collect(command.stderr);
  assert.deepEqual(await once(command, 'close'), [1, null]);
  assert.match(errors.text, new RegExp(`^Port ${port} on 127.0.0.1 is already in use; .*\\n$`));
  holder.close();
  await once(holder, 'close');
});
