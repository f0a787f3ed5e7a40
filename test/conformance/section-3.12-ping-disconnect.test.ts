// PINGREQ, PINGRESP and DISCONNECT (3.12 to 3.14).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, connected, ends, HOUR, MINUTE, message, online, receive, sent } from './support.ts';

test('[MQTT-3.12.4-1] a PINGRESP answers the PINGREQ: the connection stays, for hours', () => {
  const it = online({ keepAliveSeconds: 60, pingTimeoutMillis: 1_000 });
  it.time.advance(4 * HOUR);
  assert.deepEqual(ends(it), []);
  assert.deepEqual([...it.server.current.bytes.subarray(-2)], [0xc0, 0]);
  assert.equal(it.server.current.of('pingreq').length, Math.floor((4 * HOUR) / 55_000));
});

test('[MQTT-3.12.4-1] a PINGRESP that nobody has asked for is tolerated', () => {
  const it = online();
  receive(it, { cmd: 'pingresp' }, { cmd: 'pingresp' });
  assert.equal(it.client.stats().state, 'connected');
});

test('[MQTT-3.14.1-1] DISCONNECT is two bytes, e0 00', () => {
  const it = connected();
  it.connection.disconnect(0);
  assert.deepEqual(it.drain(), ['e000', 'close']);
});

test('[MQTT-3.14.4-1] after DISCONNECT the client closes the network connection', () => {
  const it = online();
  it.client.close();
  it.settle();
  assert.deepEqual(sent(it), ['disconnect']);
  assert.ok(it.server.current.closed);
});

test('[MQTT-3.14.4-2] after DISCONNECT nothing is sent, whatever comes and whatever is asked', () => {
  const it = connected();
  it.feed('320500017400 01'.replace(' ', ''));
  it.connection.disconnect(0);
  assert.deepEqual(it.drain(), ['e000', 'close']);
  it.connection.acknowledge(it.messages[0]!, 0);
  it.connection.timeout(HOUR);
  it.connection.disconnect(0);
  assert.throws(() => it.connection.publish(message(), 0), { code: 'not-connected' });
  assert.throws(() => it.connection.request({ filters: ['a'] }, 0), { code: 'not-connected' });
  assert.deepEqual(it.feed('3205000174000250020001 62020001c000ff'.replace(' ', '')), []);
});

test('[MQTT-3.14.4-2] what waits when the app closes is not sent behind DISCONNECT', () => {
  const it = online({ maxInFlight: 1 });
  for (let n = 0; n < 3; n++) it.client.publish('t', 'x', { qos: 1 });
  it.client.close();
  it.client.publish('t', 'late');
  it.client.subscribe('late');
  receive(it, { cmd: 'puback', messageId: 1 });
  it.time.advance(MINUTE);
  assert.deepEqual(sent(it), ['publish 1', 'disconnect']);
});

test('[MQTT-3.14.4-3] abort() sends no DISCONNECT, so that the server publishes the will', () => {
  const it = online({ will: message() });
  it.client.abort();
  it.settle();
  assert.deepEqual(sent(it), []);
  assert.ok(it.server.current.closed);
});

test('[MQTT-3.14.4-3] a violation ends the connection without DISCONNECT', () => {
  const it = online({ will: message() });
  receive(it, Uint8Array.of(0xff));
  assert.deepEqual(sent(it), []);
  assert.ok(it.server.connections[0]?.closed);
});

test('[3.14] a DISCONNECT from the server closes the connection', () => {
  assertRefused('e000', 'unexpected-packet MQTT-4.8.0-1');
});
