// Memory that packets share on their way out: never that of a packet which somebody still needs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import { publishPacket } from '../../src/framing/packet.ts';
import { Slab } from '../../src/framing/slab.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

function packet(slab: Slab, size: number, fill: number): Uint8Array {
  slab.reserve(size);
  slab.bytes.fill(fill, slab.at, slab.at + size);
  slab.at += size;
  return slab.packet(size);
}

test('small packets lie one behind another, and one that is not needed any more makes room', () => {
  const slab = new Slab();
  const first = packet(slab, 100, 1);
  const second = packet(slab, 50, 2);
  assert.deepEqual([second.buffer, second.byteOffset], [first.buffer, 100]);
  slab.reuse(second);
  slab.reuse(second);
  const third = packet(slab, 60, 3);
  assert.deepEqual([third.buffer, third.byteOffset], [first.buffer, 100]);
  slab.reuse(first); // Behind it lies one that is needed.
  assert.equal(packet(slab, 10, 4).byteOffset, 160);
});

test('a large packet has memory of its own, which the next one gets, unless it is very large', () => {
  const slab = new Slab();
  packet(slab, 10, 1);
  const large = packet(slab, 65_536, 2);
  assert.equal(large.buffer.byteLength, 65_536);
  slab.reuse(large);
  assert.equal(packet(slab, 60_000, 3).buffer, large.buffer);
  const veryLarge = packet(slab, 200_000, 4);
  slab.reuse(veryLarge);
  assert.equal(slab.bytes.length, 0);
  assert.notEqual(packet(slab, 10, 5).buffer, veryLarge.buffer);
});

test('whatever is done with packets, no one changes that is still needed', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 2, max: 9_000 }), fc.boolean(), fc.integer({ min: 0, max: 3 })));
  fc.assert(
    fc.property(steps, (all) => {
      const slab = new Slab();
      const needed: { bytes: Uint8Array; fill: number }[] = [];
      all.forEach(([size, isDone, back], index) => {
        const fill = index % 256;
        needed.push({ bytes: packet(slab, size, fill), fill });
        if (!isDone) return;
        const [gone] = needed.splice(Math.max(0, needed.length - 1 - back), 1);
        slab.reuse(gone!.bytes);
      });
      for (const { bytes, fill } of needed) assert.ok(bytes.every((byte) => byte === fill));
    }),
  );
});

test('a framing that is told so encodes the next packet where the last one was', () => {
  const framing = mqttPacketFraming();
  const publish = (text: string) =>
    framing.encode(publishPacket({ topic: 't', payload: bytesOf(text), qos: 0, retain: false }, 0));
  const first = publish('first');
  framing.reuse!(first);
  const second = publish('other');
  assert.deepEqual([second.buffer, second.byteOffset], [first.buffer, first.byteOffset]);
  assert.deepEqual(publish('third').byteOffset, second.byteOffset + second.length);
  assert.deepEqual(second, Uint8Array.of(0x30, 8, 0, 1, 0x74, ...bytesOf('other')));
});
