// What a device takes in XS, in slots and steps of the engine, the same in every run: for the budget and the benches.

import { generate, type Packet, parser } from 'mqtt-packet';
import { memoryPair } from '../platform/memory-pair.ts';
import { bundleOf } from './bundles.ts';
import { XsDevice } from './xs-device.ts';

/** Virtual time goes on by so much at once. */
export const STEP_MILLIS = 20;

export const xsProgram = async (name: string): Promise<string> =>
  (await bundleOf(`test/targets/xs/${name}.ts`, 'moddable')).code;

/** A stream to a server that accepts CONNECT and acknowledges what is published. */
function politeServer() {
  const [near, far] = memoryPair();
  const reader = parser({ protocolVersion: 4 });
  const send = (packet: Packet) => far.write(generate(packet));
  reader.on('packet', (packet) => {
    if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    if (packet.cmd === 'publish') send({ cmd: 'puback', messageId: packet.messageId! });
  });
  far.on('data', (bytes) => reader.parse(bytes));
  far.on('error', () => {});
  return near;
}

export interface XsFigures {
  /** Slots of the heap in use, loaded and connected. */
  readonly loadedSlots: number;
  readonly connectedSlots: number;
  /** Steps of the engine: to load and connect, and to publish 100 bytes of QoS 1. */
  readonly connectCompute: number;
  readonly publishCompute: number;
  /** Slots that such a publish fills, up to its acknowledgement: what is allocated, the bridge's part included. */
  readonly publishSlots: number;
}

/** Of the device and the bridge that connects it to its test. */
async function measure(name: string): Promise<XsFigures> {
  const device = new XsDevice({ code: await xsProgram(name), connect: politeServer, stepMillis: STEP_MILLIS });
  try {
    const { empty, loaded } = await device.load();
    await device.command(['start', { endpoint: { host: '10.0.0.1', port: 8883 } }]);
    if (name === 'empty') await device.step();
    else await device.until(/^connected$/);
    const connectCompute = device.compute;
    await device.step();
    await device.collect();
    const connectedSlots = device.heapCount - empty;
    const before = { compute: device.compute, slots: device.heapCount };
    if (name !== 'empty') {
      await device.command(['act', 'publish']);
      await device.until(/^published$/);
    }
    return {
      loadedSlots: loaded - empty,
      connectedSlots,
      connectCompute,
      publishCompute: device.compute - before.compute,
      publishSlots: device.heapCount - before.slots,
    };
  } finally {
    await device.close();
  }
}

/** What a device takes beside what the bridge takes alone. */
export async function xsFigures(name: 'slice' | 'whole'): Promise<XsFigures> {
  const bridge = await measure('empty');
  const both = await measure(name);
  const figures = Object.entries(both).map(([figure, value]) => [figure, value - bridge[figure as keyof XsFigures]]);
  return Object.fromEntries(figures) as unknown as XsFigures;
}
