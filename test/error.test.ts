import assert from 'node:assert/strict';
import { test } from 'node:test';
import { malformed, mqttError, unexpected } from '../src/error.ts';

test('an error is an Error whose code and details are fields of its own', () => {
  const cause = { code: 'ECONNRESET' };
  const error = mqttError('tcp', 'connection lost', { cause, reason: 'reset' });
  assert.equal(error instanceof Error, true);
  assert.equal(error.message, 'connection lost');
  assert.deepEqual({ ...error }, { code: 'tcp', cause, reason: 'reset' });
  assert.equal(error.cause, cause);
});

test('an error without details has a code and nothing else', () => {
  assert.deepEqual({ ...mqttError('closed', 'closed') }, { code: 'closed' });
});

test('[MQTT-4.8.0-1] a violation by the server names the clause that was broken', () => {
  for (const [make, code] of [
    [malformed, 'malformed-packet'],
    [unexpected, 'unexpected-packet'],
  ] as const) {
    const error = make('why', 'MQTT-3.2.2-4');
    assert.equal(error.message, 'why');
    assert.deepEqual({ ...error }, { code, clause: 'MQTT-3.2.2-4' });
  }
});
