// A plain mosquitto on loopback, where the machine has one.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PATHS = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'];

/** Where it is, or undefined: then suites that need it are skipped, visibly. */
export const mosquittoPath: string | undefined = PATHS.find(existsSync);

/** A port of loopback on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface Mosquitto {
  readonly port: number;
  stop(): Promise<void>;
  /** Ends it and starts it again on the same port, without anything it knew. */
  restart(): Promise<void>;
}

export async function startMosquitto(lines: readonly string[] = []): Promise<Mosquitto> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  const settings = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', ...lines];
  writeFileSync(file, `${settings.join('\n')}\n`);
  let child: ChildProcess;
  const start = async () => {
    child = spawn(mosquittoPath!, ['-c', file, '-v'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    for await (const chunk of child.stderr!) {
      log += chunk;
      if (log.includes(' running')) break;
    }
    child.stderr!.resume();
    if (child.exitCode !== null) throw new Error(`mosquitto did not start: ${log}`);
  };
  const end = async () => {
    child.kill();
    await once(child, 'exit');
  };
  await start();
  return {
    port,
    restart: async () => {
      await end();
      await start();
    },
    stop: async () => {
      await end();
      rmSync(folder, { recursive: true });
    },
  };
}
