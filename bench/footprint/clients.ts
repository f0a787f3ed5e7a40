// One idle connection of each make. What a client needs is imported when it is first asked for, so that its cost can be seen.

import { connect, type Socket } from 'node:net';
import type { MakePeer } from '../peers/peer.ts';

/** Connects a client, which stays so; resolves after CONNACK. */
export type Connect = (port: number, clientId: string) => Promise<unknown>;

const KEEP_ALIVE_SECONDS = 300;

const open = (port: number): Socket => connect({ host: '127.0.0.1', port });

const peer = (make: MakePeer): Connect => {
  return async (port, clientId) => {
    const client = make({
      open: () => open(port),
      clientId,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
      onMessage: () => {},
    });
    await client.connect();
    return client;
  };
};

/** The package as its users have it. @param names the entry points that bring the client, and the adapter */
async function ours(...names: string[]): Promise<Connect> {
  const modules = await Promise.all(names.map((name) => import(name)));
  const { Client, plainIdentity, nodeTcp } = Object.assign({}, ...modules) as typeof import('../../src/bundled.ts');
  const adapter = nodeTcp(); // One serves all clients of a process.
  return (port, clientId) =>
    new Promise((resolve) => {
      const client = new Client({
        adapter,
        allowPlaintext: true,
        endpoints: [{ host: '127.0.0.1', port }],
        identity: plainIdentity({ clientId }),
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
      });
      client.on('connected', () => resolve(client));
      client.connect();
    });
}

/** A socket, and CONNECT written by hand: the least that a connection can be. */
const bare: Connect = (port, clientId) =>
  new Promise((resolve) => {
    const socket = open(port);
    const name = Buffer.from(clientId);
    const head = [0x10, 12 + name.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, name.length];
    socket.once('connect', () => socket.write(Buffer.concat([Buffer.from(head), name])));
    socket.once('data', () => resolve(socket));
  });

export const CLIENTS: Readonly<Record<string, () => Promise<Connect>>> = {
  'mqtt-mote': () => ours('mqtt-mote', 'mqtt-mote/node'),
  'mqtt-mote/bundled': () => ours('mqtt-mote/bundled'),
  'MQTT.js': async () => peer((await import('../peers/mqttjs.ts')).mqttjs),
  'u8-mqtt': async () => peer((await import('../peers/u8-mqtt.ts')).u8mqtt),
  mqtts: async () => peer((await import('../peers/mqtts.ts')).mqtts),
  paho: async () => peer((await import('../peers/paho.ts')).paho),
  'a bare socket': async () => bare,
};
