// A device for measuring memory: connects, then sends and receives messages of 1,500 bytes, and tells how many variables were
// in use: once connected, and at most. Looked at where most is in use: deep in the calls that send and receive.

import type { Adapter, Client } from '../../../src/index.ts';
import { print, settings, variables } from '../../../targets/espruino/host.ts';

const LENGTH = 1_500;
const ROUNDS = 5;

let peak = 0;

function look(): void {
  const now = variables();
  if (now > peak) peak = now;
}

/** The adapter, with a look at the memory behind each write and each read. */
export function watched(adapter: Adapter): Adapter {
  const { dial } = adapter;
  (adapter as { dial: Adapter['dial'] }).dial = (endpoint, events) => {
    const transport = dial(endpoint, events);
    const { write } = transport;
    transport.write = (bytes) => {
      const taken = write(bytes);
      look();
      return taken;
    };
    return transport;
  };
  return adapter;
}

export function measure(client: Client): void {
  const topic = `/${settings.productKey}/${settings.deviceName}/user/`;
  const payload = new Uint8Array(LENGTH);
  let rounds = 0;
  const send = () => client.publish(`${topic}update`, payload, { qos: 1 }, (error) => error && print(error.code));
  client.on('warning', ({ code }) => print(`warning ${code}`));
  client.on('disconnected', ({ code }) => print(`end ${code}`));
  client.on('message', (message) => {
    look();
    print(`received ${message.payload.length}`);
    if (++rounds < ROUNDS) return send();
    print(`peak ${peak}`);
    client.close();
  });
  client.on('connected', () => {
    print(`connected ${variables()}`);
    client.subscribe(`${topic}get`, { qos: 1 }, (error) => (error ? print(error.code) : send()));
  });
  print(`loaded ${variables()}`);
  client.connect();
}
