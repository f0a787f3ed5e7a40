// The bundled slice in a world that has nothing but the language, against a scripted server outside of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInContext } from 'node:vm';
import { generate, type Packet, parser } from 'mqtt-packet';
import type { Target } from '../../targets/bundler/hosts.ts';
import type { Host, run } from './apps/device.ts';
import { bareWorld, script } from './support.ts';

const ABSENT = 'Buffer process setTimeout setInterval setImmediate TextEncoder TextDecoder require queueMicrotask URL';

/** The answers of a server that takes everything. */
function answer(packet: Packet): Packet | undefined {
  const { messageId = 0 } = packet;
  switch (packet.cmd) {
    case 'connect':
      return { cmd: 'connack', returnCode: 0, sessionPresent: false };
    case 'subscribe':
      return { cmd: 'suback', messageId, granted: packet.subscriptions.map((it) => it.qos) };
    case 'publish':
      return packet.qos === 1 ? { cmd: 'puback', messageId } : undefined;
    case 'pingreq':
      return { cmd: 'pingresp' };
  }
  return undefined;
}

async function start(target: Target, mangle: boolean) {
  const context = bareWorld(target);
  for (const name of ABSENT.split(' ')) assert.equal(runInContext(`typeof ${name}`, context), 'undefined', name);
  runInContext(await script('test/bundler/apps/device.ts', target, mangle), context);
  const app = runInContext('app', context) as { run: typeof run };
  const received: Packet[] = [];
  const told: string[] = [];
  let send = (_: Packet): void => {};
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet) => {
    received.push(packet);
    const reply = answer(packet);
    if (reply) send(reply);
  });
  reader.on('error', (error) => {
    throw error;
  });
  const host: Host = {
    connected: (peer) => {
      send = (packet) => peer.send([...generate(packet)]);
    },
    received: (bytes) => void reader.parse(Buffer.from(bytes)),
    tell: (event, detail) => told.push(`${event} ${detail}`.trim()),
  };
  return { device: app.run(host), received, told, send: (packet: Packet) => send(packet) };
}

for (const [target, mangle] of [
  ['es2022', true],
  ['es2022', false],
  ['espruino', true],
  ['espruino', false],
  ['duktape', true],
  ['hermes', true],
  ['es5', true],
  ['es5', false],
] as const) {
  const names = `${target}, ${mangle ? 'short' : 'full'} names:`;

  test(`${names} with nothing but the language, a device connects, subscribes, publishes and receives`, async () => {
    const { device, received, told, send } = await start(target, mangle);
    device.advance(10);
    assert.deepEqual(told, ['connected', 'subscribed']);
    assert.equal(received[0]!.cmd, 'connect');

    device.publish('up/0', 'zero', 0);
    device.publish('up/1', 'eins – é', 1);
    device.advance(10);
    const published = received.filter((it) => it.cmd === 'publish');
    assert.deepEqual(
      published.map((it) => [it.topic, it.qos, String(it.payload)]),
      [
        ['up/0', 0, 'zero'],
        ['up/1', 1, 'eins – é'],
      ],
    );
    assert.deepEqual(told.slice(2), ['published up/0', 'published up/1']);

    const message = { cmd: 'publish', retain: false, dup: false, payload: Buffer.from([1, 2, 255]) } as const;
    send({ ...message, topic: 'down/é', qos: 0 });
    send({ ...message, topic: 'down/1', qos: 1, messageId: 77 });
    device.advance(10);
    assert.deepEqual(told.slice(4), ['message down/é 0 1,2,255', 'message down/1 1 1,2,255']);
    assert.deepEqual(
      received.filter((it) => it.cmd === 'puback').map((it) => it.messageId),
      [77],
    );

    device.advance(400_000); // The keep-alive is 360 s.
    assert.ok(received.some((it) => it.cmd === 'pingreq'));
    device.close();
    device.advance(10_000);
    assert.equal(received.at(-1)!.cmd, 'disconnect');
    assert.deepEqual(told.slice(6), ['disconnected', 'closed']);
  });

  test(`${names} with nothing but the language, the signature is that of vector T1`, async () => {
    const { device } = await start(target, mangle);
    assert.equal(device.sign(), 'FAFD82A3D602B37FB0FA8B7892F24A477F851A14');
  });
}
