// mqtts: promises; it does not subscribe again after a reconnect.

import type { Duplex } from 'node:stream';
import { MqttClient, Transport } from 'mqtts';
import type { MakePeer } from './peer.ts';

/** As its own TCP transport, around any stream. */
class StreamTransport extends Transport<{ open: () => Duplex }> {
  duplex?: Duplex;

  async connect(): Promise<void> {
    const duplex = this.options.open();
    this.duplex = duplex;
    await new Promise<void>((resolve, reject) => {
      duplex.once('connect', () => resolve());
      duplex.once('error', reject);
    });
  }

  reset(): void {
    this.duplex?.destroy();
    delete this.duplex;
  }
}

export const mqtts: MakePeer = ({ open, clientId, keepAliveSeconds, onMessage }) => {
  const client = new MqttClient({ transport: new StreamTransport({ open }), autoReconnect: true });
  client.on('message', onMessage);
  client.on('error', () => {});
  return {
    connect: () => client.connect({ clientId, keepAlive: keepAliveSeconds, clean: true }),
    subscribe: async (topic, qosLevel) => void (await client.subscribe({ topic, qosLevel })),
    publish: (topic, payload, qosLevel, done) => void client.publish({ topic, payload, qosLevel }).then(done),
  };
};
