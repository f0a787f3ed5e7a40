// The local platform, a clock that moves when it is told to, and adapters between: for tests of whole devices in no time.

import type { KeyValueStore } from '../../src/enrolment.ts';
import type { Adapter, ClientEvents, ClientOptions, Warning } from '../../src/index.ts';
import { Client } from '../../src/index.ts';
import type { DeviceTriple } from '../platform/devices.ts';
import { Platform } from '../platform/platform.ts';
import type { ListenerKind, Profile } from '../platform/profile.ts';
import { VirtualClock } from '../platform/virtual-clock.ts';
import { platformAdapter } from './platform-adapter.ts';

export interface VirtualPlatform {
  readonly clock: VirtualClock;
  readonly platform: Platform;
  readonly endpoints: ClientOptions['endpoints'];
  adapter(kind?: ListenerKind): Adapter;
  client(options: Partial<ClientOptions> & Pick<ClientOptions, 'identity'>): Client;
}

export async function virtualPlatform(
  use: (world: VirtualPlatform) => Promise<void>,
  options: { devices?: readonly DeviceTriple[]; profile?: Partial<Profile>; start?: number } = {},
): Promise<void> {
  const clock = new VirtualClock(options.start);
  const { devices = [], profile = {} } = options;
  const platform = await Platform.start({ devices, ports: false, clock, profile });
  const endpoints = [{ host: 'platform', port: 8883 }];
  const adapter = (kind: ListenerKind = 'private') => platformAdapter(platform, clock, kind);
  try {
    await use({
      clock,
      platform,
      endpoints,
      adapter,
      client: (it) => new Client({ adapter: adapter(), endpoints, ...it }),
    });
  } finally {
    await platform.close();
  }
}

/** A store in memory, as a device's flash. */
export class Flash implements KeyValueStore {
  readonly records = new Map<string, Uint8Array>();
  get(key: string): Uint8Array | undefined {
    return this.records.get(key)?.slice();
  }
  put(key: string, record: Uint8Array): void {
    this.records.set(key, record.slice());
  }
  remove(key: string): void {
    this.records.delete(key);
  }
}

/** Everything that a client says, in order. */
export function listen(client: Client): { name: keyof ClientEvents; event: unknown }[] {
  const heard: { name: keyof ClientEvents; event: unknown }[] = [];
  for (const name of ['connected', 'disconnected', 'message', 'warning'] as const) {
    client.on(name, (event) => heard.push({ name, event }));
  }
  return heard;
}

export function warningsOf(client: Client): Warning[] {
  const warnings: Warning[] = [];
  client.on('warning', (it) => warnings.push(it));
  return warnings;
}

export const textOf = (payload: Uint8Array): string => Buffer.from(payload).toString();
