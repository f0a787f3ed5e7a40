// Makes the module of a device for Moddable, with its settings in it: `npm run moddable -- --product-key ...`. The manifest
// beside this file takes it up from .work/moddable.

import { join } from 'node:path';
import { build } from 'esbuild';
import { mqttMote } from '../bundler/plugin.ts';
import { readSettings } from '../node/settings.ts';
import type { Settings } from './settings.ts';

export const FOLDER = join(import.meta.dirname, '..', '..', '.work', 'moddable');

/** The one certificate in a PEM file, in DER. @throws Error where there is none, or more than one */
export function derOf(pem: string): readonly number[] {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)];
  if (blocks.length !== 1)
    throw new Error(`the file of --ca holds ${blocks.length} certificates: Moddable takes one root`);
  return [...Buffer.from(blocks[0]![1]!, 'base64')];
}

/**
 * @param program `main` for TLS, `main-tcp` for plain TCP
 * @param certificate the root to trust, DER; default those in the firmware
 * @param folder where main.js goes
 */
export async function buildDevice(
  program: 'main' | 'main-tcp',
  settings: Settings,
  certificate?: readonly number[],
  folder = FOLDER,
): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, `${program}.ts`)],
    outfile: join(folder, 'main.js'),
    define: { SETTINGS: JSON.stringify(settings), CERTIFICATE: JSON.stringify(certificate) ?? 'undefined' },
    minify: true,
    plugins: [mqttMote({ target: 'moddable' })],
  });
}

if (process.argv[1] === import.meta.filename) {
  const plain = process.argv.indexOf('--tcp');
  if (plain >= 0) process.argv.splice(plain, 1);
  const { endpoint, ca, ...values } = readSettings('moddable', 'A device for Moddable.', plain >= 0 ? 1883 : 8883);
  const nameServers = [process.env.MQTT_MOTE_NAME_SERVER ?? '1.1.1.1'];
  const certificate = ca === undefined ? undefined : derOf(ca);
  await buildDevice(plain >= 0 ? 'main-tcp' : 'main', { ...values, ...endpoint, nameServers }, certificate);
  console.log(`made ${join(FOLDER, 'main.js')}: now mcconfig -m -p <platform> targets/moddable/manifest.json`);
}
