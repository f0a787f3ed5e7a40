// The bundle inside the XS engine: the end-to-end script over real sockets, and figures that are the same in every run.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { generate, type Packet, parser } from 'mqtt-packet';
import { memoryPair } from '../platform/memory-pair.ts';
import { checkBudget } from '../support/budget.ts';
import { bundleOf } from '../support/bundles.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { XsDevice } from '../support/xs-device.ts';
import { xsnapPath } from '../support/xsnap.ts';

const program = async (name: string) => (await bundleOf(`test/targets/xs/${name}.ts`, 'moddable')).code;

/** Virtual time goes on by so much at once. */
const STEP = 20;

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

/** What a device takes, beside what the bridge takes alone. */
async function measure(name: string) {
  const device = new XsDevice({ code: await program(name), connect: politeServer, stepMillis: STEP });
  try {
    const { empty, loaded } = await device.load();
    await device.command(['start', { endpoint: { host: '10.0.0.1', port: 8883 } }]);
    if (name === 'empty') await device.step();
    else await device.until(/^connected$/);
    const connectCompute = device.compute;
    await device.step();
    await device.collect();
    const connectedSlots = device.heapCount - empty;
    const before = device.compute;
    if (name !== 'empty') {
      await device.command(['act', 'publish']);
      await device.until(/^published$/);
    }
    return { loadedSlots: loaded - empty, connectedSlots, connectCompute, publishCompute: device.compute - before };
  } finally {
    await device.close();
  }
}

describe('XS', { skip: xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it' }, () => {
  test('the end-to-end script passes over real sockets', async (context) => {
    const server = await EndToEndServer.start();
    const device = new XsDevice({
      code: await program('end-to-end'),
      connect: (host, port) => connect({ host, port }),
    });
    context.after(() => Promise.all([device.close(), server.close()]));
    await device.load();
    await device.command(['start', { endpoint: server.endpoint, ...server.device }]);
    await device.until(/^end/);
    server.judge(device.lines);
  });

  test('what the end-to-end script computes is the same in every run, and within its budget', async () => {
    const runs: number[] = [];
    for (let i = 0; i < 2; i++) {
      const server = await EndToEndServer.start();
      const accept = () => {
        const [near, far] = memoryPair();
        server.accept(far);
        return near;
      };
      const device = new XsDevice({ code: await program('end-to-end'), connect: accept, stepMillis: STEP });
      await device.load();
      const settings = { ...server.device, deviceSecret: server.device.deviceSecret };
      await device.command(['start', { endpoint: { host: '10.0.0.1', port: 1883 }, ...settings }]);
      await device.until(/^end/);
      await device.close();
      server.judge(device.lines);
      await server.close();
      runs.push(device.compute);
    }
    assert.deepEqual(new Set(runs).size, 1, `steps of the engine: ${runs}`);
    checkBudget('xs/endToEnd/compute', runs[0]!);
  });

  for (const name of ['slice', 'whole']) {
    test(`[pain 28] slots and steps of the ${name} are the same in every run, and within their budget`, async () => {
      const bridge = await measure('empty');
      const [first, second] = [await measure(name), await measure(name)];
      assert.deepEqual(first, second);
      for (const [figure, value] of Object.entries(first)) {
        const own = value - bridge[figure as keyof typeof bridge];
        checkBudget(`xs/${name}/${figure}`, own);
      }
    });
  }
});
