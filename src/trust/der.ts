// Reads DER (X.690) as far as a certificate needs it: definite lengths, one-byte tags, no recursion. Input may be hostile: every
// step is bounded by what it lies in.

import { type MqttError, mqttError } from '../error.ts';

/** Tags of what a certificate is made of. */
export const Tag = Object.freeze({
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  Oid: 0x06,
  Utf8String: 0x0c,
  PrintableString: 0x13,
  TeletexString: 0x14,
  Ia5String: 0x16,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  BmpString: 0x1e,
  Sequence: 0x30,
  Set: 0x31,
  /** [0] to [3] of a TBSCertificate: version, the two unique identifiers, extensions. */
  Version: 0xa0,
  IssuerId: 0x81,
  SubjectId: 0x82,
  Extensions: 0xa3,
} as const);

export const unreadable = (what: string): MqttError =>
  mqttError('bad-option', `a certificate cannot be read: ${what}`, { reason: 'certificate' });

/** The contents of one element, read from the front. */
export class Der {
  readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  isEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** The tag of the next element, or undefined at the end. */
  next(): number | undefined {
    return this.bytes[this.at];
  }

  /** The contents of the next element, which has to have this tag. @throws MqttError 'bad-option' */
  read(tag: number): Der {
    const { bytes } = this;
    if (this.at + 2 > bytes.length) throw unreadable('it is cut short');
    if (bytes[this.at] !== tag) throw unreadable('it is not one, or damaged');
    const first = bytes[this.at + 1]!;
    let start = this.at + 2;
    let length = first;
    if (first > 0x7f) {
      const octets = first & 0x7f;
      if (octets < 1 || octets > 3) throw unreadable('it is not one, or damaged');
      if (start + octets > bytes.length) throw unreadable('it is cut short');
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + bytes[start + i]!;
      // DER allows the shortest form only.
      if (length < 0x80 || bytes[start] === 0) throw unreadable('it is not one, or damaged');
      start += octets;
    }
    if (start + length > bytes.length) throw unreadable('it is cut short');
    this.at = start + length;
    return new Der(bytes.subarray(start, this.at));
  }

  /** As {@link Der.read} where the next element has this tag, else undefined. */
  optional(tag: number): Der | undefined {
    return this.next() === tag ? this.read(tag) : undefined;
  }

  /** The contents of the next element, whatever it is. */
  any(): Der {
    return this.read(this.next() ?? 0);
  }
}
