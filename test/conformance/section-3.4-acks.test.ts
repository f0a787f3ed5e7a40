// PUBACK, PUBREC, PUBREL and PUBCOMP (3.4 to 3.7): their bytes, and those that do not fit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bench, connected, online, publish, receive, reconnect, sent } from './support.ts';

test('[MQTT-3.6.1-1] PUBREL has the flags 0010, at its first sending and at every other', () => {
  const it = online();
  it.client.publish('t', 'x', { qos: 2 });
  it.settle();
  receive(it, { cmd: 'pubrec', messageId: 1 });
  assert.deepEqual([...it.server.current.bytes.subarray(-4)], [0x62, 2, 0, 1]);
  reconnect(it, true);
  assert.deepEqual([...it.server.current.bytes.subarray(-4)], [0x62, 2, 0, 1]);
});

/** A server's packet that does not fit the state of the message with identifier 1. */
const misfits: readonly (readonly [what: string, prepare: (it: Bench) => unknown, digits: string])[] = [
  ['PUBREC for QoS 1', (it) => it.publish(), '50020001'],
  ['PUBCOMP for QoS 1', (it) => it.publish(), '70020001'],
  ['PUBACK for QoS 2', (it) => it.publish({ qos: 2 }), '40020001'],
  ['PUBCOMP before PUBREL', (it) => it.publish({ qos: 2 }), '70020001'],
  ['PUBACK after PUBREL', (it) => [it.publish({ qos: 2 }), it.feed('50020001')], '40020001'],
  ['PUBREL before PUBREC', (it) => it.feed('34050001740001'), '62020001'],
];

test('[3.4–3.7] an acknowledgement of the wrong kind closes the connection, and settles nothing', () => {
  for (const [what, prepare, digits] of misfits) {
    const it = connected();
    prepare(it);
    const [end, ...more] = it.feed(`${digits}d000`);
    assert.match(end ?? '', /^close unexpected-packet 4\.3/, what);
    assert.deepEqual(more, [], what);
  }
});

test('[3.4–3.7] what was acknowledged wrongly is sent again on the next connection', () => {
  const it = online();
  it.client.publish('t', 'x', { qos: 1 });
  it.settle();
  receive(it, { cmd: 'pubcomp', messageId: 1 });
  reconnect(it, true);
  assert.deepEqual(sent(it), ['publish 1 dup']);
});

test('[3.4–3.7] acknowledgements of unknown identifiers are counted, and settle nothing', () => {
  const it = online();
  let settled = 0;
  it.client.publish('t', 'x', { qos: 1 }, () => settled++);
  it.settle();
  receive(it, { cmd: 'puback', messageId: 7 }, { cmd: 'pubrec', messageId: 7 }, { cmd: 'pubcomp', messageId: 7 });
  assert.equal(settled, 0);
  assert.equal(it.client.stats().inFlight, 1);
  assert.equal(it.client.stats().unknownAcknowledgements, 3);
  assert.deepEqual(sent(it), ['publish 1', 'pubrel 7']);
});

test('[3.4–3.7] a client without QoS 2 closes the connection at a PUBLISH of QoS 2', () => {
  const it = online({ delivery: undefined });
  receive(it, publish({ qos: 2, messageId: 1 }));
  assert.equal(it.messages.length, 0);
  assert.equal(it.disconnects[0]?.code, 'unexpected-packet');
});
