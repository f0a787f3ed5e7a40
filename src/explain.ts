// Errors as one line for a person: what happened, and what to do about it. Optional: a device that shows nothing to
// anybody leaves this out.

import type { ErrorCode, MqttError } from './error.ts';

const NO_ROUTE = '{server} cannot be reached: check the network, the host, and the firewalls on the way';

/** What is said where nothing more is known than the code. */
const BY_CODE: Readonly<Record<ErrorCode, string>> = Object.freeze({
  'bad-option': '{message}',
  'bad-topic': '{message}: choose another topic',
  'bad-filter': '{message}: choose another filter',
  'bad-packet': '{message}',
  'packet-too-large': '{message}: send it in smaller parts, or raise the limit',
  'queue-full': 'the queue is full ({message}): wait until earlier messages are done, or raise the limit of the queue',
  'window-full': '{message}: wait until one of them is acknowledged',
  'not-connected': '{message} to {server}: connect first',
  closed: '{message} before this was done: ask again if it is still needed',
  cancelled: '{message}',
  timeout: '{message}: try again, or allow more time',
  dropped: '{message}: publish less often, or let more wait',
  'set-aside': '{message}',
  'host-failed': '{message}: see its cause',
  'malformed-packet': '{server} sent what is not MQTT 3.1.1 ({message}): check the port, and TLS or plain TCP',
  'unexpected-packet': '{server} broke the MQTT protocol ({message}): tell whoever runs it',
  refused: '{server} refused the login ({message}): look the code up in the manual of the platform',
  'subscription-refused': '{message}: check that the topic belongs to this device, and is open for subscribing',
  clock: '{message}',
  'enrolment-failed': '{message}: look at the device in the console of the platform',
  'connect-timeout': '{server} did not answer ({message}): check host, port, and the firewalls on the way',
  'pingresp-timeout': '{server} no longer answers: the network lost the connection, connect again',
  dns: 'the host name of {server} was not found: check its spelling, and that this device is online',
  tcp: 'the connection to {server} failed ({message}): check the network, and connect again',
  tls: 'no TLS handshake with {server} ({message}): check that this is a TLS port, 8883 or 443, not 1883',
  'closed-by-peer':
    '{server} closed the connection: check the port, TLS or plain TCP, and that no other device uses this identity',
});

/** What is said where the code of the CONNACK or the reason is known too. */
const BY_DETAIL: Readonly<Record<string, string>> = Object.freeze({
  'refused/1': '{server} does not speak MQTT 3.1.1 (code 1): ask the platform for another endpoint',
  'refused/2': '{server} refused the client id (code 2): check its length and characters, and TLS or plain TCP',
  'refused/3': '{server} is not available (code 3): check that it allows this keep-alive, or try again later',
  'refused/4': '{server} refused the form of user name or password (code 4): check productKey and deviceName',
  'refused/5':
    '{server} refused the login (code 5): check productKey, deviceName and deviceSecret, and that the device is enabled',
  'enrolment-failed/4':
    '{server} refused the form of the registration (code 4): check productKey, deviceName, productSecret',
  'enrolment-failed/5':
    '{server} refused to register the device (code 5): check productKey, productSecret and deviceName, that registration is switched on for the product, and that the device has never logged in',
  'dns/eai_again': 'no answer from the name service about {server}: check the network and its DNS server',
  'tcp/econnrefused': 'nothing listens at {server}: check host and port, and that the server runs',
  'tcp/ehostunreach': NO_ROUTE,
  'tcp/enetunreach': NO_ROUTE,
  'tcp/etimedout': NO_ROUTE,
  'tls/untrusted':
    'the certificate of {server} is not signed by a trusted root ({message}): give the root certificate that the platform names for this port',
  'tls/host-name':
    'the certificate of {server} is for another host ({message}): copy the host from the console of the platform',
  'tls/ca-expired': '{message}: replace it by the root certificate that the platform uses now',
  'tls/expired': 'the certificate of {server} has ended: if the clock of this device is right, tell whoever runs it',
  'tls/not-yet-valid': 'the certificate of {server} is not valid yet: set the clock of this device',
});

/** Spaces, line ends and controls: a server chooses some of the words, and must not choose what a terminal does. */
const NOT_PRINTABLE = /[^!-~\u00a1-\u2027\u202f-\uffff]+/g;

/**
 * One line that says what happened and what to do. Holds no secret. An error of another make is told by its message.
 * @param server how to call the server, such as `iot.example.com:8883`
 * @example client.on('disconnected', ({ error }) => error && print(explain(error, 'iot.example.com:8883')));
 */
export function explain(error: MqttError, server = 'the server'): string {
  const { code, message, reason, returnCode } = error;
  const line = BY_DETAIL[`${code}/${returnCode ?? reason}`] ?? BY_CODE[code] ?? '{message}';
  return line
    .replace(/\{(server|message)\}/g, (_, name) => (name === 'server' ? server : message.trim()))
    .replace(NOT_PRINTABLE, ' ');
}
