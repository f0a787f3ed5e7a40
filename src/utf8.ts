// UTF-8 as MQTT wants it (1.5.3), without TextEncoder, which small hosts lack.

/** Writes `text` at `offset` and returns the offset behind it, or -1 when it holds a lone surrogate [MQTT-1.5.3-1]. */
export function writeUtf8(text: string, target: Uint8Array | undefined, offset: number): number {
  let at = offset;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    // Bytes that follow the first one. Espruino's texts are of code points, others' of UTF-16.
    let more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    if (code >> 11 === 0x1b) {
      const low = text.charCodeAt(++i);
      if (code > 0xdbff || (low & 0xfc00) !== 0xdc00) return -1;
      code = ((code & 0x3ff) << 10) + low + 0x2400;
      more = 3;
    }
    if (target) target[at] = more ? (0xf80 >> more) | (code >> (6 * more)) : code; // Its low eight bits are kept.
    at++;
    while (more--) {
      if (target) target[at] = 0x80 | ((code >> (6 * more)) & 0x3f);
      at++;
    }
  }
  return at;
}

/** Length of `text` in UTF-8 bytes, or -1 when it holds a lone surrogate. */
export const utf8Length = (text: string): number => writeUtf8(text, undefined, 0);

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
  const least = length < 3 ? 0 : length < 4 ? 0x800 : 0x10000;
  return code < least || code > 0x10ffff || code >> 11 === 0x1b ? -1 : code * 8 + length; // D800 to DFFF: surrogates.
}

/** The text of UTF-8; it ends in a lone surrogate where the bytes are not well-formed. */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const read = readUtf8(bytes, at, bytes.length);
    if (read < 0) return `${text}\ud800`; // Not well-formed: nor is the text, so that whoever checks it will see.
    const code = read >> 3;
    text +=
      code < 0x10000 ? String.fromCharCode(code) : String.fromCharCode(0xd7c0 + (code >> 10), 0xdc00 | (code & 0x3ff)); // A pair of surrogates.
    at += read & 7;
  }
  return text;
}
