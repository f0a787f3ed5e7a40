// What a message takes in XS, in steps of the engine, at each QoS, out and in: the same in every run.

import assert from 'node:assert/strict';
import { generate, type Packet, parser } from 'mqtt-packet';
import { memoryPair } from '../platform/memory-pair.ts';
import { XsDevice } from './xs-device.ts';
import { STEP_MILLIS, xsProgram } from './xs-figures.ts';

/** Steps of time in which every delivery has come to its end. */
const SETTLED = 4;

/** A server that goes through every delivery, and publishes when it is asked to. */
function fullServer() {
  const [near, far] = memoryPair();
  const reader = parser({ protocolVersion: 4 });
  const send = (packet: Packet) => far.write(generate(packet));
  const answer = (packet: Packet) => {
    const messageId = packet.messageId!;
    if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    if (packet.cmd === 'publish' && packet.qos === 1) send({ cmd: 'puback', messageId });
    if (packet.cmd === 'publish' && packet.qos === 2) send({ cmd: 'pubrec', messageId });
    if (packet.cmd === 'pubrec') send({ cmd: 'pubrel', messageId });
    if (packet.cmd === 'pubrel') send({ cmd: 'pubcomp', messageId });
  };
  reader.on('packet', answer);
  far.on('data', (bytes) => reader.parse(bytes));
  far.on('error', () => {});
  const publish = (qos: 0 | 1 | 2, messageId: number) =>
    send({ cmd: 'publish', topic: 'down', payload: Buffer.alloc(32), qos, messageId, retain: false, dup: false });
  return { near, publish };
}

/** By `out` or `in` and QoS: steps for a message of 32 bytes, to the end of its delivery, those of the bridge included. */
export async function xsMessages(): Promise<Record<string, number>> {
  const server = fullServer();
  const connect = () => server.near;
  const device = new XsDevice({ code: await xsProgram('messages'), connect, stepMillis: STEP_MILLIS });
  const taken = async (begin: () => unknown): Promise<number> => {
    const before = device.compute;
    await begin();
    for (let step = 0; step < SETTLED; step++) await device.step();
    return device.compute - before;
  };
  try {
    await device.load();
    await device.command(['start', { endpoint: { host: '10.0.0.1', port: 8883 } }]);
    await device.until(/^connected$/);
    await taken(() => {});
    const idle = await taken(() => {});
    const found: Record<string, number> = {};
    for (const qos of [0, 1, 2] as const) {
      const before = device.lines.length;
      found[`out${qos}`] = (await taken(() => device.command(['act', String(qos)]))) - idle;
      found[`in${qos}`] = (await taken(() => server.publish(qos, qos + 1))) - idle;
      assert.deepEqual(device.lines.slice(before), ['sent', 'heard']);
    }
    return found;
  } finally {
    await device.close();
  }
}
