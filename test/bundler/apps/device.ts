// The slice with a network in memory. It speaks to its host in plain lists of numbers, since the host's objects are of
// another world.

import { deviceSecret } from '../../../src/index.ts';
import { type MemoryPeer, memoryAdapter, VirtualTime } from '../../../src/memory.ts';
import { device } from '../../../targets/bundler/apps/slice.ts';

export interface Host {
  connected(peer: { send(bytes: readonly number[]): void }): void;
  received(bytes: readonly number[]): void;
  tell(event: string, detail: string): void;
}

export function run(host: Host) {
  const time = new VirtualTime();
  const accept = (peer: MemoryPeer): boolean => {
    peer.onReceived = (bytes) => host.received(Array.from(bytes));
    host.connected({ send: (bytes) => peer.send(Uint8Array.from(bytes)) });
    return true;
  };
  const client = device(memoryAdapter({ time, accept }), { host: 'broker', port: 8883 });
  client.on('connected', () => host.tell('connected', ''));
  client.on('disconnected', ({ error }) => host.tell('disconnected', error ? error.code : ''));
  client.on('message', ({ topic, payload, qos }) => host.tell('message', `${topic} ${qos} ${Array.from(payload)}`));
  client.subscribe('down/#', { qos: 1 }, (error) => host.tell('subscribed', error ? error.code : ''));
  client.connect();
  return {
    advance: (millis: number) => time.advance(millis),
    publish: (topic: string, text: string, qos: 0 | 1) =>
      client.publish(topic, text, { qos }, (error) => host.tell('published', error ? error.code : topic)),
    close: () => client.close(() => host.tell('closed', '')),
    sign: () => {
      const identity = deviceSecret({
        ...{ productKey: 'pk', deviceName: 'device', deviceSecret: 'secret', clientId: '12345', timestamp: 789 },
      });
      return identity.credentials({ number: 1, secure: false }).password as string;
    },
  };
}
