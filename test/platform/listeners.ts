// The platform's four ports on this machine: plain TCP, TLS under the private authority, TLS under the public one, and TLS
// on which the device proves itself by a certificate.
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { ServerCertificates } from './certificates.ts';
import type { ListenerKind } from './profile.ts';

export const HOST = '127.0.0.1';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export type Ports = Partial<Readonly<Record<ListenerKind, number>>>;
export type SecureKind = 'private' | 'public';

export interface ListenerEvents {
  /** @param fingerprint of the certificate that the device presented */
  connection(socket: Socket, kind: ListenerKind, fingerprint?: string): void;
  tlsFailure(): void;
}

export class Listeners {
  readonly endpoints: Readonly<Record<ListenerKind, Endpoint>>;
  private readonly servers: Readonly<Record<ListenerKind, Server>>;
  private readonly secure: Readonly<Record<SecureKind | 'x509', TlsServer>>;
  // A server closes only after its sockets, those still shaking hands included.
  private readonly sockets = new Set<Socket>();

  private constructor(tcp: Server, secure: Record<SecureKind | 'x509', TlsServer>) {
    this.secure = secure;
    this.servers = { tcp, ...secure };
    this.endpoints = Object.freeze({
      tcp: endpoint(tcp),
      private: endpoint(secure.private),
      public: endpoint(secure.public),
      x509: endpoint(secure.x509),
    });
    for (const server of Object.values(this.servers)) server.on('connection', (socket: Socket) => this.track(socket));
  }

  /** Rejects with the system's error when a port is taken, and then leaves no other port open. */
  static async open(
    ports: Ports,
    certificates: Readonly<Record<SecureKind, ServerCertificates>>,
    deviceAuthority: string,
    events: ListenerEvents,
  ): Promise<Listeners> {
    const tcp = createTcpServer((socket) => {
      socket.setNoDelay(true);
      events.connection(socket, 'tcp');
    });
    const secure = {
      private: secureServer('private', certificates.private, events),
      public: secureServer('public', certificates.public, events),
      x509: secureServer('x509', certificates.private, events, deviceAuthority),
    };
    const servers = { tcp, ...secure };
    try {
      await listen(tcp, ports.tcp ?? 0);
      await listen(secure.private, ports.private ?? 0);
      await listen(secure.public, ports.public ?? 0);
      await listen(secure.x509, ports.x509 ?? 0);
    } catch (error) {
      await Promise.all(Object.values(servers).map(closed));
      throw error;
    }
    return new Listeners(tcp, secure);
  }

  /** New handshakes use the new certificates; connections that are up go on. */
  rotate(kind: SecureKind, certificates: ServerCertificates): void {
    this.secure[kind].setSecureContext({ ...credentials(certificates), minVersion: 'TLSv1.2' });
  }

  async close(): Promise<void> {
    const ends = Object.values(this.servers).map(closed);
    for (const socket of this.sockets) socket.destroy();
    await Promise.all(ends);
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }
}

function secureServer(
  kind: SecureKind | 'x509',
  certificates: ServerCertificates,
  events: ListenerEvents,
  deviceAuthority?: string,
): TlsServer {
  const asks =
    deviceAuthority === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: deviceAuthority };
  const server = createTlsServer({ ...credentials(certificates), minVersion: 'TLSv1.2', ...asks });
  server.on('secureConnection', (socket: TLSSocket) =>
    events.connection(socket, kind, asks.ca === undefined ? undefined : socket.getPeerCertificate().fingerprint256),
  );
  server.on('tlsClientError', () => events.tlsFailure());
  return server;
}

function credentials(certificates: ServerCertificates): { key: string; cert: string } {
  return { key: certificates.privateKey, cert: certificates.chain };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function endpoint(server: Server): Endpoint {
  return Object.freeze({ host: HOST, port: (server.address() as AddressInfo).port });
}
