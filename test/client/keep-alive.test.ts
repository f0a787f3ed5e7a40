// Keep-alive of the client (3.1.2.10, platform rows 15, 16, 23, 25, 27) in virtual time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { Client, deviceSecret, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { lengthenKeepAlive } from '../../src/patience.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

const identity = deviceSecret({ productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' });
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What the platform counts. */
const COUNTED: readonly Packet['cmd'][] = ['publish', 'subscribe', 'pingreq', 'puback'];

test('[row 15] keep-alive of 30 and 1200 s is accepted; 0, 29, 1201, 65535 and 30.5 are refused with a reason', () => {
  for (const keepAliveSeconds of [30, 1_200]) {
    const it = world({ identity, keepAliveSeconds });
    it.connect();
    assert.equal(it.server.current.of('connect')[0]?.keepalive, keepAliveSeconds);
    it.client.abort();
  }
  for (const keepAliveSeconds of [0, 29, 1_201, 65_535, 30.5, Number.NaN]) {
    assert.throws(() => world({ identity, keepAliveSeconds }), {
      code: 'bad-option',
      message: `keepAliveSeconds must be a whole number from 30 to 1200, not ${keepAliveSeconds}`,
    });
  }
});

test('[row 15] an identity without a platform allows what the standard does: 0 to 65535', () => {
  for (const keepAliveSeconds of [0, 1, 65_535]) assert.ok(world({ keepAliveSeconds }));
  for (const keepAliveSeconds of [-1, 65_536]) assert.throws(() => world({ keepAliveSeconds }), { code: 'bad-option' });
});

test('[row 16] the default keep-alive is above 300 s', () => {
  const it = world({ identity });
  it.connect();
  assert.equal(it.server.current.of('connect')[0]?.keepalive, 360);
});

test('[row 16] repeated silent losses lengthen the keep-alive up to its limit, and say so', () => {
  const it = world({ identity, keepAliveSeconds: 400, reconnect: { stableMillis: 0 } });
  lengthenKeepAlive(it.client);
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  };
  it.connect();
  it.time.advance(6 * HOUR);
  const asked = it.server.connections.map((connection) => connection.of('connect')[0]?.keepalive);
  assert.deepEqual(asked.slice(0, 6), [400, 400, 800, 800, 1_200, 1_200]);
  assert.ok(asked.every((seconds) => seconds !== undefined && seconds <= 1_200));
  assert.equal(it.warnings.filter(({ code }) => code === 'keep-alive-lengthened').length, 2);
});

test('[row 23] an idle client sends a counted packet in every keep-alive interval, for hours', () => {
  for (const keepAliveSeconds of [30, 300, 1_200]) {
    const it = world({ identity, keepAliveSeconds });
    let last = 0;
    let longest = 0;
    it.connect();
    const { respond } = it.server;
    it.server.respond = (packet, connection) => {
      longest = Math.max(longest, it.time.now() - last);
      last = it.time.now();
      respond(packet, connection);
    };
    it.time.advance(12 * HOUR);
    assert.ok(longest > 0 && longest <= keepAliveSeconds * 1_000, `${longest} ms`);
    assert.equal(it.connects, 1);
    assert.equal(it.server.current.received.length, 1 + it.server.current.of('pingreq').length);
  }
});

for (const cmd of ['publish', 'subscribe', 'puback'] as const) {
  test(`[row 25] ${cmd.toUpperCase()} puts the next PINGREQ off`, () => {
    const it = world({ identity, keepAliveSeconds: 100 });
    it.server.respond = obligingly;
    it.connect();
    for (let n = 0; n < 20; n++) {
      it.time.advance(60_000);
      if (cmd === 'publish') it.client.publish('/pk/device/user/update', 'x', { qos: 1 });
      if (cmd === 'subscribe') it.client.subscribe(`/pk/device/user/${n}`);
      if (cmd === 'puback') {
        const message = { topic: 't', payload: 'x', qos: 1, messageId: n + 1, dup: false, retain: false } as const;
        it.server.current.send({ cmd: 'publish', ...message });
      }
      it.settle();
    }
    assert.equal(it.server.current.of('pingreq').length, 0);
    assert.equal(it.server.current.of(cmd).length, 20);
  });
}

test('[row 25] UNSUBSCRIBE does not: pings go on beside it', () => {
  const it = world({ identity, keepAliveSeconds: 100 });
  it.server.respond = obligingly;
  it.connect();
  let lastCounted = 0;
  let longest = 0;
  it.server.respond = (packet, connection) => {
    if (COUNTED.includes(packet.cmd)) {
      longest = Math.max(longest, it.time.now() - lastCounted);
      lastCounted = it.time.now();
    }
    obligingly(packet, connection);
  };
  for (let n = 0; n < 60; n++) {
    it.time.advance(10_000);
    it.client.unsubscribe(`/pk/device/user/${n}`);
    it.settle();
  }
  assert.equal(it.server.current.of('unsubscribe').length, 60);
  assert.ok(longest <= 100_000, `${longest} ms without a counted packet`);
});

test('[row 27] a half-open link is found by a missing PINGRESP, sooner than the server would cut', () => {
  const it = world({ identity, keepAliveSeconds: 300, pingTimeoutMillis: 10_000 });
  it.connect();
  it.server.respond = () => {};
  const start = it.time.now();
  it.time.advance(300_000 + 10_000);
  assert.equal(it.disconnects[0]?.code, 'pingresp-timeout');
  assert.equal(it.disconnects[0]?.wasConnected, true);
  assert.ok(it.time.now() - start < 450_000);
});

test('[3.1.2.10] [pain 3] a dead peer is found while the client is busy sending', () => {
  const it = world({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 });
  it.connect();
  it.server.respond = () => {};
  for (let n = 0; n < 80 && it.disconnects.length === 0; n++) {
    it.client.publish('t', 'x');
    it.time.advance(1_000);
  }
  assert.equal(it.disconnects[0]?.code, 'pingresp-timeout');
});

test('[MQTT-3.1.2-23] [pain 1] packets that only come in do not put a PINGREQ off', () => {
  const it = world({ keepAliveSeconds: 60 });
  it.connect();
  for (let n = 0; n < 600; n++) {
    it.server.current.send({ cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false });
    it.time.advance(1_000);
  }
  assert.equal(it.server.current.of('pingreq').length, Math.floor(600 / 55));
  assert.equal(it.connects, 1);
});

test('[3.1.2.10] keep-alive 0 arms no timer', () => {
  const it = world({ keepAliveSeconds: 0 });
  it.connect();
  assert.equal(it.time.pending(), 0);
  it.time.advance(24 * HOUR);
  assert.deepEqual(
    it.server.current.received.map(({ cmd }) => cmd),
    ['connect'],
  );
});

test('an idle connected client holds one host timer', () => {
  const it = world({ identity });
  it.server.respond = obligingly;
  it.client.subscribe('/pk/device/user/get');
  it.client.publish('/pk/device/user/update', 'x', { qos: 1 });
  it.connect();
  assert.equal(it.time.pending(), 1);
  it.time.advance(6 * HOUR);
  assert.equal(it.time.pending(), 1);
});

test('an hour of publishing wakes the host only when a ping is due, and sets its timer seldom', () => {
  const time = new VirtualTime();
  let sets = 0;
  let rings = 0;
  const alarm = (ring: () => void) => {
    const inner = time.alarm(() => {
      rings++;
      ring();
    });
    return {
      set: (after: number) => {
        sets++;
        inner.set(after);
      },
      clear: () => inner.clear(),
    };
  };
  const server = new ScriptedServer();
  const adapter = { ...memoryAdapter({ time, accept: server.accept }), alarm };
  const it = world({ identity, keepAliveSeconds: 300, adapter }, {}, time);
  it.connect();
  for (let n = 0; n < 3_600; n++) {
    it.client.publish('/pk/device/user/update', 'x');
    it.time.advance(1_000);
  }
  const pings = server.current.of('pingreq').length;
  assert.equal(pings, 12);
  assert.equal(rings, pings);
  assert.ok(sets <= 40, `${sets} settings`);
});

test('[pain 4] a suspended host that wakes up late asks once more before it gives the link up', () => {
  const it = world({ keepAliveSeconds: 60, pingTimeoutMillis: 10_000 });
  it.connect();
  it.time.advance(56_000); // The first ping is answered.
  it.server.respond = () => {};
  it.time.advance(55_000); // The second is not, yet.
  it.time.jump(HOUR);
  it.server.respond = (packet, connection) => packet.cmd === 'pingreq' && connection.send({ cmd: 'pingresp' });
  it.client.poke();
  it.settle();
  assert.equal(it.disconnects.length, 0);
  assert.equal(it.client.stats().state, 'connected');
});

test('the uint32 clock wraps in the middle of everything', () => {
  const it = world({ keepAliveSeconds: 60 }, {}, new VirtualTime(2 ** 32 - 90_000));
  it.connect();
  it.time.advance(10 * MINUTE);
  assert.equal(it.connects, 1);
  assert.equal(it.disconnects.length, 0);
  assert.equal(it.server.current.of('pingreq').length, 10);
});

test('a keep-alive of 4 s pings in time', () => {
  const it = world({ keepAliveSeconds: 4 });
  it.connect();
  it.time.advance(36_000);
  assert.equal(it.server.current.of('pingreq').length, 10);
  assert.equal(it.connects, 1);
});

test('a client is made without a host timer being set', () => {
  const time = new VirtualTime();
  const adapter = memoryAdapter({ time, accept: () => true });
  new Client({ adapter, endpoints: [{ host: 'h', port: 1 }], identity: plainIdentity({ clientId: 'c' }) });
  assert.equal(time.pending(), 0);
});
