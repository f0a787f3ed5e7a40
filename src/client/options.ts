// What a client is made of, checked once, with every default in one place.

import type { Adapter, Endpoint } from '../adapters/adapter.ts';
import { type MqttError, mqttError } from '../error.ts';
import type { Framing } from '../framing/framing.ts';
import type { Message } from '../framing/packet.ts';
import type { Identity } from '../identity/identity.ts';
import { type Rules, State } from '../protocol/delivery.ts';
import type { Millis } from '../time.ts';
import { type Backoff, type BackoffOptions, defaultRefusal, isStable } from './backoff.ts';
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
  /**
   * Plain TCP sends the credentials' signature and every message in the clear: it has to be allowed, and every dial raises the
   * warning `plaintext`. Default false.
   */
  readonly allowPlaintext?: boolean | undefined;
  /** Refuses plain TCP, and TLS to a server that is not verified, whatever else is allowed. Default false. */
  readonly production?: boolean | undefined;
}

/** What the driver needs of the options, with every default. */
export interface Settings {
  readonly keepAlive: number;
  readonly connectTimeout: Millis;
  readonly closeTimeout: Millis;
  readonly heldLimit: number;
  readonly filterLimit: number;
  readonly backoff: Backoff;
}

const HOUR: Millis = 3_600_000;
const DAY: Millis = 86_400_000;
const MAX_TWO_BYTES = 65_535;

const bad = (name: string, message: string): MqttError =>
  mqttError('bad-option', `${name} ${message}`, { reason: name });

/** @throws MqttError 'bad-option' */
export function inRange(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most && value % 1 === 0) return value;
  throw bad(name, `must be a whole number from ${least} to ${most}, not ${value}`);
}

/** Throws unless an option that may be left out is of this type. */
function isOf(type: 'object' | 'function' | 'boolean', name: string, value: unknown): void {
  if (value === undefined || (typeof value === type && value !== null)) return;
  throw bad(name, type === 'boolean' ? 'must be true or false' : `must be ${type === 'object' ? 'an' : 'a'} ${type}`);
}

/** @throws MqttError 'bad-option' */
export function checkQueueLimits({ messages = 0, bytes = 0 }: QueueLimits): void {
  inRange('queue.messages', messages, 0, 1_000_000);
  inRange('queue.bytes', bytes, 0, 2 ** 31 - 1);
}

function checkEndpoints(endpoints: readonly Endpoint[] | undefined): void {
  if (!endpoints?.length) throw bad('endpoints', 'are missing: copy host and port from the console of your platform');
  for (const endpoint of endpoints) {
    if (!endpoint?.host || typeof endpoint.host !== 'string') throw bad('host', 'is missing in an endpoint');
    inRange('port', endpoint.port, 1, MAX_TWO_BYTES);
  }
}

function checkSecurity({ adapter, allowPlaintext, production }: ClientOptions): void {
  const { security } = adapter;
  if (security === 'authenticated') return;
  const isPlain = security === 'plaintext';
  if (!isPlain && security !== 'unauthenticated') throw bad('adapter.security', `${security} is unknown`);
  if (production)
    throw bad(
      'production',
      isPlain ? 'refuses plain TCP: use TLS' : 'refuses a server that nobody verifies: give its root',
    );
  if (isPlain && !allowPlaintext) throw bad('allowPlaintext', 'is not set: plain TCP is for tests only, use TLS');
}

/** A part with a method that tells it from other things. */
function checkPart(name: string, method: unknown): void {
  if (typeof method !== 'function') throw bad(name, 'must be a function');
}

function checkParts(options: ClientOptions): void {
  const { adapter, identity, framing, delivery, queue } = options;
  checkPart('adapter.dial', adapter?.dial);
  checkPart('identity.credentials', identity?.credentials);
  if (framing !== undefined) checkPart('framing.encode', framing?.encode);
  isOf('object', 'delivery', delivery);
  if (delivery && !delivery[State.AwaitingPuback]) throw bad('delivery', 'must be atLeastOnce or exactlyOnce');
  isOf('object', 'queue', queue);
  for (const name of ['cleanSession', 'allowPlaintext', 'production'] as const) isOf('boolean', name, options[name]);
}

function checkReconnect(options: BackoffOptions | false | undefined): Backoff {
  const { minMillis, maxMillis = 120_000, stableMillis = 60_000, refused = defaultRefusal } = options || {};
  const most = inRange('reconnect.maxMillis', maxMillis, 1, DAY);
  const stable = inRange('reconnect.stableMillis', stableMillis, 0, DAY);
  checkPart('reconnect.refused', refused);
  return {
    isOnce: options === false,
    most,
    least: inRange('reconnect.minMillis', minMillis ?? Math.min(2_000, most), 1, most),
    stable,
    hasLasted: isStable,
    refused,
  };
}

/** @throws MqttError 'bad-option' */
export function checkOptions(options: ClientOptions): Settings {
  checkCall(options);
  checkParts(options);
  checkEndpoints(options.endpoints);
  checkSecurity(options);
  const { queue, identity } = options;
  if (queue && !('add' in queue)) checkQueueLimits(queue);
  const number = (name: NumberName, fallback: number, least: number, most: number) =>
    inRange(name, options[name] ?? fallback, least, most);
  number('pingTimeoutMillis', 1, 1, HOUR);
  number('maxInFlight', 1, 1, MAX_TWO_BYTES);
  const { minKeepAliveSeconds = 0, maxKeepAliveSeconds = MAX_TWO_BYTES } = identity.profile ?? {};
  return {
    keepAlive: number('keepAliveSeconds', 360, minKeepAliveSeconds, maxKeepAliveSeconds),
    connectTimeout: number('connectTimeoutMillis', 30_000, 1, HOUR),
    closeTimeout: number('closeTimeoutMillis', 5_000, 0, HOUR),
    heldLimit: number('maxHeld', 100, 1, MAX_TWO_BYTES),
    filterLimit: number('maxFiltersPerSubscribe', 5, 1, 1_000),
    backoff: checkReconnect(options.reconnect),
  };
}

type NumberName =
  | 'keepAliveSeconds'
  | 'pingTimeoutMillis'
  | 'connectTimeoutMillis'
  | 'closeTimeoutMillis'
  | 'maxInFlight'
  | 'maxHeld'
  | 'maxFiltersPerSubscribe';

/**
 * A function where options belong is the first mistake of those who come from other clients.
 * @throws MqttError 'bad-option'
 */
export function checkCall(options: unknown, done?: unknown): void {
  if (typeof options !== 'object' || options === null) throw bad('options', 'must be an object');
  isOf('function', 'done', done);
}
