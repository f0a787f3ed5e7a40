// Keep-alive by two clocks (3.1.2.10), without a machine around it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketType } from '../../src/framing/packet.ts';
import { KeepAlive, Verdict } from '../../src/protocol/keep-alive.ts';

const SECOND = 1_000;

function started(seconds: number, pingTimeout = 2 * SECOND, now = 0): KeepAlive {
  const it = new KeepAlive();
  it.start(seconds, pingTimeout, now);
  return it;
}

test('[MQTT-3.1.2-23] a ping is due a tenth of the interval early, at most five seconds', () => {
  assert.equal(started(10).next(), 9 * SECOND);
  assert.equal(started(1_200).next(), 1_195 * SECOND);
  assert.equal(started(65_535).next(), 65_530 * SECOND);
});

test('[3.1.2.10] a keep-alive of 0 never asks for anything', () => {
  const it = started(0);
  assert.equal(it.next(), undefined);
  assert.equal(it.check(2 ** 31), Verdict.Idle);
});

test('[MQTT-3.1.2-23] PUBLISH, PUBACK, SUBSCRIBE and PINGREQ put the next ping off, no other packet does', () => {
  const counted: readonly number[] = [PacketType.Publish, PacketType.Puback, PacketType.Subscribe, PacketType.Pingreq];
  for (let type = PacketType.Connect; type <= PacketType.Disconnect; type++) {
    const it = started(100);
    it.received(4 * SECOND);
    it.sent(type, 3 * SECOND);
    it.answered();
    assert.equal(it.next(), (counted.includes(type) ? 98 : 95) * SECOND, `type ${type}`);
  }
});

test('[MQTT-3.1.2-23] received packets do not put a ping off, nor does sending alone hide a silent server', () => {
  const receiving = started(100);
  receiving.received(50 * SECOND);
  assert.equal(receiving.next(), 95 * SECOND);
  const sending = started(100);
  sending.sent(PacketType.Publish, 50 * SECOND);
  assert.equal(sending.next(), 95 * SECOND);
});

test('[3.1.2.10] without an answer to a ping the server is dead when the time-out ends, not before', () => {
  const it = started(10);
  it.sent(PacketType.Pingreq, 9 * SECOND);
  assert.equal(it.check(11 * SECOND - 1), Verdict.Idle);
  assert.equal(it.check(11 * SECOND), Verdict.Dead);
});

test('[3.1.2.10] once a ping is answered the silence of the server counts from the ping; an answer to none changes nothing', () => {
  const it = started(10);
  it.sent(PacketType.Pingreq, 9 * SECOND);
  it.received(10 * SECOND);
  it.answered();
  assert.equal(it.next(), 18 * SECOND);
  it.sent(PacketType.Publish, 12 * SECOND);
  assert.equal(it.next(), 18 * SECOND);
  it.received(13 * SECOND);
  it.answered();
  assert.equal(it.next(), 21 * SECOND);
});

test('[3.1.2.10] the time-out of a ping is never longer than the keep-alive', () => {
  const it = started(10, 3_600 * SECOND);
  it.sent(PacketType.Pingreq, 9 * SECOND);
  assert.equal(it.next(), 18 * SECOND);
});

test('[3.1.2.10] bytes after a ping, or a host that slept, get another ping instead of a verdict', () => {
  const alive = started(10);
  alive.sent(PacketType.Pingreq, 9 * SECOND);
  alive.received(9 * SECOND);
  assert.equal(alive.check(11 * SECOND), Verdict.Ping);
  const asleep = started(10);
  asleep.sent(PacketType.Pingreq, 9 * SECOND);
  assert.equal(asleep.check(13 * SECOND), Verdict.Dead);
  assert.equal(asleep.check(13 * SECOND + 1), Verdict.Ping);
});

test('the clock may wrap at any time', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 32 - 1 }), fc.nat(20_000), fc.nat(40_000), (start, sent, checked) => {
      const verdicts = [0, start].map((zero) => {
        const it = started(10, 2 * SECOND, zero);
        it.sent(PacketType.Pingreq, (zero + sent) >>> 0);
        return [it.check((zero + checked) >>> 0), ((it.next() ?? 0) - zero) >>> 0];
      });
      assert.deepEqual(verdicts[0], verdicts[1]);
    }),
  );
});
