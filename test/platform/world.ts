// What the links of a platform share: who is online, which sessions exist, and the way of a message through aedes.
import type { Duplex } from 'node:stream';
import type { Aedes, Client } from 'aedes';
import type { IPublishPacket, QoS } from 'mqtt-packet';
import type { Clock } from './clock.ts';
import type { Login } from './decision.ts';
import type { DeviceLog } from './device-log.ts';
import { type Devices, type DeviceTriple, deviceKey } from './devices.ts';
import type { Link, LinkWorld } from './link.ts';
import type { Profile } from './profile.ts';
import { keepsRetain } from './publish-gate.ts';
import { type Message, Router } from './router.ts';
import { serve } from './services.ts';
import { fill } from './topics.ts';

export interface UpstreamMessage {
  readonly device: DeviceTriple;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
}

export interface Counts {
  connections: number;
  tlsFailures: number;
  /** TLS connections whose handshake took up an earlier one. */
  resumed: number;
  connectPackets: number;
}

export interface WorldParts {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly devices: Devices;
  readonly log: DeviceLog;
  readonly broker: Aedes;
}

export class World implements LinkWorld {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly devices: Devices;
  readonly log: DeviceLog;
  readonly links = new Set<Link>();
  readonly upstreamListeners = new Set<(message: UpstreamMessage) => void>();
  readonly counts: Counts = { connections: 0, tlsFailures: 0, resumed: 0, connectPackets: 0 };
  refuseWith: number | undefined;
  private readonly broker: Aedes;
  private readonly router: Router;
  private readonly newest = new Map<string, Link>();
  private readonly sessions = new Set<string>();
  private readonly logins = new Map<string, number>();

  constructor(parts: WorldParts) {
    this.profile = parts.profile;
    this.clock = parts.clock;
    this.devices = parts.devices;
    this.log = parts.log;
    this.broker = parts.broker;
    this.router = new Router(parts.broker);
  }

  newestOf(key: string): Link | undefined {
    return this.newest.get(key);
  }

  linksOf(deviceName: string): Link[] {
    return [...this.newest.values()].filter((link) => link.login?.device.deviceName === deviceName);
  }

  loginsOf(deviceName: string): number {
    return this.logins.get(deviceName) ?? 0;
  }

  publish(message: Message): Promise<void> {
    return this.router.publish(message);
  }

  connectBroker(stream: Duplex): Client {
    return this.broker.handle(stream);
  }

  sawConnect(): void {
    this.counts.connectPackets++;
  }

  claim(link: Link, login: Login): Link | undefined {
    const key = deviceKey(login.device);
    const older = this.newest.get(key);
    this.newest.set(key, link);
    return older;
  }

  // aedes answers Session Present only for a session that holds subscriptions, [MQTT-3.2.2-2] for every kept one.
  startSession(login: Login): boolean {
    const wasKept = this.sessions.delete(login.sessionKey);
    if (!login.cleanSession) this.sessions.add(login.sessionKey);
    return wasKept && !login.cleanSession;
  }

  cameOnline(login: Login): void {
    const { deviceName } = login.device;
    this.logins.set(deviceName, this.loginsOf(deviceName) + 1);
    this.devices.activate(login.device);
  }

  left(link: Link): void {
    this.links.delete(link);
    if (link.login === undefined) return;
    const key = deviceKey(link.login.device);
    if (this.newest.get(key) === link) this.newest.delete(key);
  }

  async upstream(login: Login, subDevices: Set<string>, packet: IPublishPacket): Promise<void> {
    const { device } = login;
    const { topic, qos } = packet;
    const payload = Buffer.from(packet.payload);
    for (const listener of this.upstreamListeners) listener({ device, topic, payload, qos });
    const retain = keepsRetain(packet.retain, this.profile.retain);
    const routed = this.profile.upstreamReachesSubscribers ? this.publish({ topic, payload, qos, retain }) : undefined;
    const { echo } = this.profile;
    // Queued at once and not awaited: the echo keeps its place in the order of messages, behind the PUBACK.
    if (echo !== undefined && topic === fill(echo.from, device)) {
      void this.publish({ topic: fill(echo.to, device), payload, qos });
    }
    const answer = serve({ device, topic, payload, qos, subDevices, now: this.clock.now(), devices: this.devices });
    if (answer !== undefined) void this.publish({ ...answer, qos: 0 });
    await routed;
  }
}
