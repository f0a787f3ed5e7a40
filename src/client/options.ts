// What a client is made of, checked once, with every default in one place.

import type { Adapter, Endpoint } from '../adapters/adapter.ts';
import { mqttError } from '../error.ts';
import type { Framing } from '../framing/framing.ts';
import type { Message } from '../framing/packet.ts';
import type { Identity } from '../identity/identity.ts';
import { type Rules, State } from '../protocol/delivery.ts';
import type { Millis } from '../time.ts';
import type { BackoffOptions } from './backoff.ts';
import type { MessageQueue, QueueLimits } from './queue.ts';

export interface ClientOptions {
  /** The host's network, clock and timer: `nodeTls()`, `nodeTcp()`, ... */
  readonly adapter: Adapter;
  /** Where to connect, tried in turn; at least one. */
  readonly endpoints: readonly Endpoint[];
  /** Who the device is. */
  readonly identity: Identity;
  /** How packets become bytes; default `mqttPacketFraming()`, which also sets the largest packet, 266,240 bytes. */
  readonly framing?: Framing | undefined;
  /** Keep Alive in seconds (3.1.2.10): what the identity's platform allows, else 0 (off) to 65,535. Default 360. */
  readonly keepAliveSeconds?: number | undefined;
  /** Up to here the keep-alive is lengthened when connections keep dying silently; default keepAliveSeconds: never. */
  readonly maxKeepAliveSeconds?: number | undefined;
  /** How long a PINGRESP may take, in milliseconds, 1 to 3,600,000; never longer than the keep-alive. Default 20,000. */
  readonly pingTimeoutMillis?: Millis | undefined;
  /** From dialling to CONNACK, over DNS, TCP and TLS, in milliseconds, 1 to 3,600,000; default 30,000. */
  readonly connectTimeoutMillis?: Millis | undefined;
  /** How long close() waits for the connection to end in order, in milliseconds, 0 to 3,600,000; default 5,000. */
  readonly closeTimeoutMillis?: Millis | undefined;
  /** Whether the server forgets the session at the end of each connection (3.1.2.4); default false. */
  readonly cleanSession?: boolean | undefined;
  /** What the server publishes when the connection ends without close() (3.1.2.5). */
  readonly will?: Message | undefined;
  /** Delays between dials, or false: one dial for each connect(). */
  readonly reconnect?: BackoffOptions | false | undefined;
  /** What delivery the app can do: `atLeastOnce` (default: QoS 0 and 1) or `exactlyOnce`. */
  readonly delivery?: Rules | undefined;
  /** Messages of QoS 1 and 2 that may await their acknowledgement at once, 1 to 65,535; default 20. */
  readonly maxInFlight?: number | undefined;
  /** Messages that the app may hold unacknowledged before reading stops, 1 to 65,535; default 100. */
  readonly maxHeld?: number | undefined;
  /** What waits for a connection or for room in flight: limits, or a queue with policies (`PolicyQueue`). */
  readonly queue?: QueueLimits | MessageQueue | undefined;
  /** Most filters in one SUBSCRIBE or UNSUBSCRIBE, 1 to 1,000; default 5, which the platform's own SDK sends. */
  readonly maxFiltersPerSubscribe?: number | undefined;
  /** Plain TCP sends the credentials' signature and every message in the clear: it has to be allowed. Default false. */
  readonly allowPlaintext?: boolean | undefined;
  /** Refuses every way of connecting that is meant for tests, whatever else is allowed. Default false. */
  readonly production?: boolean | undefined;
}

export interface Settings {
  readonly keepAliveSeconds: number;
  readonly maxKeepAliveSeconds: number;
  readonly connectTimeout: Millis;
  readonly closeTimeout: Millis;
  readonly cleanSession: boolean;
  readonly maxHeld: number;
  readonly maxFilters: number;
}

const HOUR: Millis = 3_600_000;
const MAX_TWO_BYTES = 65_535;
const DEFAULT_KEEP_ALIVE_SECONDS = 360;

const bad = (message: string) => mqttError('bad-option', message);

/** @throws MqttError 'bad-option' */
export function inRange(name: string, value: number, least: number, most: number): number {
  if (typeof value !== 'number' || !(value >= least && value <= most && value % 1 === 0)) {
    throw bad(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
  }
  return value;
}

/** @throws MqttError 'bad-option' */
export function checkQueueLimits({ messages = 0, bytes = 0 }: QueueLimits): void {
  inRange('queue.messages', messages, 0, 1_000_000);
  inRange('queue.bytes', bytes, 0, 2 ** 31 - 1);
}

function checkEndpoints(endpoints: readonly Endpoint[] | undefined): void {
  if (!endpoints?.length) throw bad('no endpoint: copy host and port from the console of your platform');
  for (const endpoint of endpoints) {
    const { host, port } = endpoint ?? {};
    if (typeof host !== 'string' || host === '') throw bad('an endpoint without host');
    inRange('port', port, 1, MAX_TWO_BYTES);
  }
}

const SECURITY: readonly unknown[] = Object.freeze(['authenticated', 'unauthenticated', 'plaintext']);

function checkSecurity({ adapter, allowPlaintext, production }: ClientOptions): void {
  if (SECURITY.indexOf(adapter.security) < 0) throw bad(`adapter.security ${adapter.security} is unknown`);
  if (adapter.security !== 'plaintext') return;
  if (production) throw bad('production refuses plain TCP: use TLS');
  if (!allowPlaintext) throw bad('plain TCP is for tests only: use TLS, or set allowPlaintext');
}

function checkReconnect(options: BackoffOptions | false | undefined): void {
  if (!options) return;
  const { minMillis, maxMillis = 120_000, stableMillis = 60_000, refused } = options;
  inRange('reconnect.maxMillis', maxMillis, 1, 24 * HOUR);
  inRange('reconnect.minMillis', minMillis ?? 1, 1, maxMillis);
  if (refused !== undefined) isFunction('reconnect.refused', refused);
  inRange('reconnect.stableMillis', stableMillis, 0, 24 * HOUR);
}

function isFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw bad(`${name} must be a function`);
}

function checkParts({ adapter, identity, framing, delivery, queue }: ClientOptions): void {
  isFunction('adapter.dial', adapter?.dial);
  isFunction('identity.credentials', identity?.credentials);
  if (framing !== undefined) isFunction('framing.encode', framing.encode);
  const isRules = typeof delivery === 'object' && delivery?.[State.AwaitingPuback];
  if (delivery !== undefined && !isRules) throw bad('delivery must be atLeastOnce or exactlyOnce');
  if (queue !== undefined && (typeof queue !== 'object' || queue === null))
    throw bad('queue must be limits or a queue');
}

function checkSwitches(options: ClientOptions): void {
  for (const name of ['cleanSession', 'allowPlaintext', 'production'] as const) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'boolean') throw bad(`${name} must be true or false`);
  }
}

/** @throws MqttError 'bad-option' */
export function checkOptions(options: ClientOptions): Settings {
  if (typeof options !== 'object' || options === null) throw bad('a client needs options');
  checkParts(options);
  checkSwitches(options);
  checkEndpoints(options.endpoints);
  checkSecurity(options);
  checkReconnect(options.reconnect);
  if (options.queue && !('add' in options.queue)) checkQueueLimits(options.queue);
  inRange('pingTimeoutMillis', options.pingTimeoutMillis ?? 1, 1, HOUR);
  inRange('maxInFlight', options.maxInFlight ?? 1, 1, MAX_TWO_BYTES);
  const { profile } = options.identity;
  const least = profile ? profile.minKeepAliveSeconds : 0;
  const most = profile ? profile.maxKeepAliveSeconds : MAX_TWO_BYTES;
  const keepAliveSeconds = options.keepAliveSeconds ?? DEFAULT_KEEP_ALIVE_SECONDS;
  inRange('keepAliveSeconds', keepAliveSeconds, least, most);
  const maxKeepAliveSeconds = options.maxKeepAliveSeconds ?? keepAliveSeconds;
  return {
    keepAliveSeconds,
    maxKeepAliveSeconds: inRange('maxKeepAliveSeconds', maxKeepAliveSeconds, keepAliveSeconds, most),
    connectTimeout: inRange('connectTimeoutMillis', options.connectTimeoutMillis ?? 30_000, 1, HOUR),
    closeTimeout: inRange('closeTimeoutMillis', options.closeTimeoutMillis ?? 5_000, 0, HOUR),
    cleanSession: options.cleanSession ?? false,
    maxHeld: inRange('maxHeld', options.maxHeld ?? 100, 1, MAX_TWO_BYTES),
    maxFilters: inRange('maxFiltersPerSubscribe', options.maxFiltersPerSubscribe ?? 5, 1, 1_000),
  };
}

/**
 * A function where options belong is the first mistake of those who come from other clients.
 * @throws MqttError 'bad-option'
 */
export function checkCall(options: unknown, done: unknown): void {
  if (typeof options !== 'object' || options === null) throw bad('options must be an object');
  if (done !== undefined && typeof done !== 'function') throw bad('done must be a function');
}
