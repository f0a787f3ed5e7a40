// PEM (RFC 7468) without help of a host: the certificates in a text, and a certificate as a text.

import { mqttError } from '../error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BEGIN = '-----BEGIN ';
const LABEL = 'CERTIFICATE-----';
const END = `-----END ${LABEL}`;

const bad = (message: string) => mqttError('bad-option', message, { reason: 'pem' });

/** Decodes base64 with white space anywhere. @throws MqttError 'bad-option' */
function decode(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length * 3) >> 2);
  let length = 0;
  let bits = 0;
  let digits = 0;
  let isPadded = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (character <= ' ') continue;
    if (character === '=') {
      isPadded = true;
      continue;
    }
    const value = ALPHABET.indexOf(character);
    if (value < 0 || isPadded) throw bad('a PEM certificate is damaged: it holds what is no base64');
    bits = ((bits << 6) | value) & 0xffffff;
    if (++digits % 4 === 1) continue;
    bytes[length++] = bits >> (6 - 2 * ((digits - 1) % 4));
  }
  if (digits === 0 || digits % 4 === 1) throw bad('a PEM certificate is cut short');
  return new Uint8Array(bytes.subarray(0, length)); // A copy of its own length.
}

/** What is in front of the certificates that somebody gave by mistake. */
function mistake(text: string): string {
  if (text.indexOf('PRIVATE KEY-----') >= 0)
    return 'this is a private key, not a certificate: give the root certificate';
  if (text.indexOf(`${BEGIN}TRUSTED ${LABEL}`) >= 0)
    return 'TRUSTED CERTIFICATE is a form of OpenSSL alone: give CERTIFICATE';
  if (text.indexOf(BEGIN) >= 0) return 'there is no BEGIN CERTIFICATE in this PEM';
  return 'this is neither PEM nor DER: give the root certificate as the platform offers it';
}

/** The certificates in a text, as DER, in their order. @throws MqttError 'bad-option' where there is none, or a damaged one */
export function fromPem(text: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = text.indexOf(BEGIN + LABEL); at >= 0; at = text.indexOf(BEGIN + LABEL, at)) {
    const start = at + BEGIN.length + LABEL.length;
    const end = text.indexOf(END, start);
    if (end < 0) throw bad('a PEM certificate is cut short: its END is missing');
    found.push(decode(text.slice(start, end)));
    at = end + END.length;
  }
  if (found.length === 0) throw bad(mistake(text));
  return found;
}

/** A certificate as PEM, in lines of 64. */
export function toPem(der: Uint8Array): string {
  let text = '';
  for (let i = 0; i < der.length; i += 3) {
    const left = der.length - i;
    const bits = (der[i]! << 16) | ((der[i + 1] ?? 0) << 8) | (der[i + 2] ?? 0);
    if (i % 48 === 0) text += '\n';
    for (let place = 0; place < 4; place++) {
      text += place <= left ? ALPHABET.charAt((bits >> (18 - 6 * place)) & 63) : '=';
    }
  }
  return `${BEGIN}${LABEL}${text}\n${END}\n`;
}
