// Cuts the byte stream into whole packets and refuses every malformed or illegal one before the codec sees it (2.2, 3).
// What can be told from the fixed header is told before a byte of the body is stored.

import { type MqttError, malformed, mqttError, unexpected } from '../error.ts';
import { readUtf8 } from '../utf8.ts';
import { PacketType } from './packet.ts';

/** By packet type: 1 for those that a server sends (2.2.1). */
const FROM_SERVER = Object.freeze([0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0]);

/** By packet type: the Remaining Length that the packet must have, or -1 where it varies. */
const EXACT_LENGTH = Object.freeze([-1, -1, 2, -1, 2, 2, 2, 2, -1, -1, -1, 2, -1, 0, -1, -1]);

const FLAG_BITS = 0x0f;
const DUP = 0x08;
const QOS_BITS = 0x06;

/** Longest fixed header: type and flags, then up to four bytes of Remaining Length (2.2.3). */
const MAX_HEADER = 5;

const qosOf = (first: number): number => (first & QOS_BITS) >> 1;

/** What the first byte alone gives away. */
function faultInFirstByte(first: number): MqttError | undefined {
  const type = first >> 4;
  if (!FROM_SERVER[type]) return unexpected(`a server never sends packet type ${type}`, 'MQTT-4.8.0-1');
  if (type === PacketType.Publish) {
    if (qosOf(first) === 3) return malformed('PUBLISH with QoS 3', 'MQTT-3.3.1-4');
    if (first & DUP && qosOf(first) === 0) return malformed('PUBLISH with QoS 0 and DUP', 'MQTT-3.3.1-2');
  } else if ((first & FLAG_BITS) !== (type === PacketType.Pubrel ? 2 : 0)) {
    return malformed(`reserved flags of packet type ${type} are wrong`, 'MQTT-2.2.2-2');
  }
  return undefined;
}

/** What the whole fixed header gives away. */
function faultInLength(first: number, remaining: number): MqttError | undefined {
  const type = first >> 4;
  const exact = EXACT_LENGTH[type]!;
  const least = type === PacketType.Publish ? (qosOf(first) > 0 ? 5 : 3) : type === PacketType.Suback ? 3 : 0;
  if (exact >= 0 ? remaining !== exact : remaining < least) {
    return malformed(`packet type ${type} with Remaining Length ${remaining}`, '2.2.3');
  }
  return undefined;
}

function faultInConnack(flags: number, returnCode: number): MqttError | undefined {
  if (flags > 1) return malformed('CONNACK flags 7 to 1 must be 0', '3.2.2.1');
  if (returnCode > 5) return malformed(`CONNACK return code ${returnCode} is reserved`, '3.2.2.3');
  if (flags === 1 && returnCode !== 0) return malformed('a refusal with Session Present', 'MQTT-3.2.2-4');
  return undefined;
}

/** A topic name from the wire: well-formed, no U+0000, no wildcard (1.5.3, 3.3.2.1). */
function faultInTopic(bytes: Uint8Array, start: number, end: number): MqttError | undefined {
  for (let at = start; at < end; ) {
    const read = readUtf8(bytes, at, end);
    if (read < 0) return malformed('topic is not well-formed UTF-8', 'MQTT-1.5.3-1');
    const code = read >> 3;
    if (code === 0) return malformed('topic holds U+0000', 'MQTT-1.5.3-2');
    if (code === 0x23 || code === 0x2b) return malformed('topic holds a wildcard', 'MQTT-3.3.2-2');
    at += read & 7;
  }
  return undefined;
}

function faultInPublish(bytes: Uint8Array, start: number, qos: number): MqttError | undefined {
  const length = (bytes[start]! << 8) | bytes[start + 1]!;
  const end = start + 2 + length;
  if (length === 0) return malformed('topic is empty', 'MQTT-4.7.3-1');
  if (end + (qos > 0 ? 2 : 0) > bytes.length) return malformed('topic or packet identifier is cut short', '3.3.2');
  if (qos > 0 && (bytes[end]! | bytes[end + 1]!) === 0) return malformed('packet identifier 0', 'MQTT-2.3.1-1');
  return faultInTopic(bytes, start + 2, end);
}

/** What a whole packet gives away. `start` is where its variable header begins. */
function faultInBody(bytes: Uint8Array, start: number): MqttError | undefined {
  const first = bytes[0]!;
  switch (first >> 4) {
    case PacketType.Connack:
      return faultInConnack(bytes[start]!, bytes[start + 1]!);
    case PacketType.Publish:
      return faultInPublish(bytes, start, qosOf(first));
    case PacketType.Pingresp:
      return undefined;
  }
  if ((bytes[start]! | bytes[start + 1]!) === 0) return malformed('packet identifier 0', 'MQTT-2.3.1-1');
  if (first >> 4 === PacketType.Suback) {
    for (let at = start + 2; at < bytes.length; at++) {
      if (bytes[at]! > 2 && bytes[at] !== 0x80) return malformed(`SUBACK return code ${bytes[at]}`, 'MQTT-3.9.3-2');
    }
  }
  return undefined;
}

/** Absorbs bytes cut anywhere; hands on whole, legal packets. */
export class Guard {
  maxPacketSize: number;
  /** The fixed header so far, when it began in an earlier chunk or in this one. */
  header = new Uint8Array(MAX_HEADER);
  headerLength = 0;
  /** Remaining Length as far as it was read. */
  remaining = 0;
  /** A packet that began in an earlier chunk, and how much of it is here. */
  held: Uint8Array | undefined = undefined;
  filled = 0;
  spoiled = false;

  /** @param maxPacketSize in bytes, fixed header included */
  constructor(maxPacketSize: number) {
    this.maxPacketSize = maxPacketSize;
  }

  reset(): void {
    this.headerLength = 0;
    this.remaining = 0;
    this.held = undefined;
    this.spoiled = false;
  }

  /**
   * Calls `each` with the bytes of every packet that is whole by now. After a throw it takes no more until reset.
   * @throws MqttError 'malformed-packet' or 'unexpected-packet'
   */
  push(bytes: Uint8Array, each: (packet: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.length && !this.spoiled) {
      at = this.held ? this.fill(bytes, at, each) : this.readHeader(bytes, at, each);
    }
  }

  /** Takes one byte of the fixed header, and the body with it where this chunk holds it whole. */
  readHeader(bytes: Uint8Array, at: number, each: (packet: Uint8Array) => void): number {
    const byte = bytes[at]!;
    const index = this.headerLength++;
    this.header[index] = byte;
    if (index === 0) {
      this.refuse(faultInFirstByte(byte));
      return at + 1;
    }
    this.remaining += (byte & 0x7f) * 128 ** (index - 1);
    if (byte & 0x80) {
      if (index === MAX_HEADER - 1) this.refuse(malformed('Remaining Length is longer than four bytes', '2.2.3'));
      return at + 1;
    }
    this.refuse(faultInLength(this.header[0]!, this.remaining));
    const size = this.headerLength + this.remaining;
    if (size > this.maxPacketSize) {
      this.refuse(
        mqttError('malformed-packet', `packet of ${size} bytes exceeds ${this.maxPacketSize}`, { reason: 'too-large' }),
      );
    }
    const start = at + 1 - this.headerLength;
    if (start >= 0 && start + size <= bytes.length) {
      this.pass(bytes.subarray(start, start + size), each);
      return start + size;
    }
    this.held = new Uint8Array(size);
    this.held.set(this.header.subarray(0, this.headerLength));
    this.filled = this.headerLength;
    return this.fill(bytes, at + 1, each); // Whole already when nothing follows the header.
  }

  /** Continues a packet that began earlier. */
  fill(bytes: Uint8Array, at: number, each: (packet: Uint8Array) => void): number {
    const held = this.held!;
    const end = Math.min(bytes.length, at + held.length - this.filled);
    held.set(bytes.subarray(at, end), this.filled);
    this.filled += end - at;
    if (this.filled === held.length) {
      this.held = undefined;
      this.pass(held, each);
    }
    return end;
  }

  pass(packet: Uint8Array, each: (packet: Uint8Array) => void): void {
    const start = this.headerLength;
    this.headerLength = 0;
    this.remaining = 0;
    this.refuse(faultInBody(packet, start));
    this.spoiled = true; // Stays so when the taker throws.
    each(packet);
    this.spoiled = false;
  }

  /** Nothing that follows a bad packet is read [MQTT-4.8.0-1]. */
  refuse(fault: MqttError | undefined): void {
    if (fault === undefined) return;
    this.spoiled = true;
    throw fault;
  }
}
