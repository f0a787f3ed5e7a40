// TLS on Node, with the server verified: chain and host name, before a byte of MQTT is sent.

import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, createSecureContext, type SecureVersion } from 'node:tls';
import { mqttError } from '../error.ts';
import type { Adapter, Warning } from './adapter.ts';
import { nodeHost, socketTransport } from './node-socket.ts';

/** A file of certificates, as text or as it was read. */
export type Pem = string | Uint8Array;

export interface NodeTlsOptions {
  /** Root certificates to trust, PEM, one or more in each text; default: those that Node ships. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** The name that the server's certificate must hold, where it differs from the endpoint's host. */
  readonly serverName?: string | undefined;
  /** The device's own certificate, PEM, with those between it and its root: for a platform that asks for one (X.509). */
  readonly certificate?: Pem | undefined;
  /** The key of `certificate`, PEM, without a passphrase. */
  readonly privateKey?: Pem | undefined;
  /** Least TLS version: `TLSv1.2` (default) or `TLSv1.3`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** A root that ends within so many days raises the warning `ca-expiring` at every dial; default 90. */
  readonly warnDays?: number | undefined;
  /** Wall clock in milliseconds, for the validity of the roots; default Date.now. */
  readonly wallClock?: (() => number) | undefined;
}

const DAY = 86_400_000;

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The roots in a text. @throws MqttError 'bad-option' */
function parseRoots(pem: string | Uint8Array): X509Certificate[] {
  const blocks = Buffer.from(pem as string)
    .toString()
    .match(PEM);
  if (!blocks) throw mqttError('bad-option', 'ca holds no PEM certificate');
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw mqttError('bad-option', 'ca holds a certificate that cannot be read', { cause });
    }
  });
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

const isPem = (value: unknown): value is Pem => typeof value === 'string' || value instanceof Uint8Array;

/** The certificate with which the device proves itself, if any. @throws MqttError 'bad-option', without a word of the key */
function ownCertificate({ certificate, privateKey }: NodeTlsOptions): { cert?: Buffer; key?: Buffer } {
  if (certificate === undefined && privateKey === undefined) return {};
  if (!isPem(certificate))
    throw mqttError('bad-option', 'certificate must be PEM, as text or bytes, beside privateKey');
  if (!isPem(privateKey)) throw mqttError('bad-option', 'privateKey must be PEM, as text or bytes, beside certificate');
  const own = { cert: Buffer.from(certificate as string), key: Buffer.from(privateKey as string) };
  try {
    createSecureContext(own);
    return own;
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    throw mqttError('bad-option', `certificate and privateKey cannot be read, or do not belong together: ${code}`);
  }
}

/**
 * TLS 1.2 or later with the server's certificate verified.
 * A handshake is resumed where the server lets it: with what this adapter has verified itself, under the same roots.
 * @throws MqttError 'bad-option' when `ca`, or `certificate` with `privateKey`, cannot be read
 * @example new Client({ adapter: nodeTls({ ca: readFileSync('ca.pem', 'utf8') }), endpoints, identity })
 */
export function nodeTls(options: NodeTlsOptions = {}): Adapter {
  const { serverName, warnDays = 90, wallClock = Date.now } = options;
  if (!(warnDays >= 0)) throw mqttError('bad-option', 'warnDays must be a number of days, 0 or more');
  const minVersion: SecureVersion = options.minVersion ?? 'TLSv1.2';
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3') {
    throw mqttError('bad-option', 'minVersion must be TLSv1.2 or TLSv1.3');
  }
  const files = options.ca === undefined ? [] : Array.isArray(options.ca) ? (options.ca as Pem[]) : [options.ca as Pem];
  if (options.ca !== undefined && files.length === 0) throw mqttError('bad-option', 'ca holds no PEM certificate');
  for (const file of files) {
    if (!isPem(file)) throw mqttError('bad-option', 'ca must be PEM, as text or bytes');
  }
  const roots = files.flatMap(parseRoots);
  const trust = options.ca === undefined ? {} : { ca: roots.map((root) => root.toString()) };
  const own = ownCertificate(options);
  const sessions: Record<string, Buffer> = {}; // As many as there are endpoints.
  return {
    ...nodeHost,
    security: 'authenticated',
    dial({ host, port }, events) {
      const warnings = checkRoots(roots, wallClock(), warnDays);
      queueMicrotask(() => {
        for (const it of warnings) events.warning(it);
      });
      const name = serverName ?? host;
      // An address is no server name (RFC 6066), but it is verified all the same.
      const sni = isIP(name) ? {} : { servername: name };
      const place = `${host}:${port}`;
      const session = sessions[place];
      const resumed = session && { session };
      const socket = connect({
        host,
        port,
        minVersion,
        rejectUnauthorized: true,
        ...sni,
        ...trust,
        ...own,
        ...resumed,
      });
      socket.on('session', (ticket) => {
        sessions[place] = ticket;
      });
      socket.once('error', () => delete sessions[place]);
      return socketTransport(socket, 'secureConnect', events);
    },
  };
}
