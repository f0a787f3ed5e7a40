import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, type ErrorDetails, mqttError } from '../src/error.ts';
import { explain } from '../src/explain.ts';

/** Every code, and what is said of it without further details; the type holds the list complete. */
const GENERAL: Readonly<Record<ErrorCode, string>> = {
  'bad-option': 'MESSAGE',
  'bad-topic': 'MESSAGE: choose another topic',
  'bad-filter': 'MESSAGE: choose another filter',
  'bad-packet': 'MESSAGE',
  'packet-too-large': 'MESSAGE: send it in smaller parts, or raise the limit',
  'queue-full': 'the queue is full (MESSAGE): wait until earlier messages are done, or raise the limit of the queue',
  'window-full': 'MESSAGE: wait until one of them is acknowledged',
  'not-connected': 'MESSAGE to host:1: connect first',
  'host-failed': 'MESSAGE: see its cause',
  closed: 'MESSAGE before this was done: ask again if it is still needed',
  cancelled: 'MESSAGE',
  timeout: 'MESSAGE: try again, or allow more time',
  dropped: 'MESSAGE: publish less often, or let more wait',
  'set-aside': 'MESSAGE',
  'malformed-packet': 'host:1 sent what is not MQTT 3.1.1 (MESSAGE): check the port, and TLS or plain TCP',
  'unexpected-packet': 'host:1 broke the MQTT protocol (MESSAGE): tell whoever runs it',
  refused: 'host:1 refused the login (MESSAGE): look the code up in the manual of the platform',
  clock: 'MESSAGE',
  'enrolment-failed': 'MESSAGE: look at the device in the console of the platform',
  'subscription-refused': 'MESSAGE: check that the topic belongs to this device, and is open for subscribing',
  'connect-timeout': 'host:1 did not answer (MESSAGE): check host, port, and the firewalls on the way',
  'pingresp-timeout': 'host:1 no longer answers: the network lost the connection, connect again',
  dns: 'the host name of host:1 was not found: check its spelling, and that this device is online',
  tcp: 'the connection to host:1 failed (MESSAGE): check the network, and connect again',
  tls: 'no TLS handshake with host:1 (MESSAGE): check that this is a TLS port, 8883 or 443, not 1883',
  'closed-by-peer':
    'host:1 closed the connection: check the port, TLS or plain TCP, and that no other device uses this identity',
};

const CODES = Object.keys(GENERAL) as ErrorCode[];

const NO_ROUTE = 'host:1 cannot be reached: check the network, the host, and the firewalls on the way';

const DETAILED: readonly (readonly [ErrorCode, ErrorDetails, string])[] = [
  ['refused', { returnCode: 1 }, 'host:1 does not speak MQTT 3.1.1 (code 1): ask the platform for another endpoint'],
  [
    'refused',
    { returnCode: 2 },
    'host:1 refused the client id (code 2): check its length and characters, and TLS or plain TCP',
  ],
  [
    'refused',
    { returnCode: 3 },
    'host:1 is not available (code 3): check that it allows this keep-alive, or try again later',
  ],
  [
    'refused',
    { returnCode: 4 },
    'host:1 refused the form of user name or password (code 4): check productKey and deviceName',
  ],
  [
    'refused',
    { returnCode: 5 },
    'host:1 refused the login (code 5): check productKey, deviceName and deviceSecret, and that the device is enabled',
  ],
  ['dns', { reason: 'enotfound' }, GENERAL.dns],
  [
    'dns',
    { reason: 'eai_again' },
    'no answer from the name service about host:1: check the network and its DNS server',
  ],
  ['tcp', { reason: 'econnrefused' }, 'nothing listens at host:1: check host and port, and that the server runs'],
  ['tcp', { reason: 'ehostunreach' }, NO_ROUTE],
  ['tcp', { reason: 'enetunreach' }, NO_ROUTE],
  ['tcp', { reason: 'etimedout' }, NO_ROUTE],
  ['tcp', { reason: 'econnreset' }, GENERAL.tcp],
  [
    'tls',
    { reason: 'untrusted' },
    'the certificate of host:1 is not signed by a trusted root (MESSAGE): give the root certificate that the platform names for this port',
  ],
  [
    'tls',
    { reason: 'host-name' },
    'the certificate of host:1 is for another host (MESSAGE): copy the host from the console of the platform',
  ],
  ['tls', { reason: 'ca-expired' }, 'MESSAGE: replace it by the root certificate that the platform uses now'],
  [
    'tls',
    { reason: 'expired' },
    'the certificate of host:1 has ended: if the clock of this device is right, tell whoever runs it',
  ],
  ['tls', { reason: 'not-yet-valid' }, 'the certificate of host:1 is not valid yet: set the clock of this device'],
  ['tls', { reason: 'handshake' }, GENERAL.tls],
  ['tls', { reason: 'closed' }, GENERAL.tls],
];

test('every error code has a line of its own that says what to do', () => {
  for (const code of CODES) assert.equal(explain(mqttError(code, 'MESSAGE'), 'host:1'), GENERAL[code]);
});

for (const [code, details, line] of DETAILED) {
  const detail = details.reason ?? details.returnCode;
  test(`${code} ${detail} is explained by what is known of it`, () => {
    assert.equal(explain(mqttError(code, 'MESSAGE', details), 'host:1'), line);
  });
}

test('a server without a name is called the server', () => {
  const error = mqttError('tcp', 'connect ECONNREFUSED', { reason: 'econnrefused' });
  assert.equal(explain(error), 'nothing listens at the server: check host and port, and that the server runs');
});

test('an explanation is one line, whatever a server put into the message', () => {
  const error = mqttError('tls', 'wrong\n  version\u001b[31m\u0085\u2028number é 设备\n', { reason: 'handshake' });
  assert.equal(
    explain(error, 'host:1'),
    'no TLS handshake with host:1 (wrong version [31m number é 设备): check that this is a TLS port, 8883 or 443, not 1883',
  );
});

test('a message that looks like a placeholder is left alone', () => {
  assert.equal(explain(mqttError('bad-option', '{server} $& {message}'), 'host:1'), '{server} $& {message}');
});

test('what the cause holds is not told', () => {
  for (const code of CODES) {
    const line = explain(mqttError(code, 'MESSAGE', { cause: new Error('hunter2') }));
    assert.ok(!line.includes('hunter2'), line);
  }
});

test('an error of another make is told by its message', () => {
  assert.equal(explain(new TypeError('x is not a function') as never), 'x is not a function');
});
