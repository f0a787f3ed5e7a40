// TLS on Node, with the server verified: chain and host name, before a byte of MQTT is sent.

import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { mqttError } from '../error.ts';
import type { Adapter, Warning } from './adapter.ts';
import { nodeHost, type OpenSocket, Room, socketTransport } from './node-socket.ts';

/** Loaded by the first nodeTls(), not by the import: together they are 2 MB, and most of what an import of the package would cost. */
const tls = () => process.getBuiltinModule('node:tls');
const crypto = () => process.getBuiltinModule('node:crypto');

/** A file in PEM, as text or as it was read. */
export type Pem = string | Uint8Array;

export interface NodeTlsOptions {
  /** Root certificates to trust: PEM, one or more in each text, or DER, one in each; default: those that Node ships. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** The name that the server's certificate must hold, where it differs from the endpoint's host. */
  readonly serverName?: string | undefined;
  /** The device's own certificate, PEM, with those between it and its root: for a platform that asks for one (X.509). */
  readonly certificate?: Pem | undefined;
  /** The key of `certificate`, PEM, without a passphrase. */
  readonly privateKey?: Pem | undefined;
  /** Least TLS version: `TLSv1.2` (default) or `TLSv1.3`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /**
   * Speaks to whoever answers, without asking who that is: for a bench, where no root is at hand. Every dial raises the warning
   * `unauthenticated-server`, and a client with `production` refuses the adapter. Default false.
   */
  readonly dangerouslyTrustAnyServer?: boolean | undefined;
  /** A root that ends within so many days raises the warning `ca-expiring` at every dial; 0 or more, default 90. */
  readonly warnDays?: number | undefined;
  /** Wall clock in milliseconds, for the validity of the roots; default Date.now. */
  readonly wallClock?: (() => number) | undefined;
}

const DAY = 86_400_000;

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const DER_BEGIN = 0x30;

const bad = (message: string, cause?: unknown) =>
  mqttError('bad-option', message, cause === undefined ? {} : { cause });

const isPem = (value: unknown): value is Pem => typeof value === 'string' || value instanceof Uint8Array;

/** The certificate in one PEM block or in DER. @throws MqttError 'bad-option' */
function parse(content: string | Uint8Array): X509Certificate {
  const Certificate = crypto().X509Certificate;
  try {
    return new Certificate(content);
  } catch (cause) {
    throw bad('ca holds a certificate that is damaged or cut short: save it again', cause);
  }
}

/** The roots in a file. @throws MqttError 'bad-option' */
function parseRoots(file: Pem): X509Certificate[] {
  if (typeof file !== 'string' && file[0] === DER_BEGIN) return [parse(file)];
  const blocks = Buffer.from(file as string)
    .toString()
    .match(PEM);
  if (!blocks) throw bad('ca holds no certificate: give the root certificate of the platform, PEM or DER');
  return blocks.map(parse);
}

/** The roots to trust; none where they are left to Node. @throws MqttError 'bad-option' */
function rootsOf(ca: NodeTlsOptions['ca']): readonly X509Certificate[] {
  if (ca === undefined) return [];
  const files: readonly Pem[] = Array.isArray(ca) ? ca : [ca as Pem];
  for (const file of files) if (!isPem(file)) throw bad('ca must be PEM, as text or bytes, or DER');
  const roots = files.flatMap(parseRoots);
  const [first] = roots;
  if (!first) throw bad('ca holds no certificate: leave it out to trust the roots of Node');
  // Somebody has to be able to answer for others, or for itself.
  if (roots.some((it) => it.ca || it.checkIssued(it))) return roots;
  throw bad(`ca holds ${nameOf(first)}, which is no authority's: give the root certificate, not that of the server`);
}

const day = (certificate: X509Certificate): string => new Date(certificate.validTo).toISOString().slice(0, 10);

const nameOf = (certificate: X509Certificate): string => certificate.subject.split('\n').pop() ?? '';

/**
 * Refuses roots that have all ended, and names those that soon will.
 * @throws MqttError 'tls' with reason 'ca-expired'
 */
function checkRoots(roots: readonly X509Certificate[], now: number, warnDays: number): Warning[] {
  const valid = roots.filter((root) => Date.parse(root.validTo) > now);
  if (roots.length > 0 && valid.length === 0) {
    const last = roots[roots.length - 1]!;
    throw mqttError('tls', `the root certificate ${nameOf(last)} ended on ${day(last)}`, { reason: 'ca-expired' });
  }
  const warnings: Warning[] = [];
  for (const root of valid) {
    const left = Math.ceil((Date.parse(root.validTo) - now) / DAY);
    if (left > warnDays) continue;
    const message = `the root certificate ${nameOf(root)} ends on ${day(root)}, in ${left} days`;
    warnings.push({ code: 'ca-expiring', message });
  }
  return warnings;
}

/** The certificate with which the device proves itself, if any. @throws MqttError 'bad-option', without a word of the key */
function ownCertificate({ certificate, privateKey }: NodeTlsOptions): { cert?: Buffer; key?: Buffer } {
  if (certificate === undefined && privateKey === undefined) return {};
  if (!isPem(certificate)) throw bad('certificate must be PEM, as text or bytes, beside privateKey');
  if (!isPem(privateKey)) throw bad('privateKey must be PEM, as text or bytes, beside certificate');
  const own = { cert: Buffer.from(certificate as string), key: Buffer.from(privateKey as string) };
  try {
    tls().createSecureContext(own);
    return own;
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    throw bad(`certificate and privateKey cannot be read, or do not belong together: ${code}`);
  }
}

/** The options that are no files. @throws MqttError 'bad-option' */
function checkPlain(options: NodeTlsOptions): void {
  const { serverName = '-', warnDays = 90, wallClock = Date.now, minVersion = 'TLSv1.2' } = options;
  if (!(warnDays >= 0)) throw bad('warnDays must be a number of days, 0 or more');
  if (typeof wallClock !== 'function') throw bad('wallClock must be a function, such as Date.now');
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3') throw bad('minVersion must be TLSv1.2 or TLSv1.3');
  if (typeof serverName !== 'string' || serverName === '') {
    throw bad('serverName must be the name that stands in the certificate of the server');
  }
  if (typeof (options.dangerouslyTrustAnyServer ?? false) !== 'boolean') {
    throw bad('dangerouslyTrustAnyServer must be true or false');
  }
}

/**
 * TLS 1.2 or later with the server's certificate verified, whatever the environment says.
 * A handshake is resumed where the server lets it: with what this adapter has verified itself, under the same roots.
 * @throws MqttError 'bad-option' when `ca`, or `certificate` with `privateKey`, cannot be read
 * @example new Client({ adapter: nodeTls({ ca: readFileSync('ca.pem', 'utf8') }), endpoints, identity })
 */
export function nodeTls(options: NodeTlsOptions = {}): Adapter {
  checkPlain(options);
  const { serverName, warnDays = 90, wallClock = Date.now, minVersion = 'TLSv1.2' } = options;
  const { dangerouslyTrustAnyServer: trustsAnyone = false } = options;
  const roots = rootsOf(options.ca);
  const trust = options.ca === undefined ? {} : { ca: roots.map((root) => root.toString()) };
  const own = ownCertificate(options);
  const room = new Room();
  const sessions: Record<string, Buffer> = {}; // As many as there are endpoints.
  return {
    ...nodeHost(),
    security: trustsAnyone ? 'unauthenticated' : 'authenticated',
    dial({ host, port }, events) {
      const warnings = trustsAnyone ? [] : checkRoots(roots, wallClock(), warnDays);
      queueMicrotask(() => {
        for (const it of warnings) events.warning(it);
      });
      const name = serverName ?? host;
      // An address is no server name (RFC 6066), but it is verified all the same.
      const sni = isIP(name) ? {} : { servername: name };
      const place = `${host}:${port}`;
      const session = sessions[place];
      const resumed = session && { session };
      const options = {
        host,
        port,
        minVersion,
        rejectUnauthorized: !trustsAnyone, // Said in so many words, it overrules NODE_TLS_REJECT_UNAUTHORIZED.
        ...sni,
        ...trust,
        ...own,
        ...resumed,
      };
      const open: OpenSocket = (onread) => {
        const socket = tls().connect({ ...options, ...{ onread } }); // Which its types do not know.
        socket.on('session', (ticket) => {
          sessions[place] = ticket;
        });
        const forget = () => delete sessions[place]; // What failed in the handshake; a link that breaks later says nothing of it.
        socket.once('error', forget);
        socket.once('secureConnect', () => socket.off('error', forget));
        return socket;
      };
      return socketTransport(open, 'secureConnect', events, room);
    },
  };
}
