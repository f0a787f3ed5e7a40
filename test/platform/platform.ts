// A local IoT platform to develop a device against: logs devices in, checks keep-alive, delivers messages, keeps a log.
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { Aedes } from 'aedes';
import type { QoS } from 'mqtt-packet';
import { type Authority, makeAuthority, makeServer, type ServerCertificates } from './certificates.ts';
import { type Clock, hostClock } from './clock.ts';
import { DeviceLog, type LogOptions } from './device-log.ts';
import { type DeviceIdentity, Devices, type DeviceTriple, deviceKey } from './devices.ts';
import { Link } from './link.ts';
import { type Endpoint, Listeners, type Ports, type SecureKind } from './listeners.ts';
import { type ListenerKind, makeProfile, type Profile } from './profile.ts';
import { type Counts, type UpstreamMessage, World } from './world.ts';

export type { DeviceIdentity } from './devices.ts';

type CertificatesByKind = Readonly<Record<SecureKind, ServerCertificates>>;

export interface PlatformOptions {
  readonly devices: readonly DeviceTriple[];
  /** A port left out or 0 is chosen by the system; `false` opens none, for tests that use accept(). */
  readonly ports?: Ports | false;
  readonly profile?: Partial<Profile>;
  readonly clock?: Clock;
  readonly log?: LogOptions;
  /** Made at start when left out. */
  readonly certificates?: Partial<CertificatesByKind>;
}

export class Platform {
  readonly profile: Profile;
  readonly log: DeviceLog;
  /** Who may log in how; it can be changed while the platform runs. */
  readonly devices: Devices;
  /** New connections are cut at once while this is set. */
  refuseConnections = false;
  private readonly broker: Aedes;
  private readonly world: World;
  private listeners: Listeners | undefined;
  private certificates: CertificatesByKind | undefined;
  private deviceRoot: Authority | undefined;
  private isClosed = false;

  private constructor(options: PlatformOptions, broker: Aedes) {
    const clock = options.clock ?? hostClock;
    this.profile = makeProfile(options.profile);
    this.log = new DeviceLog(() => clock.now(), options.log);
    this.broker = broker;
    this.devices = new Devices(options.devices);
    this.world = new World({ profile: this.profile, clock, devices: this.devices, log: this.log, broker });
  }

  /** @throws the system's error, such as EADDRINUSE, when a port cannot be opened; then nothing is left open. */
  static async start(options: PlatformOptions): Promise<Platform> {
    const platform = new Platform(options, await Aedes.createBroker());
    if (options.ports === false) return platform;
    try {
      await platform.listen(options.ports ?? {}, options.certificates ?? {});
    } catch (error) {
      await platform.close();
      throw error;
    }
    return platform;
  }

  get endpoints(): Readonly<Record<ListenerKind, Endpoint>> {
    if (this.listeners === undefined) throw new Error('this platform was started without ports');
    return this.listeners.endpoints;
  }

  /** PEM of the two root certificates that a device must trust. */
  get authorities(): Readonly<Record<SecureKind, string>> {
    if (this.certificates === undefined) throw new Error('this platform was started without ports');
    return { private: this.certificates.private.authority, public: this.certificates.public.authority };
  }

  /** Signs the certificates with which devices prove themselves at the x509 endpoint. */
  get deviceAuthority(): Authority {
    if (this.deviceRoot === undefined) throw new Error('this platform was started without ports');
    return this.deviceRoot;
  }

  /** What reached the platform so far; a device that refuses a certificate adds a TLS failure and no CONNECT. */
  get counts(): Readonly<Counts> {
    return { ...this.world.counts };
  }

  /** While set, every CONNECT is answered with this CONNACK code. */
  set refuseWith(code: number | undefined) {
    this.world.refuseWith = code;
  }

  /** How often a device has come online. */
  connects(deviceName: string): number {
    return this.world.loginsOf(deviceName);
  }

  isOnline(deviceName: string): boolean {
    return this.world.linksOf(deviceName).some((link) => link.isOnline);
  }

  /** Takes a connection from any stream, as if it had come in at that listener. */
  accept(stream: Duplex, kind: ListenerKind, fingerprint?: string): void {
    this.world.counts.connections++;
    if (this.refuseConnections || this.isClosed) {
      stream.on('error', () => {});
      stream.destroy();
    } else {
      this.world.links.add(new Link(stream, { kind, fingerprint }, this.world));
    }
  }

  /** A message from the cloud; resolves when it was sent to the subscribers that are online. */
  publish(topic: string, payload: string | Buffer, qos: QoS = 0): Promise<void> {
    return this.world.publish({ topic, payload, qos });
  }

  /** Calls the listener with every message of a device; answers the way to stop that. */
  onUpstream(listener: (message: UpstreamMessage) => void): () => void {
    this.world.upstreamListeners.add(listener);
    return () => this.world.upstreamListeners.delete(listener);
  }

  addDevice(device: DeviceTriple): void {
    this.devices.add(device);
  }

  /** Refuses further logins of the device and closes the connection it has. */
  disableDevice(device: DeviceIdentity): void {
    this.devices.disable(deviceKey(device));
    this.world.newestOf(deviceKey(device))?.close('device disabled');
  }

  enableDevice(device: DeviceIdentity): void {
    this.devices.enable(deviceKey(device));
  }

  /** Cuts the device's connection without a word. */
  drop(deviceName: string): void {
    for (const link of this.world.linksOf(deviceName)) link.close('dropped by a test', undefined, true);
  }

  /** Makes the device's connection half-open: it stays, but nothing is answered or delivered on it any more. */
  silence(deviceName: string): void {
    for (const link of this.world.linksOf(deviceName)) link.silent = true;
  }

  /** New handshakes get the new certificates; connections that are up go on. */
  rotate(kind: SecureKind, certificates: ServerCertificates): void {
    if (this.listeners === undefined || this.certificates === undefined) throw new Error('no ports to rotate');
    this.listeners.rotate(kind, certificates);
    this.certificates = { ...this.certificates, [kind]: certificates };
  }

  /** Leaves no timer, socket or port open. */
  async close(): Promise<void> {
    this.isClosed = true;
    for (const link of [...this.world.links]) link.close('platform closed', undefined, true);
    await this.listeners?.close();
    if (!this.broker.closed) await new Promise<void>((resolve) => this.broker.close(resolve));
  }

  private async listen(ports: Ports, given: Partial<CertificatesByKind>): Promise<void> {
    this.certificates = {
      private: given.private ?? (await makeServer(await makeAuthority('Local Platform Private Root'))),
      public: given.public ?? (await makeServer(await makeAuthority('Local Platform Public Root'))),
    };
    this.deviceRoot = await makeAuthority('Local Platform Device Root');
    this.listeners = await Listeners.open(ports, this.certificates, this.deviceRoot.certificate, {
      connection: (socket, kind, fingerprint) => {
        if (socket instanceof TLSSocket && socket.isSessionReused()) this.world.counts.resumed++;
        this.accept(socket, kind, fingerprint);
      },
      tlsFailure: () => this.world.counts.tlsFailures++,
    });
  }
}
