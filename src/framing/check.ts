// What may be sent: everything the standard asks of a client's packets (1.5.3, 3, 4.7) and that the codec lets through.

import { type ErrorCode, mqttError } from '../error.ts';
import { utf8Length } from '../utf8.ts';
import { type Filter, type Message, type Outgoing, PacketType } from './packet.ts';

/** Length field of a string and of binary data: two bytes (1.5.2, 1.5.3). */
const MAX_FIELD = 65_535;

const fail = (code: ErrorCode, message: string, clause: string) => mqttError(code, message, { clause });

/** Control characters and non-characters, which a client SHOULD NOT send (1.5.3). */
function discouraged(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || (unit > 0x7e && unit < 0xa0)) return true;
    if (unit > 0xfdcf && ((unit & 0xfffe) === 0xfffe || unit < 0xfdf0)) return true;
    // The last two code points of each higher plane: their low surrogates are DFFE and DFFF after a high one ending in 3F.
    if ((unit & 0xfffe) === 0xdffe && (text.charCodeAt(i - 1) & 0x3f) === 0x3f) return true;
  }
  return false;
}

/** The UTF-8 length of a string field. `what` names it in the error. */
function field(text: unknown, what: string, code: ErrorCode): number {
  if (typeof text !== 'string') throw fail(code, `${what} must be a string`, 'MQTT-1.5.3-1');
  const length = utf8Length(text);
  if (length < 0) throw fail(code, `${what} holds a lone surrogate`, 'MQTT-1.5.3-1');
  if (length > MAX_FIELD)
    throw fail(code, `${what} is longer than 65535 bytes`, code === 'bad-packet' ? '1.5.3' : 'MQTT-4.7.3-3');
  if (text.indexOf('\0') >= 0) throw fail(code, `${what} holds U+0000`, 'MQTT-1.5.3-2');
  if (discouraged(text)) throw fail(code, `${what} holds a control or non-character`, '1.5.3');
  return length;
}

/** The UTF-8 length of a topic name (4.7). @throws MqttError 'bad-topic' */
function topicName(topic: string): number {
  const length = field(topic, 'topic', 'bad-topic');
  if (length === 0) throw fail('bad-topic', 'topic is empty', 'MQTT-4.7.3-1');
  if (topic.indexOf('+') >= 0 || topic.indexOf('#') >= 0) {
    throw fail('bad-topic', 'topic holds a wildcard', 'MQTT-3.3.2-2');
  }
  return length;
}

/** The UTF-8 length of a topic filter (4.7). @throws MqttError 'bad-filter' */
export function topicFilter(filter: string): number {
  const length = field(filter, 'filter', 'bad-filter');
  if (length === 0) throw fail('bad-filter', 'filter is empty', 'MQTT-4.7.3-1');
  const levels = filter.split('/');
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i]!;
    if (level.length > 1 && level.indexOf('+') >= 0) {
      throw fail('bad-filter', '+ must fill a whole level', 'MQTT-4.7.1-3');
    }
    if (level.indexOf('#') >= 0 && (level.length > 1 || i < levels.length - 1)) {
      throw fail('bad-filter', '# must be the last level, alone', 'MQTT-4.7.1-2');
    }
  }
  return length;
}

function quality(qos: unknown, clause: string): void {
  if (qos !== 0 && qos !== 1 && qos !== 2) throw fail('bad-packet', 'QoS must be 0, 1 or 2', clause);
}

function binary(value: unknown, what: string): number {
  if (!(value instanceof Uint8Array)) throw mqttError('bad-packet', `${what} must be a Uint8Array`);
  return value.length;
}

function message(it: Message): number {
  const length = topicName(it.topic);
  quality(it.qos, 'MQTT-3.3.1-4');
  return 2 + length + binary(it.payload, 'payload');
}

/** Body length of a SUBSCRIBE (3.8). */
function subscribe(filters: readonly Filter[]): number {
  if (filters.length === 0) throw fail('bad-filter', 'no filter given', 'MQTT-3.8.3-3');
  let length = 2;
  for (let i = 0; i < filters.length; i++) {
    const { filter, qos } = filters[i]!;
    quality(qos, 'MQTT-3.8.3-4');
    length += 3 + topicFilter(filter);
  }
  return length;
}

/** Body length of an UNSUBSCRIBE (3.10). */
function unsubscribe(filters: readonly string[]): number {
  if (filters.length === 0) throw fail('bad-filter', 'no filter given', 'MQTT-3.10.3-2');
  let length = 2;
  for (let i = 0; i < filters.length; i++) length += 2 + topicFilter(filters[i]!);
  return length;
}

/** Body length of a CONNECT (3.1). */
function connect(it: Outgoing & { type: typeof PacketType.Connect }): number {
  const { keepAliveSeconds, will, userName, password } = it;
  let length = 12 + field(it.clientId, 'client id', 'bad-packet');
  if (it.clientId === '' && !it.cleanSession) {
    throw fail('bad-packet', 'an empty client id needs a clean session', 'MQTT-3.1.3-7');
  }
  if (
    typeof keepAliveSeconds !== 'number' ||
    !(keepAliveSeconds >= 0 && keepAliveSeconds <= MAX_FIELD && keepAliveSeconds % 1 === 0)
  ) {
    throw fail('bad-packet', 'keep-alive must be a whole number from 0 to 65535', '3.1.2.10');
  }
  if (will) {
    length += 2 + message(will);
    if (will.payload.length > MAX_FIELD) throw fail('bad-packet', 'will is longer than 65535 bytes', '3.1.3.3');
  }
  if (userName !== undefined) length += 2 + field(userName, 'user name', 'bad-packet');
  if (password !== undefined) {
    if (userName === undefined) throw fail('bad-packet', 'a password needs a user name', 'MQTT-3.1.2-22');
    const size = typeof password === 'string' ? utf8Length(password) : binary(password, 'password');
    if (size < 0 || size > MAX_FIELD) {
      throw fail('bad-packet', 'password must be 0 to 65535 bytes, a text well-formed', '3.1.3.5');
    }
    length += 2 + size;
  }
  return length;
}

function bodyLength(packet: Outgoing): number {
  switch (packet.type) {
    case PacketType.Connect:
      return connect(packet);
    case PacketType.Publish:
      if (packet.dup && packet.qos === 0) throw fail('bad-packet', 'QoS 0 cannot be a duplicate', 'MQTT-3.3.1-2');
      return message(packet) + (packet.qos > 0 ? 2 : 0);
    case PacketType.Subscribe:
      return subscribe(packet.filters);
    case PacketType.Unsubscribe:
      return unsubscribe(packet.filters);
    case PacketType.Pingreq:
    case PacketType.Pingresp:
    case PacketType.Disconnect:
      return 0;
    default:
      return 2;
  }
}

/** Bytes of the fixed header before a body of this length (2.2.3). */
const headerLength = (body: number): number => (body < 128 ? 2 : body < 16_384 ? 3 : body < 2_097_152 ? 4 : 5);

/** Bytes of a packet that may be sent. @throws MqttError 'bad-topic', 'bad-filter' or 'bad-packet' */
export function packetSize(packet: Outgoing): number {
  const body = bodyLength(packet);
  return body + headerLength(body);
}

/**
 * Says whether a packet may be sent. The packet identifier is not looked at: a packet is checked before it gets one.
 * @throws MqttError 'bad-topic', 'bad-filter', 'bad-packet' or 'packet-too-large'
 */
export function checkOutgoing(packet: Outgoing, maxPacketSize: number): void {
  const size = packetSize(packet);
  if (size > maxPacketSize) throw mqttError('packet-too-large', `packet of ${size} bytes exceeds ${maxPacketSize}`);
}
