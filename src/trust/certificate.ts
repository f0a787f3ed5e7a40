// What a device has to know of a root certificate (RFC 5280): whose it is, from when to when, and whether it is an authority's.
// It verifies nothing: that is for the host's TLS, which the root is given to.

import { millisOf } from '../calendar.ts';
import { textOf } from '../utf8.ts';
import { Der, Tag, unreadable } from './der.ts';

export interface Certificate {
  /** As it was given. */
  readonly der: Uint8Array;
  /** The common name of its subject, or else the organisation; empty where it has neither. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970: the last second at which it counts. */
  readonly notAfter: number;
  /** It may sign other certificates. */
  readonly isAuthority: boolean;
}

/** No root is nearly as long; also what lengths of three bytes are good for. */
const MAX_LENGTH = 16_384;

const MAX_NAME = 64;

const COMMON_NAME = '85.4.3';
const ORGANISATION = '85.4.10';
const BASIC_CONSTRAINTS = '85.29.19';
const KEY_USAGE = '85.29.15';

/** The bytes of an object identifier, for comparison. */
function oidOf({ bytes }: Der): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += (i > 0 ? '.' : '') + bytes[i];
  return text;
}

function numberOf(text: string, at: number, length: number): number {
  let number = 0;
  for (let i = at; i < at + length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) throw unreadable('its validity is no time');
    number = number * 10 + digit;
  }
  return number;
}

/** A UTCTime or a GeneralizedTime, both with seconds and in UTC, as RFC 5280 asks for. */
function timeOf(it: Der): number {
  const isShort = it.next() === Tag.UtcTime;
  const text = latin(it.read(isShort ? Tag.UtcTime : Tag.GeneralizedTime).bytes);
  const start = isShort ? 2 : 4;
  if (text.length !== start + 11 || text.charAt(start + 10) !== 'Z') throw unreadable('its validity is no time');
  const short = numberOf(text, 0, start);
  const year = isShort ? short + (short < 50 ? 2_000 : 1_900) : short;
  const part = (index: number) => numberOf(text, start + 2 * index, 2);
  const [month, day, hour, minute, second] = [part(0), part(1), part(2), part(3), part(4)];
  if (month! < 1 || month! > 12 || day! < 1 || day! > 31 || hour! > 23 || minute! > 59 || second! > 59) {
    throw unreadable('its validity is no time');
  }
  return millisOf(year, month!, day!, hour, minute, second);
}

function latin(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

function wide(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode((bytes[i]! << 8) | bytes[i + 1]!);
  return text;
}

/** A text that can be shown: some words of it are somebody else's. */
function shown(it: Der): string {
  const tag = it.next();
  const { bytes } = it.any();
  const short = bytes.subarray(0, 4 * MAX_NAME);
  const text = tag === Tag.Utf8String ? textOf(short) : tag === Tag.BmpString ? wide(short) : latin(short);
  return text.replace(/[^ -~\u00a1-\u2027\u202f-\ud7ff\ue000-\ufffd]+/g, ' ').slice(0, MAX_NAME);
}

/** The name of a subject: a sequence of sets of pairs of type and text. */
function subjectOf(name: Der): string {
  let organisation = '';
  while (!name.isEnd()) {
    const set = name.read(Tag.Set);
    while (!set.isEnd()) {
      const pair = set.read(Tag.Sequence);
      const type = oidOf(pair.read(Tag.Oid));
      if (type === COMMON_NAME) return shown(pair);
      if (type === ORGANISATION) organisation = shown(pair);
    }
  }
  return organisation;
}

/** Whether basicConstraints say so, and keyUsage, where it is there, does not speak against it. */
function mayAuthorise(extensions: Der): boolean {
  let isAuthority = false;
  let signs = true;
  while (!extensions.isEnd()) {
    const extension = extensions.read(Tag.Sequence);
    const type = oidOf(extension.read(Tag.Oid));
    extension.optional(Tag.Boolean); // Critical or not.
    const value = extension.read(Tag.OctetString);
    if (type === BASIC_CONSTRAINTS) isAuthority = value.read(Tag.Sequence).optional(Tag.Boolean)?.bytes[0] === 0xff;
    // The first byte of the bits says how many at their end do not count; keyCertSign is the sixth.
    if (type === KEY_USAGE) signs = ((value.read(Tag.BitString).bytes[1] ?? 0) & 4) > 0;
  }
  return isAuthority && signs;
}

/** Reads one certificate. @throws MqttError 'bad-option' that says what is wrong with it */
export function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_LENGTH) throw unreadable(`it is longer than ${MAX_LENGTH} bytes`);
  const whole = new Der(der);
  const certificate = whole.read(Tag.Sequence);
  if (!whole.isEnd()) throw unreadable('there is something behind it');
  const signed = certificate.read(Tag.Sequence);
  certificate.read(Tag.Sequence); // The algorithm of its signature.
  certificate.read(Tag.BitString);
  signed.optional(Tag.Version);
  signed.read(Tag.Integer); // The serial number.
  signed.read(Tag.Sequence);
  signed.read(Tag.Sequence); // The issuer.
  const validity = signed.read(Tag.Sequence);
  const notBefore = timeOf(validity);
  const notAfter = timeOf(validity);
  const subject = subjectOf(signed.read(Tag.Sequence));
  signed.read(Tag.Sequence); // The public key.
  signed.optional(Tag.IssuerId);
  signed.optional(Tag.SubjectId);
  const extensions = signed.optional(Tag.Extensions)?.read(Tag.Sequence);
  return { der, subject, notBefore, notAfter, isAuthority: extensions !== undefined && mayAuthorise(extensions) };
}
