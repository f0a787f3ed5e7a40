// A platform of its own for `npm start`, with one device and a secret made for this run.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEntry } from '../../test/platform/device-log.ts';
import { Platform as LocalPlatform } from '../../test/platform/platform.ts';
import type { ListenerKind } from '../../test/platform/profile.ts';

type Environment = Record<string, string | undefined>;

/** What the programs are run against. */
export interface Platform {
  /** The environment of the program that is to meet this listener. */
  environment(kind: ListenerKind): Environment;
  /** What the platform's log says of the program that has just run; only a local platform shows its log, and echoes. */
  takeLog?(): LogEntry[];
}

/** The device that the platform knows; its secret is new in every run. */
export const LOCAL_DEVICE = Object.freeze({ productKey: 'a1B2c3D4e5F', deviceName: 'device_01' });

/** Starts the platform, calls `use`, and leaves neither port nor file behind. */
export async function withLocalPlatform(flags: Environment, use: (platform: Platform) => Promise<void>): Promise<void> {
  const deviceSecret = randomBytes(16).toString('hex');
  const log: LogEntry[] = [];
  const listener = (entry: LogEntry) => void log.push(entry);
  const local = await LocalPlatform.start({ devices: [{ ...LOCAL_DEVICE, deviceSecret }], log: { listener } });
  const folder = mkdtempSync(join(tmpdir(), 'mqtt-mote-'));
  const writeCa = (kind: 'private' | 'public'): string => {
    const file = join(folder, `${kind}-ca.pem`);
    writeFileSync(file, local.authorities[kind]);
    return file;
  };
  const environment = (kind: Exclude<ListenerKind, 'x509'>): Environment => ({
    ...flags,
    MQTT_MOTE_PRODUCT_KEY: LOCAL_DEVICE.productKey,
    MQTT_MOTE_DEVICE_NAME: LOCAL_DEVICE.deviceName,
    MQTT_MOTE_DEVICE_SECRET: deviceSecret,
    MQTT_MOTE_ENDPOINT: `${local.endpoints[kind].host}:${local.endpoints[kind].port}`,
    MQTT_MOTE_CA: kind === 'tcp' ? undefined : writeCa(kind),
  });
  try {
    await use({ environment, takeLog: () => log.splice(0) });
  } finally {
    rmSync(folder, { recursive: true });
    await local.close();
  }
}
