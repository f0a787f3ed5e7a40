// Roots, and a network of servers whose certificates are verified against them as TLS does, in virtual time: real
// certificates and real signatures, without sockets.

import { X509Certificate } from 'node:crypto';
import { type MqttError, mqttError } from '../../src/error.ts';
import type { Adapter } from '../../src/index.ts';
import { type Roots, toPem } from '../../src/trust.ts';
import {
  type Authority,
  makeAuthority,
  makeServer,
  type ServerCertificates,
  type Validity,
} from '../platform/certificates.ts';

const DAY = 86_400_000;

export interface Root {
  readonly name: string;
  readonly pem: string;
  readonly notAfter: number;
  /** What a server sends that has its certificate from here. */
  readonly server: ServerCertificates;
  readonly authority: Authority;
}

/** An authority, and a server under it for `localhost`. Valid for ten years around `now`, or as it says. */
export async function makeRoot(name: string, now: number, validity: Partial<Validity> = {}): Promise<Root> {
  const notBefore = validity.notBefore ?? new Date(now - 365 * DAY);
  const notAfter = validity.notAfter ?? new Date(now + 3_650 * DAY);
  const authority = await makeAuthority(name, { notBefore, notAfter });
  // The server's own ends later than its root: what is tested is the root's end.
  const server = await makeServer(authority, { notBefore, notAfter: new Date(now + 7_300 * DAY) });
  return { name, pem: authority.certificate, notAfter: notAfter.getTime(), server, authority };
}

/** How a handshake ends in which the server shows this chain: undefined where it is verified. */
export function verify(chain: string, roots: Roots, now: number): MqttError | undefined {
  const leaf = new X509Certificate(chain);
  const issuer = roots
    .map(({ der }) => new X509Certificate(toPem(der)))
    .find((root) => leaf.checkIssued(root) && leaf.verify(root.publicKey));
  if (!issuer) return mqttError('tls', 'unable to get local issuer certificate', { reason: 'untrusted' });
  if (Date.parse(issuer.validTo) < now || Date.parse(leaf.validTo) < now) {
    return mqttError('tls', 'certificate has expired', { reason: 'expired' });
  }
  return undefined;
}

/** An adapter that verifies first, and dials through another one then. @param chainOf what the server shows at the moment */
export function verifying(inner: Adapter, roots: Roots, chainOf: () => string, wallClock: () => number): Adapter {
  return {
    ...inner,
    dial(endpoint, events) {
      const error = verify(chainOf(), roots, wallClock());
      if (!error) return inner.dial(endpoint, events);
      const timer = inner.alarm(() => events.closed(error));
      timer.set(1);
      return { write: () => 0, pause() {}, resume() {}, close() {}, abort: () => timer.clear() };
    },
  };
}
