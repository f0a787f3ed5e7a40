// The bundle inside the XS engine: the end-to-end script over real sockets, and figures that are the same in every run.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { checkNearRecord } from '../bench/recorded.ts';
import { memoryPair } from '../platform/memory-pair.ts';
import { checkBudget } from '../support/budget.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { XsDevice } from '../support/xs-device.ts';
import { STEP_MILLIS, xsFigures, xsProgram } from '../support/xs-figures.ts';
import { xsMessages } from '../support/xs-messages.ts';
import { xsnapPath } from '../support/xsnap.ts';

describe('XS', { skip: xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it' }, () => {
  test('the end-to-end script passes over real sockets', async (context) => {
    const server = await EndToEndServer.start();
    const device = new XsDevice({
      code: await xsProgram('end-to-end'),
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
      const device = new XsDevice({ code: await xsProgram('end-to-end'), connect: accept, stepMillis: STEP_MILLIS });
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

  for (const name of ['slice', 'whole'] as const) {
    test(`[pain 28] slots and steps of the ${name} are the same in every run, and within their budget`, async () => {
      const [first, second] = [await xsFigures(name), await xsFigures(name)];
      assert.deepEqual(first, second);
      for (const [figure, value] of Object.entries(first)) {
        checkBudget(`xs/${name}/${figure}`, value);
        checkNearRecord('footprint', { [`xs/${name}/${figure}`]: value });
      }
    });
  }

  test('steps for a message at each QoS, out and in, are the same in every run, and within their budget', async () => {
    const [first, second] = [await xsMessages(), await xsMessages()];
    assert.deepEqual(first, second);
    for (const [figure, value] of Object.entries(first)) checkBudget(`xs/message/${figure}`, value);
  });
});
