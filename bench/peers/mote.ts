// Ours, from its sources or from the one file for Node, over TCP of its own adapter.

import type { Peer } from './peer.ts';

/** What is used of the package. */
export type Mote = Pick<typeof import('../../src/bundled.ts'), 'Client' | 'exactlyOnce' | 'nodeTcp' | 'plainIdentity'>;

export interface MoteOptions {
  readonly port: number;
  readonly clientId: string;
  readonly keepAliveSeconds: number;
  readonly onMessage: () => void;
  readonly reconnectMillis?: number;
}

/** Windows and queue are wide enough for what the benches have under way at once. */
export function mote({ port, clientId, keepAliveSeconds, onMessage, reconnectMillis }: MoteOptions, mote: Mote): Peer {
  const client = new mote.Client({
    adapter: mote.nodeTcp(),
    allowPlaintext: true,
    endpoints: [{ host: '127.0.0.1', port }],
    identity: mote.plainIdentity({ clientId }),
    delivery: mote.exactlyOnce,
    keepAliveSeconds,
    ...(reconnectMillis !== undefined && { reconnect: { maxMillis: reconnectMillis } }),
    maxInFlight: 100,
    queue: { messages: 1_000, bytes: 2 ** 31 - 1 },
  });
  client.on('warning', () => {}); // That TCP is in the clear.
  client.on('message', onMessage);
  return {
    connect: () =>
      new Promise((resolve) => {
        client.on('connected', () => resolve());
        client.connect();
      }),
    subscribe: (filter, qos) =>
      new Promise((resolve, reject) => {
        client.subscribe(filter, { qos }, (error) => (error ? reject(error) : resolve()));
      }),
    publish: (topic, payload, qos, done) => void client.publish(topic, payload, { qos }, done),
  };
}
