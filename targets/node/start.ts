// npm start: runs the three programs, against a platform on this machine or, given an endpoint, against that.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { ListenerKind } from '../../test/platform/profile.ts';
import { LOCAL_DEVICE, type Platform, withLocalPlatform } from './local.ts';
import { environmentOf, isConfigured, parseCommand, requireValues } from './settings.ts';
import { Transcript, tell, wantsColour } from './transcript.ts';

interface Program {
  readonly file: string;
  readonly title: string;
  readonly kind: ListenerKind;
}

const PROGRAMS: readonly Program[] = [
  { file: 'tcp.ts', title: 'Plain TCP, for tests only', kind: 'tcp' },
  { file: 'tls-public.ts', title: 'TLS with the standard certificate', kind: 'public' },
  { file: 'tls-private.ts', title: 'TLS with the self-signed certificate', kind: 'private' },
];

const TSX = import.meta.resolve('tsx');

const transcript = new Transcript(wantsColour(process.stdout.isTTY, process.env.NO_COLOR), console.log);

/** Hears what a program says, line by line as it comes. */
async function hear(stream: Readable): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    transcript.said('device', line);
    lines.push(line);
  }
  return lines;
}

/** Runs a program as a user would. True when it ended well and, where asked for, got its message back. */
async function succeeds(program: Program, { environment, takeLog }: Platform): Promise<boolean> {
  transcript.heading(program.title, `targets/node/${program.file}`);
  const child = spawn(process.execPath, ['--import', TSX, join(import.meta.dirname, program.file)], {
    env: { ...process.env, ...environment(program.kind) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [lines, , [code]] = await Promise.all([hear(child.stdout), hear(child.stderr), once(child, 'close')]);
  for (const entry of takeLog?.() ?? []) transcript.said('platform', tell(entry));
  return code === 0 && (!takeLog || lines.some((line) => line.startsWith('received')));
}

async function runAll(platform: Platform): Promise<void> {
  const failed: string[] = [];
  for (const program of PROGRAMS) {
    if (!(await succeeds(program, platform))) failed.push(program.file);
  }
  if (failed.length === 0) return transcript.ending('All 3 programs connected, subscribed, published and closed.');
  console.error(`\nerror: ${failed.length} of 3 programs failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** The programs differ in their ports, and only the self-signed certificate needs a root that Node.js does not ship. */
function remotePlatform(command: Command): Platform {
  requireValues(command);
  if (/[^:]:[0-9]+$/.test(command.getOptionValue('endpoint'))) {
    command.error('error: --endpoint must be a host without port: each of the three programs has its own');
  }
  const { MQTT_MOTE_CA, ...rest } = environmentOf(command);
  return { environment: (kind) => ({ ...rest, MQTT_MOTE_CA: kind === 'private' ? MQTT_MOTE_CA : undefined }) };
}

const command = parseCommand('start', 'Runs the three programs; against a local platform unless given an endpoint.');
if (isConfigured(command)) {
  await runAll(remotePlatform(command));
} else {
  transcript.workedExample();
  transcript.localDevice(LOCAL_DEVICE.productKey, LOCAL_DEVICE.deviceName);
  await withLocalPlatform(environmentOf(command), runAll);
}
