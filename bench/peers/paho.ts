// Eclipse Paho's JavaScript client, over a WebSocket that is a stream in disguise: a browser is not at hand.

import type { Duplex } from 'node:stream';
import Paho from 'paho-mqtt';
import type { MakePeer } from './peer.ts';

function webSocketOver(open: () => Duplex) {
  return class {
    onopen = () => {};
    onclose = (_event: object) => {};
    onerror = () => {};
    onmessage = (_event: { data: ArrayBufferLike }) => {};
    readonly stream = open();

    constructor() {
      this.stream.once('connect', () => this.onopen());
      this.stream.on('data', (bytes: Buffer) => this.onmessage({ data: new Uint8Array(bytes).buffer }));
      this.stream.once('close', () => this.onclose({}));
    }

    send(bytes: ArrayBuffer): void {
      this.stream.write(Buffer.from(bytes));
    }

    close(): void {
      this.stream.destroy();
    }
  };
}

export const paho: MakePeer = ({ open, clientId, keepAliveSeconds, onMessage }) => {
  Object.assign(globalThis, { WebSocket: webSocketOver(open) });
  const client = new Paho.Client('server', 80, '/', clientId);
  client.onMessageArrived = onMessage;
  const dones = new Map<Paho.Message, () => void>();
  client.onMessageDelivered = (message) => {
    const done = dones.get(message);
    dones.delete(message);
    done?.();
  };
  return {
    connect() {
      return new Promise<void>((resolve, reject) => {
        const onFailure = ({ errorMessage }: { errorMessage: string }) => reject(new Error(errorMessage));
        client.connect({
          keepAliveInterval: keepAliveSeconds,
          reconnect: true,
          onSuccess: () => resolve(),
          onFailure,
        });
      });
    },
    subscribe: (filter, qos) => new Promise((resolve) => client.subscribe(filter, { qos, onSuccess: () => resolve() })),
    publish(topic, payload, qos, done) {
      const message = new Paho.Message(payload);
      message.destinationName = topic;
      message.qos = qos;
      dones.set(message, done);
      client.send(message);
    },
  };
};
