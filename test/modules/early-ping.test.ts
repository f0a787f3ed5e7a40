// Pings that ride with a publish: what is sent when, and how often the device wakes up for it, in virtual time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alarm } from '../../src/adapters/adapter.ts';
import type { QoS } from '../../src/index.ts';
import { VirtualTime } from '../../src/memory.ts';
import { pingEarly } from '../../src/patience.ts';
import { obligingly } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

const HOUR = 3_600_000;

/** Of a keep-alive of 300 s: a ping leaves five seconds before it ends. */
const DUE = 295;

class CountedTime extends VirtualTime {
  readonly wakeUps = new Set<number>();

  override alarm(ring: () => void): Alarm {
    return super.alarm(() => {
      this.wakeUps.add(this.now());
      ring();
    });
  }
}

interface Device {
  readonly slackMillis?: number;
  /** It publishes every so many seconds; 0 for never. */
  readonly every: number;
  readonly qos?: QoS;
}

/** Two hours of a device: when it pings, in seconds, and at how many instants it is awake. */
function twoHours({ slackMillis, every, qos = 0 }: Device) {
  const time = new CountedTime();
  const it = world({ keepAliveSeconds: 300 }, {}, time);
  if (slackMillis !== undefined) pingEarly(it.client, slackMillis);
  const pings: number[] = [];
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'pingreq') pings.push(time.now() / 1_000);
    obligingly(packet, connection);
  };
  it.connect();
  const publish = () => {
    time.wakeUps.add(time.now());
    it.client.publish('from/device', 'state', { qos });
    time.schedule(1_000 * every, publish);
  };
  if (every > 0) time.schedule(1_000 * every, publish);
  time.advance(2 * HOUR);
  assert.deepEqual(it.disconnects, []);
  return { pings, wakeUps: time.wakeUps.size };
}

test('a device that only sends pings with what it sends, and never wakes up for a ping alone', () => {
  const { pings, wakeUps } = twoHours({ every: 23, slackMillis: 23_000 });
  assert.ok(pings.length > 20);
  assert.ok(pings.every((at) => at % 23 === 0));
  const silences = pings.map((at, index) => at - (pings[index - 1] ?? 0));
  assert.ok(silences.every((it) => it > DUE - 23 && it <= DUE));
  assert.equal(wakeUps, Math.floor(7_200 / 23));
  const late = twoHours({ every: 23 });
  assert.ok(late.wakeUps > wakeUps + 20);
});

test('a slack shorter than the wait for the next packet changes nothing', () => {
  // The packet before falls to 10 s before a ping is due.
  assert.deepEqual(twoHours({ every: 57, slackMillis: 9_999 }).pings[0], DUE);
  assert.deepEqual(twoHours({ every: 57, slackMillis: 10_000 }).pings[0], 285);
});

test('an idle device pings as it did, whatever the slack: no ping follows upon a ping', () => {
  const plain = twoHours({ every: 0 });
  for (const slackMillis of [0, 30_000, HOUR]) assert.deepEqual(twoHours({ every: 0, slackMillis }), plain);
  assert.ok(plain.pings.length > 20);
});

test('no ping is sent beside a publish whose acknowledgement is awaited', () => {
  assert.deepEqual(twoHours({ every: 280, qos: 1, slackMillis: HOUR }).pings, []);
});

test('the most of a slack is half of the interval', () => {
  const { pings } = twoHours({ every: 10, slackMillis: HOUR });
  assert.equal(pings[0], 150);
});

test('a slack that is none is refused', () => {
  for (const slackMillis of [-1, 0.5, HOUR + 1, Number.NaN]) {
    assert.throws(() => twoHours({ every: 0, slackMillis }), { code: 'bad-option', message: /slackMillis must be/ });
  }
});
