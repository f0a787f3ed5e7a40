// UTF-8 as MQTT wants it (1.5.3), without TextEncoder, which small hosts lack.

/** Length of `text` in UTF-8 bytes, or -1 when it holds a lone surrogate [MQTT-1.5.3-1]. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    if ((unit & 0xf800) === 0xd800) {
      if (unit > 0xdbff || (text.charCodeAt(i + 1) & 0xfc00) !== 0xdc00) return -1;
      i++; // Two units of the text, four bytes: the pair has been counted whole.
    }
  }
  return length;
}

/** Writes well-formed `text` at `offset` and returns the offset behind it. */
export function writeUtf8(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      target[at++] = code;
      continue;
    }
    if (code < 0x800) {
      target[at++] = 0xc0 | (code >> 6);
    } else {
      if ((code & 0xf800) === 0xd800) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
        target[at++] = 0xf0 | (code >> 18);
        target[at++] = 0x80 | ((code >> 12) & 0x3f);
      } else {
        target[at++] = 0xe0 | (code >> 12);
      }
      target[at++] = 0x80 | ((code >> 6) & 0x3f);
    }
    target[at++] = 0x80 | (code & 0x3f);
  }
  return at;
}

/** The UTF-8 bytes of `text`, or undefined when it holds a lone surrogate. */
export function utf8(text: string): Uint8Array | undefined {
  const length = utf8Length(text);
  if (length < 0) return undefined;
  const bytes = new Uint8Array(length);
  writeUtf8(text, bytes, 0);
  return bytes;
}

/**
 * The code point that starts at `at`, as `code point * 8 + length in bytes`, or -1 when the bytes up to `end` are not
 * well-formed: cut short, overlong, a surrogate or above U+10FFFF [MQTT-1.5.3-1].
 */
export function readUtf8(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return lead * 8 + 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return -1;
  let code = lead & (0x7f >> length);
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i]!;
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  if (length === 3 && (code < 0x800 || (code & 0xf800) === 0xd800)) return -1;
  if (length === 4 && (code < 0x10000 || code > 0x10ffff)) return -1;
  return code * 8 + length;
}

/** The text of UTF-8; it ends in a lone surrogate where the bytes are not well-formed. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const read = readUtf8(bytes, at, bytes.length);
    if (read < 0) return `${text}\ud800`; // Not well-formed: nor is the text, so that whoever checks it will see.
    const code = read >> 3;
    text += code < 0x10000 ? String.fromCharCode(code) : surrogates(code - 0x10000);
    at += read & 7;
  }
  return text;
}

const surrogates = (code: number): string => String.fromCharCode(0xd800 | (code >> 10), 0xdc00 | (code & 0x3ff));
