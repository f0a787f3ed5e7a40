// Makes the certificates of the two authorities and their servers, and broken ones for tests of the device's checks.
import 'reflect-metadata'; // @peculiar/x509 needs it loaded first
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

type KeyPair = Awaited<ReturnType<typeof makeKeys>>;

export interface Validity {
  /** A day ago when left out. */
  readonly notBefore?: Date;
  /** Ten years ahead when left out. */
  readonly notAfter?: Date;
}

/** Of keys and signatures: `rsa` is for devices that know nothing newer. */
export type KeyKind = 'ec' | 'rsa';

export interface Authority {
  readonly name: string;
  readonly kind: KeyKind;
  readonly certificate: string;
  readonly keys: KeyPair;
}

export interface ServerOptions extends Validity {
  /** Names and addresses; localhost, 127.0.0.1 and ::1 when left out. */
  readonly hostNames?: readonly string[];
}

export interface ServerCertificates {
  /** PEM of what a device must trust. */
  readonly authority: string;
  /** PEM of what the server sends: its own certificate, then its authority's. */
  readonly chain: string;
  readonly privateKey: string;
}

const DAY = 86_400_000;
const ALGORITHMS = Object.freeze({
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
  },
});
const LOCAL_NAMES = Object.freeze(['localhost', '127.0.0.1', '::1']);

export async function makeAuthority(name: string, validity: Validity = {}, kind: KeyKind = 'ec'): Promise<Authority> {
  const keys = await makeKeys(kind);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    ...dates(validity),
    signingAlgorithm: ALGORITHMS[kind],
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await AuthorityKeyIdentifierExtension.create(keys.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { name, kind, certificate: pem(certificate), keys };
}

export async function makeServer(authority: Authority, options: ServerOptions = {}): Promise<ServerCertificates> {
  const keys = await makeKeys(authority.kind);
  const certificate = await X509CertificateGenerator.create({
    subject: subject(options),
    issuer: `CN=${authority.name}`,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    ...dates(options),
    signingAlgorithm: ALGORITHMS[authority.kind],
    extensions: [
      ...leafExtensions(options),
      await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    authority: authority.certificate,
    chain: pem(certificate) + authority.certificate,
    privateKey: await privateKeyPem(keys),
  };
}

export interface DeviceCertificate {
  /** PEM of what the device presents. */
  readonly certificate: string;
  readonly privateKey: string;
  /** SHA-256, as Node writes it. */
  readonly fingerprint: string;
}

/** A certificate with which a device proves itself. */
export async function makeDeviceCertificate(
  authority: Authority,
  name: string,
  validity: Validity = {},
): Promise<DeviceCertificate> {
  const keys = await makeKeys(authority.kind);
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${authority.name}`,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    ...dates(validity),
    signingAlgorithm: ALGORITHMS[authority.kind],
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
      await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  });
  const text = pem(certificate);
  return {
    certificate: text,
    privateKey: await privateKeyPem(keys),
    fingerprint: new X509Certificate(text).fingerprint256,
  };
}

/** A server certificate that no authority signed; its `authority` is the certificate itself. */
export async function makeSelfSignedServer(options: ServerOptions = {}): Promise<ServerCertificates> {
  const keys = await makeKeys('ec');
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: subject(options),
    keys,
    ...dates(options),
    signingAlgorithm: ALGORITHMS.ec,
    extensions: leafExtensions(options),
  });
  return { authority: pem(certificate), chain: pem(certificate), privateKey: await privateKeyPem(keys) };
}

function makeKeys(kind: KeyKind) {
  return crypto.subtle.generateKey(ALGORITHMS[kind], true, ['sign', 'verify']);
}

function subject(options: ServerOptions): string {
  return `CN=${(options.hostNames ?? LOCAL_NAMES)[0] ?? 'localhost'}`;
}

function leafExtensions(options: ServerOptions) {
  const names = (options.hostNames ?? LOCAL_NAMES).map((value) => ({
    type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
    value,
  }));
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(names),
  ];
}

function dates(validity: Validity): Required<Validity> {
  return {
    notBefore: validity.notBefore ?? new Date(Date.now() - DAY),
    notAfter: validity.notAfter ?? new Date(Date.now() + 3650 * DAY),
  };
}

function pem(certificate: { toString(format: 'pem'): string }): string {
  return `${certificate.toString('pem').trim()}\n`;
}

async function privateKeyPem(keys: KeyPair): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
