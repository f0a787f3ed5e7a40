// TLS on an ECMA-419 host: Moddable's TLSSocket over its TCP. It verifies chain, dates and name, and speaks TLS 1.2. It throws
// within callbacks of the TCP socket, where no caller of ours could catch it: so the TCP socket it gets is one that does.

import { type MqttError, mqttError } from '../error.ts';
import type { Adapter } from './adapter.ts';
import { Ecma419Link, guard, networkError } from './ecma419.ts';
import {
  Ecma419Adapter,
  type Ecma419Options,
  type Ecma419Socket,
  type Ecma419SocketOptions,
  requireFunction,
} from './ecma419-host.ts';

/** What TLSSocket asks of the TCP socket below, on which it keeps counts of its own. */
export interface Ecma419TcpBelow {
  readable: number;
  writable: number;
  read(into: unknown): unknown;
  write(record: Uint8Array): unknown;
  close(): void;
}

/** What TLSSocket is made of, beside what every socket is. */
export interface Ecma419TlsSocketOptions extends Ecma419SocketOptions {
  readonly TCP: { readonly io: new (options: Ecma419SocketOptions) => Ecma419TcpBelow };
  readonly secure: object;
}

/** A certificate or key in DER: an ArrayBuffer, a Uint8Array, or a Resource of the firmware. */
export interface Der {
  readonly byteLength: number;
}

export interface Ecma419TlsOptions extends Ecma419Options {
  /** The class of `embedded:io/socket/tcp/tls`. */
  readonly TLSSocket: new (
    options: Ecma419TlsSocketOptions,
  ) => Ecma419Socket;
  /** The root certificate to trust, DER; left out: those that were built into the firmware. */
  readonly certificate?: Der | undefined;
  /** The name that the server's certificate must hold, where it differs from the endpoint's host. */
  readonly serverName?: string | undefined;
  /** The device's own certificate for mutual TLS, DER. */
  readonly clientCertificate?: Der | undefined;
  /** Its private key, PKCS #8 in DER. */
  readonly clientKey?: Der | undefined;
}

/** Most bytes in one record of TLS. */
const MAX_RECORD = 16_384;

/** TLSSocket sets 32 bytes aside for a record; with a block cipher it takes 37 more. */
const RECORD_MARGIN = 64;

/** Content type of ChangeCipherSpec: from here on the socket encrypts. */
const CHANGE_CIPHER_SPEC = 20;

function tlsError(cause: unknown): MqttError {
  const error = networkError('tls', cause, 'handshake');
  if (error.message.indexOf('date validation') >= 0) {
    const message = 'the root certificate is not valid at the time that the clock of this device shows';
    return mqttError('tls', message, { cause, reason: 'ca-expired' });
  }
  if (error.message.indexOf('certificate: auth') < 0) return error;
  const message = 'untrusted root, wrong host name, past its end, or the server did not send its chain';
  return mqttError('tls', message, { cause, reason: 'untrusted' });
}

/** Calls back into TLSSocket: what it throws is a fault of the handshake, or of a record. */
const tls = (link: Ecma419Link, call: () => void): void => guard(link, call, undefined, tlsError);

class TcpBelow implements Ecma419TcpBelow {
  readable = 0;
  writable = 0;
  private readonly socket: Ecma419Socket;
  private readonly link: Ecma419TlsLink;
  private readonly above: Ecma419SocketOptions;

  /** @param options those of the link, with callbacks of TLSSocket */
  constructor(options: Ecma419SocketOptions) {
    const link = options.target as Ecma419TlsLink;
    link.below = this;
    this.link = link;
    this.above = options;
    this.socket = link.makeTcp({
      ...options,
      onReadable: (bytes) => this.refill(bytes),
      onWritable: (bytes) => {
        link.connected = true;
        tls(link, () => options.onWritable(bytes));
      },
      onError: (error) => tls(link, () => options.onError(error)),
    });
  }

  /** Hands bytes up that the host holds. */
  refill(bytes: number): void {
    tls(this.link, () => this.above.onReadable(bytes));
  }

  read(into: unknown): unknown {
    return (this.socket as { read(into: unknown): unknown }).read(into);
  }

  write(record: Uint8Array): unknown {
    if (record[0] === CHANGE_CIPHER_SPEC) this.link.encrypts = true;
    return this.socket.write(record);
  }

  close(): void {
    this.socket.close();
  }
}

class Ecma419TlsLink extends Ecma419Link {
  below: TcpBelow | undefined = undefined;
  /** The TCP connection is there. */
  connected = false;
  encrypts = false;

  makeTcp(options: Ecma419SocketOptions): Ecma419Socket {
    return super.makeSocket(options);
  }

  protected override makeSocket(options: Ecma419SocketOptions): Ecma419Socket {
    const { TLSSocket, serverName, certificate, clientCertificate, clientKey } = this.adapter
      .options as Ecma419TlsOptions;
    const secure: Record<string, unknown> = {};
    if (certificate) secure.certificate = certificate;
    if (clientCertificate) secure.clientCertificates = [clientCertificate];
    if (clientKey) secure.clientKey = clientKey;
    if (serverName !== undefined) secure.serverName = serverName;
    const { onReadable, onWritable, onError } = options;
    try {
      return new TLSSocket({
        ...options,
        // It calls these with another `this`.
        onReadable: (bytes) => onReadable.call({ target: this }, bytes),
        onWritable: (bytes) => onWritable.call({ target: this }, bytes),
        onError: (error) => onError.call({ target: this }, error),
        TCP: { io: TcpBelow },
        secure,
      });
    } catch (thrown) {
      throw (thrown as MqttError).code === 'tcp' ? thrown : tlsError(thrown);
    }
  }

  override gotWritable(bytes: number): void {
    // A close_notify in the midst of the handshake looks like its end, but then everything would leave in the clear.
    if (!this.encrypts) return this.end(this.closedWhileOpening(undefined));
    super.gotWritable(bytes);
  }

  protected override closedWhileOpening(cause: unknown): MqttError {
    if (!this.connected) return super.closedWhileOpening(cause);
    return mqttError('tls', 'closed during the handshake', { reason: 'closed', cause });
  }

  protected override take(socket: Ecma419Socket): unknown {
    // Where it knows of more, TLSSocket would read on from a timer of its own, where nothing catches what it throws.
    const { below } = this;
    const { readable } = below!;
    below!.readable = 0;
    const bytes = socket.read();
    below!.readable = readable;
    return bytes;
  }

  protected override refill(): boolean {
    const { below } = this;
    if (below!.readable > 0) below!.refill(below!.readable);
    return this.unread > 0;
  }

  protected override most(): number {
    return MAX_RECORD;
  }

  protected override roomOf(left: unknown): number {
    return Math.max(0, super.roomOf(left) - RECORD_MARGIN);
  }
}

const SEQUENCE = 0x30;

/** @throws MqttError 'bad-option' unless this is DER, whole, as far as its outermost length tells */
function requireDer(name: string, value: Der | undefined): void {
  if (value === undefined) return;
  const isBytes = value instanceof ArrayBuffer || value instanceof Uint8Array;
  if (typeof value === 'string' || !(value?.byteLength > 4)) {
    throw mqttError('bad-option', `${name} must be bytes, in DER`);
  }
  if (!isBytes) return; // A resource of the firmware, which may lie in flash.
  const bytes = new Uint8Array(value as ArrayBuffer);
  if (bytes[0] !== SEQUENCE) throw mqttError('bad-option', `${name} is not DER: decode PEM first`);
  const sizes = bytes[1]! & 0x7f;
  let length = bytes[1]! < 0x80 ? bytes[1]! : 0;
  if (bytes[1]! >= 0x80) for (let i = 0; i < sizes; i++) length = length * 256 + bytes[2 + i]!;
  const whole = 2 + (bytes[1]! < 0x80 ? 0 : sizes) + length;
  if (whole !== bytes.length) throw mqttError('bad-option', `${name} has ${bytes.length} bytes, but says ${whole}`);
}

/**
 * TLS 1.2 with the server's chain, dates and name verified by the host. Its clock has to be right before the first dial.
 * @throws MqttError 'bad-option'
 * @example ecma419Tls({ TCP, TLSSocket, resolver, Timer, Time, certificate: new Resource('root.der') })
 */
export function ecma419Tls(options: Ecma419TlsOptions): Adapter {
  const adapter = new Ecma419Adapter(options, 'authenticated', (host, events) => new Ecma419TlsLink(host, events));
  const { TLSSocket, certificate, serverName, clientCertificate, clientKey } = options;
  requireFunction('TLSSocket', TLSSocket);
  requireDer('certificate', certificate);
  requireDer('clientCertificate', clientCertificate);
  requireDer('clientKey', clientKey);
  if (serverName !== undefined && (typeof serverName !== 'string' || serverName === '')) {
    throw mqttError('bad-option', 'serverName must be a host name');
  }
  if (!clientCertificate !== !clientKey) throw mqttError('bad-option', 'clientCertificate and clientKey go together');
  return adapter;
}
