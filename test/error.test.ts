import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asMqttError, malformed, mqttError, unexpected } from '../src/error.ts';

test('an error is an Error whose code and details are fields of its own', () => {
  const cause = { code: 'ECONNRESET' };
  const error = mqttError('tcp', 'connection lost', { cause, reason: 'reset' });
  assert.equal(error instanceof Error, true);
  assert.equal(error.message, 'connection lost');
  assert.deepEqual({ ...error }, { name: 'MqttError', code: 'tcp', cause, reason: 'reset' });
  assert.equal(error.cause, cause);
});

test('an error without details has a code and nothing else', () => {
  assert.deepEqual({ ...mqttError('closed', 'closed') }, { name: 'MqttError', code: 'closed' });
});

test('without a text the code is the message', () => {
  assert.equal(mqttError('closed', '').message, 'closed');
});

test('[MQTT-4.8.0-1] a violation by the server names the clause that was broken', () => {
  for (const [make, code] of [
    [malformed, 'malformed-packet'],
    [unexpected, 'unexpected-packet'],
  ] as const) {
    const error = make('why', 'MQTT-3.2.2-4');
    assert.equal(error.message, 'why');
    assert.deepEqual({ ...error }, { name: 'MqttError', code, clause: 'MQTT-3.2.2-4' });
  }
});

test('what is thrown is taken as it is where it is ours, and wrapped where it is not, whatever it is', () => {
  const ours = mqttError('tcp', 'reset');
  assert.equal(asMqttError(ours), ours);
  for (const thrown of [null, undefined, 7, 'text', Object.assign(new Error('ENOENT'), { code: 'ENOENT' })]) {
    const { code, cause } = asMqttError(thrown);
    assert.deepEqual([code, cause], ['host-failed', thrown]);
  }
});
