// Keeps an app within what its platform takes: what would end in a connection closed without a word is an error of the call,
// before a byte leaves. Put around the options of a client, so that a client without it stays as small as it is.

import { type ClientOptions, inRange } from '../client/options.ts';
import { type ErrorCode, type MqttError, mqttError } from '../error.ts';
import type { Framing } from '../framing/framing.ts';
import { mqttPacketFraming } from '../framing/mqtt-packet.ts';
import { type Connect, type Message, type Outgoing, PacketType } from '../framing/packet.ts';
import type { PlatformLimits, PlatformProfile } from '../identity/profiles.ts';
import { utf8Length } from '../utf8.ts';
import { type Rates, type ShapedAdapter, shaped } from './shaping.ts';

export interface GuardOptions {
  /** Whether facts of the profile count that nobody has verified; default false. */
  readonly unverified?: boolean | undefined;
  /** Limits of the app's own, in place of the profile's. */
  readonly limits?: PlatformLimits | undefined;
}

const WORD = /^[A-Za-z0-9_]+$/;

/** What the client sends by default; the platform's own SDK sends as many. */
const DEFAULT_FILTERS = 5;

/** The limits that are in force. */
export function limitsOf(profile: PlatformProfile, options: GuardOptions = {}): PlatformLimits {
  return { ...profile, ...(options.unverified ? profile.unverified : {}), ...options.limits };
}

/** Of each limit that is a number, the least and the most that make sense; rates are checked where they are shaped. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = Object.freeze({
  maxQos: [0, 2],
  maxTopicBytes: [1, 65_535],
  maxCustomSlashes: [1, 65_535],
  maxPayloadBytes: [0, 268_435_455],
  maxFilters: [1, 1_000],
});

/** @throws MqttError 'bad-option' */
function checkLimits(limits: PlatformLimits): void {
  for (const name of Object.keys(RANGES)) {
    const value = limits[name as keyof PlatformLimits];
    const [least, most] = RANGES[name]!;
    if (value !== undefined) inRange(name, value as number, least, most);
  }
  for (const name of ['will', 'retain'] as const) {
    if (typeof (limits[name] ?? true) !== 'boolean') throw mqttError('bad-option', `${name} must be true or false`);
  }
  for (const name of ['topicPrefix', 'customPart'] as const) {
    if (typeof (limits[name] ?? '') !== 'string') throw mqttError('bad-option', `${name} must be a string`);
  }
}

/** Checks packets before they are made; does nothing else. */
class Guard {
  private readonly limits: PlatformLimits;
  private readonly name: string;

  constructor(limits: PlatformLimits, name: string) {
    this.limits = limits;
    this.name = name;
  }

  check(packet: Outgoing): void {
    switch (packet.type) {
      case PacketType.Connect:
        return this.connect(packet);
      case PacketType.Publish:
        return this.message(packet);
      case PacketType.Subscribe:
        for (const { filter, qos } of packet.filters) this.filter(filter, qos);
        return;
      case PacketType.Unsubscribe:
        for (const filter of packet.filters) this.filter(filter, 0);
    }
  }

  /** A typed error that names the platform. `reason` says which limit it was. */
  private refuse(code: ErrorCode, reason: keyof PlatformLimits, what: string): MqttError {
    return mqttError(code, `${this.name} takes no ${what}`, { reason });
  }

  private connect({ will }: Connect): void {
    if (!will) return;
    if (this.limits.will === false) throw this.refuse('bad-packet', 'will', 'will');
    this.message(will);
  }

  private message({ topic, payload, qos, retain }: Message): void {
    const { maxPayloadBytes: most } = this.limits;
    this.quality(qos);
    if (retain && this.limits.retain === false) throw this.refuse('bad-packet', 'retain', 'retained messages');
    this.topic(topic, 'bad-topic');
    if (most === undefined || payload.length <= most) return;
    throw this.refuse('packet-too-large', 'maxPayloadBytes', `payload of ${payload.length} bytes, ${most} at most`);
  }

  private filter(filter: string, qos: number): void {
    this.quality(qos);
    this.topic(filter, 'bad-filter');
  }

  private quality(qos: number): void {
    if (qos > (this.limits.maxQos ?? 2)) throw this.refuse('bad-packet', 'maxQos', `QoS ${qos}`);
  }

  /** A topic, or a filter, whose wildcards fit anywhere. */
  private topic(text: string, code: ErrorCode): void {
    const { maxTopicBytes, topicPrefix = '', customPart, maxCustomSlashes } = this.limits;
    const bytes = utf8Length(text);
    if (maxTopicBytes !== undefined && bytes > maxTopicBytes) {
      throw this.refuse(code, 'maxTopicBytes', `topic of ${bytes} bytes, ${maxTopicBytes} at most`);
    }
    const isWild = text.charAt(0) === '#' || text.charAt(0) === '+';
    if (!isWild && text.slice(0, topicPrefix.length) !== topicPrefix) {
      throw this.refuse(code, 'topicPrefix', `topic ${text}: it must begin with ${topicPrefix}`);
    }
    if (customPart === undefined) return;
    const levels = text.slice(isWild ? 0 : 1).split('/');
    if (levels.indexOf('') >= 0) throw this.refuse(code, 'customPart', `topic ${text}: a level is empty`);
    const at = text.indexOf(customPart);
    if (at < 0) return;
    if (maxCustomSlashes !== undefined && levels.length > maxCustomSlashes) {
      throw this.refuse(code, 'maxCustomSlashes', `topic ${text}: more than ${maxCustomSlashes} slashes`);
    }
    for (const level of text.slice(at + customPart.length).split('/')) {
      if (WORD.test(level) || level === '+' || level === '#') continue;
      throw this.refuse(code, 'customPart', `topic ${text}: ${level} is more than letters, digits and _`);
    }
  }
}

/** A framing that refuses what the limits refuse, before anything else looks at it. */
function guardedFraming(inner: Framing, guard: Guard): Framing {
  return {
    check(packet) {
      inner.check(packet); // What is no MQTT at all comes first.
      guard.check(packet);
    },
    fits: (packet) => inner.fits(packet),
    encode: (packet) => inner.encode(packet),
    decode: (bytes, each) => inner.decode(bytes, each),
    reset: () => inner.reset(),
  };
}

/** The limits on rates, or undefined where there are none. */
function ratesOf({ publishesPerSecond, acknowledgedPerSecond, connectsPerMinute }: PlatformLimits): Rates | undefined {
  const rates = { publishesPerSecond, acknowledgedPerSecond, connectsPerMinute };
  const isAny = [publishesPerSecond, acknowledgedPerSecond, connectsPerMinute].some((it) => it !== undefined);
  return isAny ? rates : undefined;
}

/**
 * The options of a client that keeps to its platform. Keep-alive, QoS, will, retain, form and length of topics, and payloads
 * are checked where they are given; filters are divided over as many packets as it takes; rates are shaped; and a CONNACK that
 * refuses is followed by what the platform's manual makes of it.
 * @throws MqttError 'bad-option'
 * @example new Client(guarded({ adapter, endpoints, identity }, tuyaOnAlibabaCloud))
 */
export function guarded(
  options: ClientOptions,
  profile: PlatformProfile,
  settings: GuardOptions = {},
): ClientOptions & { readonly adapter: ClientOptions['adapter'] | ShapedAdapter } {
  if (typeof profile?.unverified !== 'object')
    throw mqttError('bad-option', 'profile must be one of mqtt-mote/profiles');
  const limits = limitsOf(profile, settings);
  checkLimits(limits);
  const { adapter, identity, framing = mqttPacketFraming(), reconnect } = options;
  const rates = ratesOf(limits);
  const { maxFiltersPerSubscribe: filters = DEFAULT_FILTERS } = options;
  const refused = (code: number) => profile.refusals[code - 1] ?? 'stop';
  return {
    ...options,
    adapter: rates ? shaped(adapter, rates) : adapter,
    identity: { profile, credentials: (attempt) => identity.credentials(attempt) },
    framing: guardedFraming(framing, new Guard(limits, profile.name)),
    maxFiltersPerSubscribe: Math.min(filters, limits.maxFilters ?? filters),
    reconnect: reconnect === false ? false : { refused, ...reconnect },
  };
}
