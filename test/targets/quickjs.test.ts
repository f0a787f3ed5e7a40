// The bundle inside QuickJS and QuickJS-ng, in this process: the end-to-end script, the example, limits and memory.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { QuickJsEngine, type QuickJsOptions, VARIANTS } from '../../targets/quickjs/engine.ts';
import { measureHeap } from '../../targets/quickjs/memory.ts';
import { checkNearRecord } from '../bench/recorded.ts';
import { makeAuthority, makeServer, type ServerCertificates } from '../platform/certificates.ts';
import { Platform } from '../platform/platform.ts';
import { checkBudget } from '../support/budget.ts';
import { bundleOf } from '../support/bundles.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';

const ENGINES = Object.keys(VARIANTS) as (keyof typeof VARIANTS)[];

const program = async (name: string): Promise<string> => (await bundleOf(`targets/bare/${name}.ts`, 'quickjs')).code;

interface Run {
  readonly lines: string[];
  readonly code: number;
}

async function run(code: string, options: Omit<QuickJsOptions, 'print' | 'exited'>): Promise<Run> {
  const lines: string[] = [];
  let exited = (_: number): void => {};
  const whenExited = new Promise<number>((resolve) => {
    exited = resolve;
  });
  const device = await QuickJsEngine.start({ ...options, print: (line) => void lines.push(line), exited });
  device.run(code);
  return { lines, code: await whenExited };
}

let certificates: ServerCertificates;
before(async () => {
  certificates = await makeServer(await makeAuthority('Root'));
});

for (const engine of ENGINES) {
  describe(engine, () => {
    test('the end-to-end script passes over TCP', async () => {
      const server = await EndToEndServer.start();
      const settings = { ...server.endpoint, ...server.device };
      const { lines, code } = await run(await program('end-to-end'), { engine, settings });
      server.judge(lines);
      assert.equal(code, 0);
      await server.close();
    });

    test('the end-to-end script passes over TLS, with the server verified', async () => {
      const { chain, privateKey, authority } = certificates;
      const server = await EndToEndServer.start({ tls: { cert: chain, key: privateKey } });
      const settings = { ...server.endpoint, host: 'localhost', ...server.device };
      const { lines } = await run(await program('end-to-end'), { engine, settings, ca: authority });
      server.judge(lines);
      await server.close();
    });

    for (const app of ['slice', 'whole']) {
      test(`once connected, the ${app} device takes no more heap than its budget`, async () => {
        const { empty, connected, debug } = await measureHeap(await program(app), engine, certificates);
        const bytes = connected - empty - debug;
        assert.ok(debug > 10_000 && bytes > 50_000, `${bytes} bytes, and ${debug} of texts and line tables`);
        checkBudget(`${engine}/${app}/heapBytes`, bytes);
        checkNearRecord('footprint', { [`${engine}/${app}/heapBytes`]: bytes });
      });
    }
  });
}

describe('the example', () => {
  const device = { productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' };
  let platform: Platform;
  before(async () => {
    platform = await Platform.start({ devices: [device] });
  });
  after(() => platform.close());

  test('holds the conversation of the three programs', async () => {
    const { host, port } = platform.endpoints.tcp;
    const { lines, code } = await run(await program('device'), { settings: { host, port, ...device } });
    assert.deepEqual(lines, [
      'warning     plaintext',
      `connected   ${host}:${port}`,
      'subscribed  /pk/device/user/get, QoS 1',
      'published   /pk/device/user/update, QoS 1: "hello from device"',
      'received    /pk/device/user/get, QoS 1: "hello from device"',
      'closed      in order',
    ]);
    assert.equal(code, 0);
  });

  test('says what is wrong with a certificate that it does not trust, and sends nothing', async () => {
    const { authority } = await makeServer(await makeAuthority('Another Root'));
    const settings = { host: 'localhost', port: platform.endpoints.private.port, ...device };
    const { lines, code } = await run(await program('device'), { settings, ca: authority });
    assert.match(lines.join('\n'), /^error: the certificate of localhost:\d+ is not signed by a trusted root/);
    assert.deepEqual([lines.length, code], [1, 1]);
    assert.equal(platform.counts.connectPackets, 1, 'that of the test before');
  });

  test('says so where nothing listens', async () => {
    const settings = { host: '127.0.0.1', port: 1, ...device };
    const { lines, code } = await run(await program('device'), { settings });
    assert.match(lines.at(-1)!, /^error: nothing listens at 127\.0\.0\.1:1/);
    assert.equal(code, 1);
  });
});

test('a program that wants more memory than it may have is ended, not the process around it', async () => {
  const settings = { host: 'localhost', port: 1, productKey: '', deviceName: '', deviceSecret: '' };
  const device = await QuickJsEngine.start({ settings, print: () => {}, exited: () => {}, memoryLimit: 200_000 });
  assert.throws(() => device.run('new Uint8Array(1e6)'), /out of memory/);
  device.close();
});
