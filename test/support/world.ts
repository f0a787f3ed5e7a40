// One client and one scripted server in virtual time: where most tests of the client live.

import type { Warning } from '../../src/index.ts';
import {
  Client,
  type ClientOptions,
  type DisconnectedEvent,
  plainIdentity,
  type ReceivedMessage,
} from '../../src/index.ts';
import { type MemoryAdapterOptions, memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { ScriptedServer } from './scripted-server.ts';

export interface World {
  readonly time: VirtualTime;
  readonly server: ScriptedServer;
  readonly client: Client;
  readonly messages: ReceivedMessage[];
  readonly disconnects: DisconnectedEvent[];
  readonly warnings: Warning[];
  /** How often the client has said `connected`. */
  connects: number;
  /** Lets everything happen that is due now. */
  settle(): void;
  /** connect() and settle. */
  connect(): void;
}

export function world(
  options: Partial<ClientOptions> = {},
  network: Partial<MemoryAdapterOptions> = {},
  time: VirtualTime = new VirtualTime(),
): World {
  const server = new ScriptedServer();
  const client = new Client({
    adapter: memoryAdapter({ time, accept: server.accept, ...network }),
    endpoints: [{ host: 'server', port: 8883 }],
    identity: plainIdentity({ clientId: 'device' }),
    ...options,
  });
  const it: World = {
    time,
    server,
    client,
    messages: [],
    disconnects: [],
    warnings: [],
    connects: 0,
    settle: () => time.advance(0),
    connect() {
      client.connect();
      time.advance(0);
    },
  };
  client.on('connected', () => it.connects++);
  client.on('message', (message) => it.messages.push(message));
  client.on('disconnected', (event) => it.disconnects.push(event));
  client.on('warning', (warning) => it.warnings.push(warning));
  return it;
}
