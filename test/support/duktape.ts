// Builds the Duktape host with make, and runs programs in it.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCE = join(import.meta.dirname, '../../targets/duktape');

const hasHeader = (name: string): boolean =>
  spawnSync('cc', ['-E', '-x', 'c', '-'], { input: `#include <${name}>\n`, stdio: ['pipe', 'ignore', 'ignore'] })
    .status === 0;

/** Why the host cannot be built here, or undefined. */
export function whyNotDuktape(): string | undefined {
  if (spawnSync('cc', ['--version']).status !== 0) return 'there is no C compiler';
  if (spawnSync('make', ['--version']).status !== 0) return 'there is no make';
  if (!hasHeader('duktape.h') || !existsSync('/usr/share/duktape/duktape.c')) return 'duktape-dev is not installed';
  return hasHeader('mbedtls/ssl.h') ? undefined : 'libmbedtls-dev is not installed';
}

export interface DuktapeRun {
  readonly code: number | null;
  readonly lines: string[];
  readonly errors: string;
}

export interface DuktapeOptions {
  readonly endpoint?: { readonly host: string; readonly port: number };
  readonly device?: { readonly productKey: string; readonly deviceName: string; readonly deviceSecret: string };
  /** PEM of the roots to trust: TLS. */
  readonly ca?: string;
  /** More of the environment; undefined takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Called with the process's id when it has printed this line; then it is ended. */
  readonly at?: readonly [line: string, look: (pid: number) => void];
}

const NOBODY = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };

/** The host, built in a folder of its own. */
export class Duktape {
  readonly folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-duktape-'));

  /** Builds a variant, once. @param flags of make: `TLS=1`, `STATIC=1`, `SANITIZE=1` */
  build(...flags: string[]): string {
    const build = join(this.folder, ['host', ...flags].join('-').replaceAll('=', ''));
    if (!existsSync(join(build, 'mote'))) {
      execFileSync('make', ['--silent', `BUILD=${build}`, ...flags], {
        cwd: SOURCE,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
    }
    return join(build, 'mote');
  }

  /** Runs a program to its end. */
  async run(mote: string, program: string, options: DuktapeOptions = {}): Promise<DuktapeRun> {
    const { endpoint = { host: 'localhost', port: 1 }, device = NOBODY, ca, environment, at } = options;
    const folder = mkdtempSync(join(this.folder, 'run-'));
    const file = join(folder, 'program.js');
    writeFileSync(file, program);
    if (ca !== undefined) writeFileSync(join(folder, 'ca.pem'), ca);
    const child = spawn(mote, [file], {
      env: {
        MQTT_MOTE_ENDPOINT: `${endpoint.host}:${endpoint.port}`,
        MQTT_MOTE_PRODUCT_KEY: device.productKey,
        MQTT_MOTE_DEVICE_NAME: device.deviceName,
        MQTT_MOTE_DEVICE_SECRET: device.deviceSecret,
        ...(ca !== undefined && { MQTT_MOTE_CA: join(folder, 'ca.pem') }),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (!at || !said.split('\n').includes(at[0])) return;
      at[1](child.pid!);
      child.kill();
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const [code] = await once(child, 'close');
    return { code, lines: said.split('\n').slice(0, -1), errors };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
