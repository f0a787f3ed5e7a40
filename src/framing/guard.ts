// Cuts the byte stream into whole packets and refuses every malformed or illegal one before the codec sees it (2.2, 3).
// What can be told from the fixed header is told before a byte of the body is stored.

import { malformed, mqttError, unexpected } from '../error.ts';
import { readUtf8 } from '../utf8.ts';
import { PacketType } from './packet.ts';
import { refuse } from './refuse.ts';

/** Bit n is set where a server sends packet type n (2.2.1). */
const FROM_SERVER = 0b0010_1010_1111_1100;

const FLAG_BITS = 0x0f;
const DUP = 0x08;
const QOS_BITS = 0x06;

/** Longest fixed header: type and flags, then up to four bytes of Remaining Length (2.2.3). */
const MAX_HEADER = 5;

const malformedIf = (bad: boolean, clause: string, message: string): void =>
  refuse(bad, 'malformed-packet', clause, message);

/** What the first byte alone gives away. */
function checkFirstByte(first: number): void {
  const type = first >> 4;
  if (!((FROM_SERVER >> type) & 1)) throw unexpected(`a server never sends packet type ${type}`, 'MQTT-4.8.0-1');
  if (type === PacketType.Publish) {
    malformedIf((first & QOS_BITS) === QOS_BITS, 'MQTT-3.3.1-4', 'PUBLISH with QoS 3');
    malformedIf((first & (DUP | QOS_BITS)) === DUP, 'MQTT-3.3.1-2', 'PUBLISH with QoS 0 and DUP');
  } else {
    const flags = type === PacketType.Pubrel ? 2 : 0;
    malformedIf((first & FLAG_BITS) !== flags, 'MQTT-2.2.2-2', 'reserved flags are wrong');
  }
}

/** What the whole fixed header gives away. */
function checkLength(first: number, remaining: number): void {
  const type = first >> 4;
  const isPublish = type === PacketType.Publish;
  const least = isPublish && first & QOS_BITS ? 5 : isPublish || type === PacketType.Suback ? 3 : 2;
  const fits = type === PacketType.Pingresp ? remaining === 0 : least > 2 ? remaining >= least : remaining === least;
  if (!fits) throw malformed(`packet type ${type} with Remaining Length ${remaining}`, '2.2.3');
}

const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/** A topic name from the wire: well-formed, no U+0000, no wildcard (1.5.3, 3.3.2.1). */
function checkTopic(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; ) {
    const read = readUtf8(bytes, at, end);
    const code = read >> 3;
    malformedIf(read < 0, 'MQTT-1.5.3-1', 'topic is not well-formed UTF-8');
    malformedIf(code === 0, 'MQTT-1.5.3-2', 'topic holds U+0000');
    malformedIf(code === 0x23 || code === 0x2b, 'MQTT-3.3.2-2', 'topic holds a wildcard');
    at += read & 7;
  }
}

/** What a whole packet gives away. `start` is where its variable header begins. */
function checkBody(bytes: Uint8Array, start: number): void {
  const first = bytes[0]!;
  const type = first >> 4;
  if (type === PacketType.Pingresp) return;
  if (type === PacketType.Connack) {
    const flags = bytes[start]!;
    const returnCode = bytes[start + 1]!;
    malformedIf(flags > 1, '3.2.2.1', 'CONNACK flags 7 to 1 must be 0');
    malformedIf(returnCode > 5, '3.2.2.3', 'CONNACK return code is reserved');
    malformedIf(flags > 0 && returnCode > 0, 'MQTT-3.2.2-4', 'a refusal with Session Present');
    return;
  }
  let idAt = start;
  if (type === PacketType.Publish) {
    const size = first & QOS_BITS ? 2 : 0;
    idAt += 2 + word(bytes, start);
    malformedIf(idAt === start + 2, 'MQTT-4.7.3-1', 'topic is empty');
    malformedIf(idAt + size > bytes.length, '3.3.2', 'topic or packet identifier is cut short');
    checkTopic(bytes, start + 2, idAt);
    if (size === 0) return;
  }
  malformedIf(word(bytes, idAt) === 0, 'MQTT-2.3.1-1', 'packet identifier 0');
  if (type !== PacketType.Suback) return;
  for (let at = start + 2; at < bytes.length; at++) {
    const code = bytes[at]!;
    malformedIf(code > 2 && code !== 0x80, 'MQTT-3.9.3-2', 'SUBACK return code is reserved');
  }
}

/** Takes a whole, legal packet, and where its variable header begins. The bytes between that and the first are not to be read. */
export type Taker = (packet: Uint8Array, start: number) => void;

/** Absorbs bytes cut anywhere; hands on whole, legal packets. Each network connection needs one of its own. */
export class Guard {
  maxPacketSize: number;
  /** Of the fixed header so far: its first byte, and how many there are. The length bytes are needed no more once they were read. */
  first = 0;
  headerLength = 0;
  /** Remaining Length as far as it was read. */
  remaining = 0;
  /** The packet whose header is here whole, and how much of it is here. */
  held: Uint8Array | undefined = undefined;
  filled = 0;
  /** Nothing that follows a bad packet is read [MQTT-4.8.0-1]. */
  spoiled = false;

  /** @param maxPacketSize in bytes, fixed header included */
  constructor(maxPacketSize: number) {
    this.maxPacketSize = maxPacketSize;
  }

  /**
   * Calls `each` with the bytes of every packet that is whole by now. After a throw it takes no more.
   * @throws MqttError 'malformed-packet' or 'unexpected-packet'
   */
  push(bytes: Uint8Array, each: Taker): void {
    if (this.spoiled) return;
    this.spoiled = true; // Stays so when anything below throws.
    for (let at = 0; at < bytes.length; ) {
      if (!this.held) at = this.readHeader(bytes, at);
      const { held } = this;
      if (!held) continue;
      if (this.filled < held.length) {
        // Espruino's subarray() goes past the end when it is told to.
        const end = Math.min(bytes.length, at + held.length - this.filled);
        held.set(bytes.subarray(at, end), this.filled);
        this.filled += end - at;
        at = end;
        if (this.filled < held.length) continue;
      }
      const start = this.headerLength;
      this.headerLength = 0;
      this.held = undefined;
      checkBody(held, start);
      each(held, start);
    }
    this.spoiled = false;
  }

  /** Takes one byte of the fixed header, and with its last one the packet, where this chunk holds it whole. */
  readHeader(bytes: Uint8Array, at: number): number {
    const byte = bytes[at]!;
    const length = ++this.headerLength;
    const next = at + 1;
    if (length === 1) {
      checkFirstByte(byte);
      this.first = byte;
      this.remaining = 0;
      return next;
    }
    this.remaining |= (byte & 0x7f) << (7 * (length - 2));
    if (byte & 0x80) {
      malformedIf(length === MAX_HEADER, '2.2.3', 'Remaining Length is longer than four bytes');
      return next;
    }
    checkLength(this.first, this.remaining);
    const size = length + this.remaining;
    if (size > this.maxPacketSize) {
      const message = `packet of ${size} bytes exceeds ${this.maxPacketSize}`;
      throw mqttError('malformed-packet', message, { reason: 'too-large' });
    }
    const start = next - length;
    if (start >= 0 && start + size <= bytes.length) {
      this.held = bytes.subarray(start, start + size);
      this.filled = size;
      return start + size;
    }
    this.held = new Uint8Array(size);
    this.held[0] = this.first;
    this.filled = length;
    return next;
  }
}
