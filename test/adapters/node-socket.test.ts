// What the errors of Node's sockets mean.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkError } from '../../src/adapters/node-socket.ts';

const system = (code: string, syscall?: string) =>
  Object.assign(new Error(`${syscall} ${code}`), syscall ? { code, syscall } : { code });

test('a closed port of a host with several addresses is a closed port, over TLS too', () => {
  const errors = [system('ECONNREFUSED', 'connect'), system('ECONNREFUSED', 'connect')];
  const error = Object.assign(new AggregateError(errors), { code: 'ECONNREFUSED' });
  for (const tls of [false, true]) {
    const { code, reason, message, cause } = networkError(error, false, tls);
    assert.deepEqual([code, reason, message], ['tcp', 'econnrefused', 'connect ECONNREFUSED']);
    assert.equal(cause, error);
  }
});

test('errors are told apart by what was being done', () => {
  const cases = [
    [system('ENOTFOUND', 'getaddrinfo'), false, true, 'dns', 'enotfound'],
    [system('ETIMEDOUT', 'connect'), false, true, 'tcp', 'etimedout'],
    [system('CERT_HAS_EXPIRED'), false, true, 'tls', 'expired'],
    [system('ERR_SSL_WRONG_VERSION_NUMBER'), false, true, 'tls', 'handshake'],
    [system('ECONNRESET', 'read'), false, true, 'tls', 'handshake'],
    [system('ECONNRESET', 'read'), true, true, 'tcp', 'econnreset'],
    [new Error('odd'), true, false, 'tcp', undefined],
  ] as const;
  for (const [error, wasOpen, tls, code, reason] of cases) {
    const made = networkError(error, wasOpen, tls);
    assert.deepEqual([made.code, made.reason, made.cause], [code, reason, error]);
  }
});
