// Certificates and PEM, read without help of a host: compared with Node, and fed with what is damaged on purpose.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import type { MqttError } from '../../src/index.ts';
import { fromPem, readCertificate, readRoots, toPem } from '../../src/trust.ts';
import { makeAuthority, makeDeviceCertificate, makeServer } from '../platform/certificates.ts';

let root: Uint8Array;
let leaf: Uint8Array;
let rootPem: string;
let leafPem: string;
before(async () => {
  const authority = await makeAuthority('Fleet Root 设备');
  rootPem = authority.certificate;
  leafPem = (await makeDeviceCertificate(authority, 'device')).certificate;
  root = fromPem(rootPem)[0]!;
  leaf = fromPem(leafPem)[0]!;
});

/** What it throws is typed, and says what is wrong. */
function refusal(call: () => unknown): MqttError | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    assert.equal((error as MqttError).code, 'bad-option', String((error as Error).stack));
    return error as MqttError;
  }
}

test('every root that Node ships is read as Node reads it', () => {
  assert.ok(rootCertificates.length > 100, `${rootCertificates.length} roots`);
  let authorities = 0;
  for (const pem of rootCertificates) {
    const node = new X509Certificate(pem);
    const [der] = fromPem(pem);
    assert.deepEqual(Buffer.from(der!), node.raw);
    const ours = readCertificate(der!);
    assert.equal(ours.notBefore, Date.parse(node.validFrom));
    assert.equal(ours.notAfter, Date.parse(node.validTo));
    const name = (field: string) =>
      node.subject
        .split('\n')
        .find((it) => it.startsWith(`${field}=`))
        ?.slice(field.length + 1);
    assert.equal(ours.subject, (name('CN') ?? name('O') ?? '').replaceAll('\\', '').slice(0, 64));
    assert.equal(ours.isAuthority, node.ca, ours.subject);
    if (ours.isAuthority) authorities++;
    assert.equal(toPem(der!).trim(), node.toString().trim());
  }
  assert.ok(authorities > 100, `${authorities} authorities`);
});

test("names in other scripts are read; a server's and a device's certificate are no authority's", () => {
  assert.equal(readCertificate(root).subject, 'Fleet Root 设备');
  assert.equal(readCertificate(root).isAuthority, true);
  assert.equal(readCertificate(leaf).isAuthority, false);
  assert.equal(readCertificate(leaf).subject, 'device');
});

test('wrong input: DER that is cut short anywhere is refused, and the sentence says so', () => {
  for (let length = 1; length < root.length; length++) {
    const error = refusal(() => readCertificate(root.subarray(0, length)));
    assert.equal(error?.message, 'a certificate cannot be read: it is cut short', `${length} bytes`);
  }
});

test('something behind a certificate, nothing at all, or far too much is refused', () => {
  const behind = new Uint8Array(root.length + 1);
  behind.set(root);
  assert.equal(
    refusal(() => readCertificate(behind))?.message,
    'a certificate cannot be read: there is something behind it',
  );
  assert.equal(
    refusal(() => readCertificate(new Uint8Array(0)))?.message,
    'a certificate cannot be read: it is cut short',
  );
  assert.equal(
    refusal(() => readCertificate(new Uint8Array(16_385)))?.message,
    'a certificate cannot be read: it is longer than 16384 bytes',
  );
});

test('whatever single bit is changed, it is read or refused, never anything else; what Node reads too reads the same', () => {
  for (let bit = 0; bit < root.length * 8; bit++) {
    const changed = new Uint8Array(root);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    compare(changed);
  }
});

/** Reads the times as Node does, or not at all. Whether the rest makes sense is for the host's TLS, at the first dial. */
function compare(der: Uint8Array): void {
  let ours: ReturnType<typeof readCertificate> | undefined;
  refusal(() => {
    ours = readCertificate(der);
  });
  if (!ours) return;
  let node: X509Certificate;
  try {
    node = new X509Certificate(der);
  } catch {
    return; // It checks more than we look at.
  }
  const [from, to] = [Date.parse(node.validFrom), Date.parse(node.validTo)];
  if (!Number.isNaN(from)) assert.equal(ours.notBefore, from);
  if (!Number.isNaN(to)) assert.equal(ours.notAfter, to);
}

test('fuzzed: arbitrary bytes, and certificates cut, spliced and overwritten, are read or refused', () => {
  const splice = fc
    .tuple(fc.nat(1_000), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([at, gone, put]) => Uint8Array.from([...root.slice(0, at), ...put, ...root.slice(at + gone)]));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), compare), { numRuns: 20_000 });
  fc.assert(fc.property(splice, compare), { numRuns: 20_000 });
});

/** One element. */
const element = (tag: number, ...parts: (number | Uint8Array)[]): Uint8Array => {
  const contents = parts.flatMap((it) => (typeof it === 'number' ? [it] : [...it]));
  const length =
    contents.length < 128
      ? [contents.length]
      : contents.length < 256
        ? [0x81, contents.length]
        : [0x82, contents.length >> 8, contents.length & 255];
  return Uint8Array.from([tag, ...length, ...contents]);
};
const ascii = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

interface Parts {
  readonly notBefore?: Uint8Array;
  readonly notAfter?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  readonly ids?: readonly Uint8Array[];
}

/** A certificate of nothing but its frame, which nobody has signed. */
function frame(parts: Parts): Uint8Array {
  const algorithm = element(0x30);
  const {
    notBefore = element(0x17, ascii('260101000000Z')),
    notAfter = element(0x17, ascii('360101000000Z')),
    subject = element(0x30),
    extensions,
    ids = [],
  } = parts;
  const signed = element(
    0x30,
    element(0xa0, element(2, 2)),
    element(2, 1),
    algorithm,
    element(0x30),
    element(0x30, notBefore, notAfter),
    subject,
    element(0x30),
    ...ids,
    ...(extensions ? [element(0xa3, element(0x30, ...extensions))] : []),
  );
  return element(0x30, signed, algorithm, element(3, 0));
}

const named = (oid: number[], tag: number, text: Uint8Array) =>
  element(0x30, element(0x31, element(0x30, element(6, ...oid), element(tag, text))));
const CN = [0x55, 4, 3];

for (const [what, subject, expected] of [
  ['a common name', named(CN, 0x13, ascii('Printable')), 'Printable'],
  ['TeletexString', named(CN, 0x14, ascii('Caf\u00e9')), 'Caf\u00e9'],
  ['BMPString', named(CN, 0x1e, Uint8Array.of(0x8b, 0xbe, 0x59, 0x07)), '设备'],
  ['UTF8String', named(CN, 0x0c, Uint8Array.from(Buffer.from('é设'))), 'é设'],
  ['ill-formed UTF-8', named(CN, 0x0c, Uint8Array.of(0x41, 0xff)), 'A '],
  ['an organisation alone', named([0x55, 4, 10], 0x13, ascii('Org')), 'Org'],
  ['neither', named([0x55, 4, 6], 0x13, ascii('CN')), ''],
  ['what a terminal would obey', named(CN, 0x13, ascii('a\u001b[31m\nb')), 'a [31m b'],
  ['a name far too long', named(CN, 0x13, ascii('x'.repeat(500))), 'x'.repeat(64)],
] as const) {
  test(`the subject: ${what}`, () => assert.equal(readCertificate(frame({ subject })).subject, expected));
}

for (const [text, tag, expected] of [
  ['491231235959Z', 0x17, Date.UTC(2049, 11, 31, 23, 59, 59)],
  ['500101000000Z', 0x17, Date.UTC(1950, 0, 1)],
  ['20500101000000Z', 0x18, Date.UTC(2050, 0, 1)],
  ['99991231235959Z', 0x18, Date.UTC(9999, 11, 31, 23, 59, 59)],
  ['360101000000', 0x17, undefined],
  ['3601010000Z', 0x17, undefined],
  ['360101000000+0100', 0x17, undefined],
  ['36010100000xZ', 0x17, undefined],
  ['361301000000Z', 0x17, undefined],
  ['360001000000Z', 0x17, undefined],
  ['360132000000Z', 0x17, undefined],
  ['360100000000Z', 0x17, undefined],
  ['360101240000Z', 0x17, undefined],
  ['360101006000Z', 0x17, undefined],
  ['360101000060Z', 0x17, undefined],
  ['360101000000Z', 0x18, undefined],
  ['20360101000000.5Z', 0x18, undefined],
] as const) {
  test(`validity: ${text} as ${tag === 0x17 ? 'UTCTime' : 'GeneralizedTime'} is ${expected === undefined ? 'refused' : 'read'}`, () => {
    const der = frame({ notAfter: element(tag, ascii(text)) });
    if (expected !== undefined) return assert.equal(readCertificate(der).notAfter, expected);
    const error = refusal(() => readCertificate(der));
    assert.equal(error?.message, 'a certificate cannot be read: its validity is no time');
  });
}

const extension = (id: number, value: Uint8Array, critical = true) =>
  element(0x30, element(6, 0x55, 0x1d, id), ...(critical ? [element(1, 0xff)] : []), element(4, value));
const constraints = (...parts: (number | Uint8Array)[]) => extension(19, element(0x30, ...parts));

for (const [what, extensions, expected] of [
  ['no extensions, as in version 1', undefined, false],
  ['an empty list', [], false],
  ['basicConstraints that say yes', [constraints(element(1, 0xff))], true],
  ['not marked critical', [extension(19, element(0x30, element(1, 0xff)), false)], true],
  ['with a path length', [constraints(element(1, 0xff), element(2, 0))], true],
  ['basicConstraints that say no', [constraints(element(1, 0))], false],
  ['basicConstraints that say nothing', [constraints()], false],
  ['an empty BOOLEAN', [constraints(element(1))], false],
  ['keyUsage with keyCertSign', [constraints(element(1, 0xff)), extension(15, element(3, 1, 6))], true],
  ['keyUsage without keyCertSign', [constraints(element(1, 0xff)), extension(15, element(3, 7, 0x80))], false],
  ['an empty keyUsage', [extension(15, element(3, 0)), constraints(element(1, 0xff))], false],
  [
    'extensions of others around it',
    [extension(14, element(4, 1)), constraints(element(1, 0xff)), extension(35, element(0x30))],
    true,
  ],
] as const) {
  test(`an authority? ${what}: ${expected ? 'yes' : 'no'}`, () => {
    assert.equal(readCertificate(frame(extensions ? { extensions } : {})).isAuthority, expected);
  });
}

test('unique identifiers, which nobody uses, are passed over', () => {
  const ids = [element(0x81, 0, 1), element(0x82, 0, 1)];
  assert.equal(readCertificate(frame({ ids, extensions: [constraints(element(1, 0xff))] })).isAuthority, true);
});

test('lengths that DER does not allow are refused: indefinite, too long, not the shortest', () => {
  for (const length of [[0x80], [0x84, 0, 0, 0, 1], [0x81, 1], [0x82, 0, 200]]) {
    const error = refusal(() => readCertificate(Uint8Array.from([0x30, ...length, ...new Array(300).fill(0)])));
    assert.match(error?.message ?? '', /it is not one, or damaged$/);
  }
});

// PEM.

test('PEM of any line length, with text around it and any line end, is the same certificate', () => {
  const base64 = Buffer.from(root).toString('base64');
  for (const [width, end] of [
    [64, '\n'],
    [76, '\r\n'],
    [1, '\n'],
    [100_000, ''],
  ] as const) {
    const lines = base64.match(new RegExp(`.{1,${width}}`, 'g'))!.join(end);
    const pem = `subject: Fleet Root\n-----BEGIN CERTIFICATE-----${end}${lines}${end}-----END CERTIFICATE-----\nmore`;
    assert.deepEqual(fromPem(pem), [root]);
  }
  assert.deepEqual(fromPem(rootPem + leafPem), [root, leaf]);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      const [back] = fromPem(toPem(bytes));
      assert.deepEqual(back, Uint8Array.from(bytes));
      assert.ok(
        toPem(bytes)
          .split('\n')
          .every((line) => line.length <= 64),
      );
    }),
  );
});

for (const [what, pem, message] of [
  ['no text', '', 'this is neither PEM nor DER: give the root certificate as the platform offers it'],
  [
    'HTML',
    '<html><body>404</body></html>',
    'this is neither PEM nor DER: give the root certificate as the platform offers it',
  ],
  [
    'a private key',
    '-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n',
    'this is a private key, not a certificate: give the root certificate',
  ],
  ['a request', '-----BEGIN CERTIFICATE REQUEST-----\nMIGH\n', 'there is no BEGIN CERTIFICATE in this PEM'],
  [
    'a form of OpenSSL',
    '-----BEGIN TRUSTED CERTIFICATE-----\nMIGH\n',
    'TRUSTED CERTIFICATE is a form of OpenSSL alone: give CERTIFICATE',
  ],
  ['no END', '-----BEGIN CERTIFICATE-----\nMIGH\n', 'a PEM certificate is cut short: its END is missing'],
  ['nothing inside', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'a PEM certificate is cut short'],
  [
    'one digit too few',
    '-----BEGIN CERTIFICATE-----\nMIGHM\n-----END CERTIFICATE-----',
    'a PEM certificate is cut short',
  ],
  [
    'a character that is none',
    '-----BEGIN CERTIFICATE-----\nMI?H\n-----END CERTIFICATE-----',
    'a PEM certificate is damaged: it holds what is no base64',
  ],
  [
    'digits behind the padding',
    '-----BEGIN CERTIFICATE-----\nMI==MIGH\n-----END CERTIFICATE-----',
    'a PEM certificate is damaged: it holds what is no base64',
  ],
] as const) {
  test(`wrong input: ${what}: ${message}`, () => {
    assert.throws(() => fromPem(pem), { code: 'bad-option', message });
    assert.throws(() => readRoots(pem), { code: 'bad-option', message });
  });
}

// Sets.

test('a set is read from PEM as text or bytes, from DER, and from a list of them; it does not use the buffer it was given', () => {
  const buffer = new Uint8Array(root);
  for (const input of [rootPem, Buffer.from(rootPem), buffer, [buffer], [rootPem, buffer], rootPem + rootPem]) {
    const roots = readRoots(input);
    assert.ok(roots.length >= 1 && roots.every(({ subject }) => subject === 'Fleet Root 设备'));
  }
  const roots = readRoots(buffer);
  buffer.fill(0);
  assert.deepEqual(roots[0]?.der, root);
});

test('wrong input: PEM of a leaf is refused by the name that stands in it', async () => {
  const server = await makeServer(await makeAuthority('root'), { hostNames: ['iot.example.com'] });
  for (const [input, name] of [
    [server.chain, 'iot.example.com'],
    [leafPem, 'device'],
    [rootPem + leafPem, 'device'],
  ] as const) {
    assert.throws(() => readRoots(input), {
      code: 'bad-option',
      reason: 'no-authority',
      message: `the certificate ${name} is no authority's: give the root certificate, not that of the server`,
    });
  }
});

for (const [message, make] of [
  ['roots must be PEM, or DER in a Uint8Array', () => readRoots(7 as never)],
  ['roots must be PEM, or DER in a Uint8Array', () => readRoots([undefined] as never)],
  ['a set of no roots trusts nobody', () => readRoots([])],
  ['a set holds 16 roots at most', () => readRoots(rootPem.repeat(17))],
  ['roots of more than 65536 bytes are no roots', () => readRoots(new Uint8Array(65_537))],
] as const) {
  test(`a bad set is refused: ${message}`, () => assert.throws(make, { code: 'bad-option', message }));
}
