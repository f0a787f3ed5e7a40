// A set of root certificates: read from what an app has, checked as a candidate, and made a record of.

import { dayOf } from '../calendar.ts';
import { type MqttError, mqttError } from '../error.ts';
import { type Certificate, readCertificate } from './certificate.ts';
import { fromPem } from './pem.ts';

/** PEM as a text or as bytes, one or more certificates in it; or DER, one certificate. */
export type RootsInput = string | Uint8Array | readonly (string | Uint8Array)[];

export type Roots = readonly Certificate[];

const MAX_ROOTS = 16;

const bad = (reason: string, message: string): MqttError => mqttError('bad-option', message, { reason });

const DER_BEGIN = 0x30;

/** PEM is in ASCII: what is not makes it none. */
function asciiOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** No set of that size is meant as one; 16 roots of RSA 4096 take less. */
const MAX_LENGTH = 65_536;

function dersOf(part: unknown): readonly Uint8Array[] {
  const isText = typeof part === 'string';
  if (!isText && !(part instanceof Uint8Array)) throw bad('pem', 'roots must be PEM, or DER in a Uint8Array');
  if (part.length > MAX_LENGTH) throw bad('pem', `roots of more than ${MAX_LENGTH} bytes are no roots`);
  if (isText) return fromPem(part);
  // A copy: an app may use its buffer again.
  return part[0] === DER_BEGIN ? [new Uint8Array(part)] : fromPem(asciiOf(part));
}

/** Reads a set. @throws MqttError 'bad-option' that says what is wrong with it */
export function readRoots(input: RootsInput): Roots {
  const parts: readonly unknown[] = Array.isArray(input) ? input : [input];
  const roots: Certificate[] = [];
  for (const part of parts) {
    for (const der of dersOf(part)) {
      if (roots.length === MAX_ROOTS) throw bad('pem', `a set holds ${MAX_ROOTS} roots at most`);
      roots.push(readCertificate(der));
    }
  }
  if (roots.length === 0) throw bad('pem', 'a set of no roots trusts nobody');
  for (const root of roots) {
    if (root.isAuthority) continue;
    throw bad('no-authority', `${nameOf(root)} is no authority's: give the root certificate, not that of the server`);
  }
  return roots;
}

/** How a certificate is called in a sentence. */
export const nameOf = ({ subject }: Certificate): string =>
  subject === '' ? 'a root certificate' : `the certificate ${subject}`;

/** The last moment at which any of them counts. */
export function endOf(roots: Roots): number {
  let end = 0;
  for (const { notAfter } of roots) if (notAfter > end) end = notAfter;
  return end;
}

/** Those that have not ended. */
export const stillValid = (roots: Roots, now: number): Roots => roots.filter(({ notAfter }) => notAfter >= now);

/** Throws unless a candidate may be tried now. @throws MqttError 'bad-option' */
export function checkCandidate(roots: Roots, now: number): void {
  for (const root of roots) {
    if (root.notAfter < now) throw bad('ca-expired', `${nameOf(root)} ended on ${dayOf(root.notAfter)}`);
    if (root.notBefore <= now) continue;
    const today = dayOf(now);
    throw bad(
      'clock',
      `${nameOf(root)} begins on ${dayOf(root.notBefore)}, and the clock of this device says ${today}: set the clock first`,
    );
  }
}

/** Typed arrays of small engines have no every(). */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether two sets hold the same certificates in the same order. */
export const isSame = (a: Roots, b: Roots): boolean =>
  a.length === b.length && a.every(({ der }, index) => isEqual(der, b[index]!.der));

const VERSION = 1;

/** Version, number of roots; then for each its length in two bytes, and its DER. */
export function encodeRoots(roots: Roots): Uint8Array {
  let length = 2;
  for (const { der } of roots) length += 2 + der.length;
  const record = new Uint8Array(length);
  record.set([VERSION, roots.length]);
  let at = 2;
  for (const { der } of roots) {
    record.set([der.length >> 8, der.length], at);
    record.set(der, at + 2);
    at += 2 + der.length;
  }
  return record;
}

/** The set in a record, or undefined where it is none of ours. */
export function decodeRoots(record: Uint8Array | undefined): Roots | undefined {
  if (!record || record[0] !== VERSION) return undefined;
  const ders: Uint8Array[] = [];
  for (let at = 2; at + 2 <= record.length; ) {
    const end = at + 2 + ((record[at]! << 8) | record[at + 1]!);
    ders.push(record.subarray(at + 2, end));
    at = end;
  }
  try {
    const roots = readRoots(ders);
    return roots.length === record[1] ? roots : undefined;
  } catch {
    return undefined;
  }
}
