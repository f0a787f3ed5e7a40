// Errors and a warning of every kind, as an app sees them.

import { type Adapter, Client, deviceSecret, mqttPacketFraming, plainIdentity } from '../../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../../src/memory.ts';
import { Router } from '../../../src/router.ts';

const endpoints = [{ host: 'broker', port: 1883 }];
const time = new VirtualTime();
const adapter: Adapter = memoryAdapter({ time, accept: () => true, security: 'plaintext' });
const identity = plainIdentity({ clientId: 'c' });
const options = { adapter, endpoints, identity, allowPlaintext: true };

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    const { code, reason, message, clause } = error as Record<string, unknown>;
    return { code, reason, message, clause };
  }
  return 'nothing';
}

export function errors(): unknown[] {
  const client = new Client(options);
  return [
    thrown(() => new Client({ ...options, keepAliveSeconds: 100_000 })),
    thrown(() => new Client({ ...options, production: true })),
    thrown(() => deviceSecret({ productKey: '', deviceName: 'd', deviceSecret: 's' })),
    thrown(() => mqttPacketFraming(1)),
    thrown(() => new Router(client).subscribe('a', {}, 'no function' as never)),
    thrown(() => client.publish('a', 7 as never)),
    thrown(() => client.publish('a/+', '')),
  ];
}

export function warning(): unknown {
  const client = new Client(options);
  let found: unknown;
  client.on('warning', ({ code, message }) => {
    found = { code, message };
  });
  client.connect();
  time.advance(10);
  return found;
}
