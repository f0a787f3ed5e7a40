// Who takes part, each behind the same interface, over TCP to the sink.

import { connect } from 'node:net';
import { pathToFileURL } from 'node:url';
import type { Mote } from '../peers/mote.ts';
import type { MakePeer, Peer } from '../peers/peer.ts';

export interface Contact {
  readonly port: number;
  readonly clientId: string;
  readonly onMessage: () => void;
  /** Longest delay before a reconnect; default: that of the contender. */
  readonly reconnectMillis?: number;
}

/** Each is loaded when it is made: what the others load is in no figure. */
type Make = (contact: Contact) => Promise<Peer>;

const KEEP_ALIVE_SECONDS = 360;

const overTcp =
  (load: () => Promise<MakePeer>): Make =>
  async ({ port, ...contact }) =>
    (await load())({
      ...contact,
      open: () => connect(port, '127.0.0.1').setNoDelay(true),
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
    });

/** @param names of modules that were built beforehand: build-mote.ts */
const ours =
  (...names: string[]): Make =>
  async (contact) => {
    const url = (name: string) => pathToFileURL(`${process.env.MQTT_MOTE}/${name}.js`).href;
    const modules = await Promise.all(names.map((name) => import(url(name)) as Promise<object>));
    const { mote } = await import('../peers/mote.ts');
    return mote({ ...contact, keepAliveSeconds: KEEP_ALIVE_SECONDS }, Object.assign({}, ...modules) as Mote);
  };

export const OURS = 'mqtt-mote';
export const BUNDLED = 'mqtt-mote/bundled';
export const MQTTJS = 'MQTT.js';

export const CONTENDERS: Readonly<Record<string, Make>> = {
  [OURS]: ours('index', 'node'),
  [BUNDLED]: ours('bundled'),
  [MQTTJS]: overTcp(async () => (await import('../peers/mqttjs.ts')).mqttjs),
  'u8-mqtt': overTcp(async () => (await import('../peers/u8-mqtt.ts')).u8mqtt),
  mqtts: overTcp(async () => (await import('../peers/mqtts.ts')).mqtts),
  paho: overTcp(async () => (await import('../peers/paho.ts')).paho),
  'floor: mqtt-packet': async (contact) => (await import('./floors.ts')).codecFloor(contact),
  'floor: bytes': async (contact) => (await import('./floors.ts')).bytesFloor(contact),
};
