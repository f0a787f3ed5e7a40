// Stands in for a device that preloads: the module's body runs, everything that it leaves behind becomes read-only, the
// prototypes of the language too, and only then does the device run. In a realm of Node, and in XS where it is built.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generate, type Packet, parser } from 'mqtt-packet';
import { bundle } from '../../targets/bundler/bundle.ts';
import { memoryPair } from '../platform/memory-pair.ts';
import { EndToEndServer } from '../support/end-to-end-server.ts';
import { preload } from '../support/preload.ts';
import { VmMachine } from '../support/vm-machine.ts';
import { type Machine, XsDevice } from '../support/xs-device.ts';
import { Xsnap, xsnapPath } from '../support/xsnap.ts';

const moduleOf = async (name: string) => {
  const entry = `${import.meta.dirname}/preload/${name}.ts`;
  return preload((await bundle({ entry, target: 'moddable', format: 'esm' })).code);
};

const freezer = async () =>
  (
    await bundle({
      entry: `${import.meta.dirname}/preload/freeze.ts`,
      target: 'moddable',
      format: 'iife',
      globalName: 'preload',
    })
  ).code;

/** With a name for its exports: the device's module calls what it makes, and is not part of it. */
const guest = async () => {
  const entry = `${import.meta.dirname}/preload/guest.ts`;
  return (await bundle({ entry, target: 'moddable', format: 'iife', globalName: 'guest' })).code;
};

/** What `code` evaluates to: a list of texts. */
async function listOf(machine: Machine, code: string): Promise<string[]> {
  const { reply } = await machine.evaluate(`new TextEncoder().encode(JSON.stringify(${code})).buffer`);
  return JSON.parse(reply.toString());
}

async function preloaded(machine: Machine, name: string): Promise<string[]> {
  await machine.evaluate(await freezer());
  await machine.evaluate((await moduleOf(name)).script);
  return listOf(machine, 'preload.freezeScope(moduleScope)');
}

const MACHINES: readonly [string, () => Machine, string | false][] = [
  ['a realm of Node', () => new VmMachine(), false],
  ['XS', () => new Xsnap(), xsnapPath ? false : 'no xsnap-worker: set XSNAP, or let .ci/run build it'],
];

for (const [name, make, skip] of MACHINES) {
  test(`in ${name}, the end-to-end script passes once the module is read-only`, { skip }, async (context) => {
    const machine = make();
    await preloaded(machine, 'app');
    const server = await EndToEndServer.start();
    const connect = () => {
      const [near, far] = memoryPair();
      server.accept(far);
      return near;
    };
    const code = await guest();
    const device = new XsDevice({ machine, code, connect, stepMillis: 20 });
    context.after(() => Promise.all([device.close(), server.close()]));
    await device.load();
    await device.command([
      'start',
      { program: 'end-to-end', endpoint: { host: '10.0.0.1', port: 1 }, ...server.device },
    ]);
    await device.until(/^end|^aborted/);
    server.judge(device.lines);
    assert.deepEqual(await listOf(machine, 'preload.changed()'), []);
  });

  test(`in ${name}, so does a device with every module`, { skip }, async (context) => {
    const machine = make();
    await preloaded(machine, 'app');
    const code = await guest();
    const device = new XsDevice({ machine, code, connect: talkative, stepMillis: 20 });
    context.after(() => device.close());
    await device.load();
    await device.command(['start', { program: 'whole', endpoint: { host: '10.0.0.1', port: 1 } }]);
    await device.until(/^published|^aborted/);
    assert.deepEqual(device.lines.sort(), ['published, true', 'routed x', 'signed 16,20,32']);
    assert.deepEqual(await listOf(machine, 'preload.changed()'), []);
  });

  test(`in ${name}, a table or a buffer in module scope that is written to later is found`, {
    skip,
  }, async (context) => {
    const machine = make();
    context.after(() => machine.close());
    const unfrozen = await preloaded(machine, 'planted');
    assert.ok(unfrozen.length > 0, 'the planted table was not noticed');
    await assert.rejects(machine.evaluate('app.plants.table()'), /TypeError|not extensible|read-only|not writable/);
    assert.deepEqual(await listOf(machine, 'preload.changed()'), []);
    await machine.evaluate('app.plants.scratch()');
    assert.equal((await listOf(machine, 'preload.changed()')).length, 1);
  });
}

test('no variable in module scope is assigned to once the body has run; a planted one is found', async () => {
  assert.deepEqual((await moduleOf('app')).reassigned, []);
  assert.equal((await moduleOf('planted')).reassigned.length, 1);
});

/** A server that takes everything, and sends a message once it has got one. */
function talkative() {
  const [near, far] = memoryPair();
  const reader = parser({ protocolVersion: 4 });
  const send = (packet: Packet) => far.write(generate(packet));
  reader.on('packet', (packet) => {
    const { messageId = 0 } = packet;
    if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
    if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId, granted: [1] });
    if (packet.cmd !== 'publish') return;
    send({ cmd: 'puback', messageId });
    send({ cmd: 'publish', topic: 'down/x', payload: 'y', qos: 1, messageId: 5, dup: false, retain: false });
  });
  far.on('data', (bytes) => reader.parse(bytes));
  far.on('error', () => {});
  return near;
}
