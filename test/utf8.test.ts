import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUtf8, utf8, utf8Length, writeUtf8 } from '../src/utf8.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** With the flag u a pair of surrogates is one character, and no surrogate. */
const isWellFormed = (it: string): boolean => !/\p{Cs}/u.test(it);

/** What Node makes of the bytes, or undefined. */
function expected(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What repeated readUtf8 makes of the bytes up to `end`, or undefined. */
function decode(bytes: Uint8Array, end = bytes.length): string | undefined {
  let text = '';
  for (let at = 0; at < end; ) {
    const read = readUtf8(bytes, at, end);
    if (read < 0) return undefined;
    text += String.fromCodePoint(read >> 3);
    at += read & 7;
  }
  return text;
}

const alike = (bytes: Uint8Array): void =>
  assert.equal(decode(bytes), expected(bytes), Buffer.from(bytes).toString('hex'));

/** Any 16-bit units, so that surrogates stand alone or in the wrong order often enough. */
const unit = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
  fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfeff, 0xffff),
);
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(unit).map((units) => String.fromCharCode(...units)),
);

/** Bytes near the borders of UTF-8's ranges. */
const BORDERS = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];

test('a text of code points, as Espruino has them, becomes the same bytes', () => {
  for (const code of [0x41, 0xe9, 0x7ff, 0x4f20, 0xffff, 0x1_0000, 0x1_f600, 0x10_ffff]) {
    const text = { length: 1, charCodeAt: () => code } as unknown as string;
    assert.deepEqual(utf8(text), encoder.encode(String.fromCodePoint(code)), code.toString(16));
  }
});

test('[MQTT-1.5.3-1] texts become the same bytes as with TextEncoder, and lone surrogates none', () => {
  fc.assert(
    fc.property(text, (it) => {
      const well = isWellFormed(it);
      const bytes = encoder.encode(it);
      assert.equal(utf8Length(it), well ? bytes.length : -1);
      assert.deepEqual(utf8(it), well ? bytes : undefined);
    }),
    { numRuns: 1_000 },
  );
});

test('[MQTT-1.5.3-1] every lone surrogate is found wherever it stands', () => {
  for (const lone of ['\ud800', '\udbff', '\udc00', '\udfff', '\udc00\ud800', '\ud800\ud800\udc00', '\ud800\ue000']) {
    for (const it of [lone, `a${lone}`, `${lone}a`, `\u{1f600}${lone}`, `${lone}\u20ac`]) {
      assert.equal(utf8Length(it), -1);
      assert.equal(utf8(it), undefined);
    }
  }
});

test('writing starts at the offset, ends behind the text and touches nothing else', () => {
  fc.assert(
    fc.property(text, fc.nat({ max: 9 }), (it, offset) => {
      fc.pre(isWellFormed(it));
      const bytes = encoder.encode(it);
      const target = new Uint8Array(offset + bytes.length + 3).fill(0xee);
      const model = target.slice();
      model.set(bytes, offset);
      assert.equal(writeUtf8(it, target, offset), offset + bytes.length);
      assert.deepEqual(target, model);
    }),
  );
});

test('[MQTT-1.5.3-3] random and well-formed bytes are read as TextDecoder reads them, U+FEFF kept', () => {
  const wellFormed = text.map((it) => encoder.encode(it));
  const nearly = fc.tuple(wellFormed, fc.nat(), fc.constantFrom(...BORDERS)).map(([bytes, at, byte]) => {
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), wellFormed, nearly), alike), { numRuns: 2_000 });
  assert.equal(decode(encoder.encode('\ufeffa\ufeff')), '\ufeffa\ufeff');
});

test('[MQTT-1.5.3-1] every sequence of one and of two bytes is judged as TextDecoder judges it', () => {
  for (let first = 0; first < 256; first++) {
    alike(Uint8Array.of(first));
    for (let second = 0; second < 256; second++) alike(Uint8Array.of(first, second));
  }
});

test('[MQTT-1.5.3-1] the borders of three and four bytes are judged as TextDecoder judges them', () => {
  for (let lead = 0xdf; lead < 0x100; lead++) {
    for (const second of BORDERS) {
      for (const third of BORDERS) {
        alike(Uint8Array.of(lead, second, third));
        for (const fourth of BORDERS) alike(Uint8Array.of(lead, second, third, fourth));
      }
    }
  }
});

test('[MQTT-1.5.3-1] a character that goes on behind the end is cut short', () => {
  for (const it of ['é', '€', '\u{1f600}']) {
    const bytes = encoder.encode(it);
    for (let end = 1; end < bytes.length; end++) assert.equal(decode(bytes, end), undefined);
    assert.equal(decode(bytes), it);
  }
});
