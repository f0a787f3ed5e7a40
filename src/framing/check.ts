// What may be sent: everything the standard asks of a client's packets (1.5.3, 3, 4.7) and that the codec lets through.

import { type ErrorCode, mqttError } from '../error.ts';
import { utf8Length } from '../utf8.ts';
import {
  type Connect,
  type Filter,
  type Message,
  type Outgoing,
  PacketType,
  type Subscribe,
  type Unsubscribe,
} from './packet.ts';
import { refuse } from './refuse.ts';

/** Length field of a string and of binary data: two bytes (1.5.2, 1.5.3). */
const MAX_FIELD = 65_535;

const PLUS = 0x2b;
const HASH = 0x23;

const badPacketIf = (bad: boolean, clause: string, message: string): void => refuse(bad, 'bad-packet', clause, message);

/** Control characters and non-characters, which a client SHOULD NOT send (1.5.3). */
const discouraged = (unit: number, before: number): boolean =>
  unit < 0x20 ||
  (unit > 0x7e && unit < 0xa0) ||
  (unit > 0xfdcf && unit < 0xfdf0) ||
  // The last two code points of every plane: FFFE and FFFF, or low surrogates DFFE and DFFF after a high one ending in 3F.
  ((unit & 0xdffe) === 0xdffe && (unit > 0xdfff || (before & 0x3f) === 0x3f));

/** Bytes of a string field. The code tells a topic name (4.7), a topic filter (4.7.1) and any other string apart. */
function field(text: string, code: ErrorCode): number {
  const length = typeof text === 'string' ? utf8Length(text) : -1;
  const isTopic = code !== 'bad-packet';
  refuse(length < 0, code, 'MQTT-1.5.3-1', 'a text must be a string without lone surrogates');
  refuse(length > MAX_FIELD, code, isTopic ? 'MQTT-4.7.3-3' : '1.5.3', 'a text is longer than 65535 bytes');
  refuse(isTopic && length === 0, code, 'MQTT-4.7.3-1', 'a topic or filter is empty');
  let before = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > PLUS && unit < 0x7f) continue; // Most are: no wildcard, no control character.
    if (isTopic && (unit === HASH || unit === PLUS)) wildcard(text, i, unit, code);
    refuse(unit === 0, code, 'MQTT-1.5.3-2', 'a text holds U+0000');
    refuse(discouraged(unit, before), code, '1.5.3', 'a text holds a control or non-character');
    before = unit;
  }
  return 2 + length;
}

/** No topic name holds a wildcard. In a filter + fills a whole level, and # the last one. */
function wildcard(text: string, at: number, unit: number, code: ErrorCode): void {
  refuse(code === 'bad-topic', code, 'MQTT-3.3.2-2', 'a topic holds a wildcard');
  const alone =
    (at === 0 || text.charAt(at - 1) === '/') &&
    (at === text.length - 1 || (unit === PLUS && text.charAt(at + 1) === '/'));
  refuse(
    !alone,
    code,
    unit === PLUS ? 'MQTT-4.7.1-3' : 'MQTT-4.7.1-2',
    '+ must fill a whole level, and # the last one',
  );
}

/** Says whether a topic filter may be sent (4.7.1). @throws MqttError 'bad-filter' */
export function topicFilter(filter: string): void {
  field(filter, 'bad-filter');
}

/** Whether a value fits two bytes (1.5.2). */
export const isNumberField = (value: number): boolean => (value & MAX_FIELD) === value;

function quality(qos: number, clause: string): void {
  badPacketIf(qos !== 0 && qos !== 1 && qos !== 2, clause, 'QoS must be 0, 1 or 2');
}

/** The topic that was found good last: devices publish to few, and need not look at each character again. */
export interface KnownTopic {
  topic: string;
  /** Its bytes as a field; 0: there is none yet. */
  topicSize: number;
}

/** Bytes of a message with topic and payload, without a packet identifier. */
function message({ topic, qos, payload }: Message, known: KnownTopic): number {
  if (known.topicSize === 0 || topic !== known.topic) {
    known.topicSize = field(topic, 'bad-topic');
    known.topic = topic;
  }
  quality(qos, 'MQTT-3.3.1-4');
  badPacketIf(!(payload instanceof Uint8Array), '3.3.3', 'payload must be a Uint8Array');
  return known.topicSize + payload.length;
}

function connect(packet: Connect, known: KnownTopic): number {
  const { clientId, cleanSession, keepAliveSeconds, will, userName, password } = packet;
  let length = 10 + field(clientId, 'bad-packet');
  badPacketIf(length === 12 && !cleanSession, 'MQTT-3.1.3-7', 'an empty client id needs a clean session');
  const isKeepAlive = isNumberField(keepAliveSeconds);
  badPacketIf(!isKeepAlive, '3.1.2.10', 'keep-alive must be a whole number from 0 to 65535');
  if (will) {
    length += 2 + message(will, known);
    badPacketIf(will.payload.length > MAX_FIELD, '3.1.3.3', 'will is longer than 65535 bytes');
  }
  if (userName !== undefined) length += field(userName, 'bad-packet');
  if (password !== undefined) {
    badPacketIf(userName === undefined, 'MQTT-3.1.2-22', 'a password needs a user name');
    const size =
      typeof password === 'string' ? utf8Length(password) : password instanceof Uint8Array ? password.length : -1;
    badPacketIf(
      size < 0 || size > MAX_FIELD,
      '3.1.3.5',
      'password must be a well-formed text or a Uint8Array of 0 to 65535 bytes',
    );
    length += 2 + size;
  }
  return length;
}

/** SUBSCRIBE (3.8) or UNSUBSCRIBE (3.10). */
function request({ type, filters }: Subscribe | Unsubscribe): number {
  const isSubscribe = type === PacketType.Subscribe;
  refuse(filters.length === 0, 'bad-filter', isSubscribe ? 'MQTT-3.8.3-3' : 'MQTT-3.10.3-2', 'no filter given');
  let length = 2;
  for (let i = 0; i < filters.length; i++) {
    const it = filters[i]!;
    if (isSubscribe) {
      quality((it as Filter).qos, 'MQTT-3.8.3-4');
      length++;
    }
    length += field(isSubscribe ? (it as Filter).filter : (it as string), 'bad-filter');
  }
  return length;
}

/** The Remaining Length of a packet that may be sent. @throws MqttError 'bad-topic', 'bad-filter' or 'bad-packet' */
export function remainingLength(packet: Outgoing, known: KnownTopic): number {
  switch (packet.type) {
    case PacketType.Connect:
      return connect(packet, known);
    case PacketType.Publish:
      badPacketIf(packet.dup && packet.qos === 0, 'MQTT-3.3.1-2', 'QoS 0 cannot be a duplicate');
      return message(packet, known) + (packet.qos > 0 ? 2 : 0);
    case PacketType.Subscribe:
    case PacketType.Unsubscribe:
      return request(packet);
    case PacketType.Pingreq:
    case PacketType.Pingresp:
    case PacketType.Disconnect:
      return 0;
  }
  return 2;
}

/** Bytes of a packet with this Remaining Length (2.2.3). */
export const packetSize = (remaining: number): number =>
  remaining + (remaining < 128 ? 2 : remaining < 16_384 ? 3 : remaining < 2_097_152 ? 4 : 5);

/**
 * The Remaining Length of a packet that may be sent and is small enough. The packet identifier is not looked at: a packet
 * is checked before it gets one.
 * @throws MqttError 'bad-topic', 'bad-filter', 'bad-packet' or 'packet-too-large'
 */
export function checkOutgoing(packet: Outgoing, maxPacketSize: number, known: KnownTopic): number {
  const remaining = remainingLength(packet, known);
  const size = packetSize(remaining);
  if (size > maxPacketSize) throw mqttError('packet-too-large', `packet of ${size} bytes exceeds ${maxPacketSize}`);
  return remaining;
}
