// One device connection. It stands between the device's stream and aedes, and holds what the platform does unlike a
// plain broker: its login, its keep-alive check, its takeover, its rules for topics. aedes keeps sessions and delivers.
import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import type { IConnectPacket, IPublishPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet';
import { brokerConnect } from './broker-connect.ts';
import { parseUserName } from './client-id.ts';
import type { Clock, TimerHandle } from './clock.ts';
import { type Arrival, type Decision, type Login, type Refusal, ReturnCode } from './decision.ts';
import type { DeviceLog, LogEntry } from './device-log.ts';
import type { DeviceIdentity, Devices } from './devices.ts';
import { KeepAliveWatch } from './keep-alive.ts';
import { decide } from './login.ts';
import { memoryPair } from './memory-pair.ts';
import { PacketPort, throttle } from './packet-port.ts';
import type { Profile, ResettingPacket } from './profile.ts';
import { judgePublish } from './publish-gate.ts';
import { deliveryQos, SubscribeGate } from './subscribe-gate.ts';
import { fill } from './topics.ts';
import { isChannel } from './tuyalink.ts';

const Phase = Object.freeze({ AwaitingConnect: 0, LoggingIn: 1, Online: 2, Closed: 3 } as const);
const PENDING_MAXIMUM = 100;

/** Of what is pushed: aedes counts its own from 1. */
const PUSH_ID = 65_535;

/** The event that Alibaba's status topic carries for a device whose identity logs in a second time. */
const TAKEN_OVER = Object.freeze({ reason: 'device connect in elsewhere', code: 427 });

/** What a link needs of the platform. */
export interface LinkWorld {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly devices: Devices;
  readonly log: DeviceLog;
  /** A CONNACK code that every login gets, for tests of a device's retries. */
  readonly refuseWith: number | undefined;
  connectBroker(stream: Duplex): Client;
  /** Makes this the device's newest link; answers the one it replaces. */
  claim(link: Link, login: Login): Link | undefined;
  /** Answers Session Present. */
  startSession(login: Login): boolean;
  cameOnline(login: Login): void;
  left(link: Link): void;
  upstream(login: Login, subDevices: Set<string>, packet: IPublishPacket): Promise<void>;
  sawConnect(): void;
}

export class Link {
  readonly kind: Arrival['kind'];
  login: Login | undefined;
  /** Half-open, for tests: nothing is answered or delivered any more, yet the stream stays. */
  silent = false;
  private readonly fingerprint: string | undefined;
  private readonly world: LinkWorld;
  private readonly device: PacketPort;
  private broker: PacketPort | undefined;
  private brokerClient: Client | undefined;
  private phase: (typeof Phase)[keyof typeof Phase] = Phase.AwaitingConnect;
  private timer: TimerHandle;
  private watch: KeepAliveWatch | undefined;
  private subscriptions: SubscribeGate | undefined;
  /** The keys of the devices that are logged in behind this one. */
  private readonly subDevices = new Set<string>();
  private older: Link | undefined;
  private superseded = false;
  /** A SUBSCRIBE is on its way that makes everything come down. */
  private opensChannel = false;
  private pending: Packet[] = [];

  constructor(stream: Duplex, arrival: Omit<Arrival, 'now'>, world: LinkWorld) {
    this.kind = arrival.kind;
    this.fingerprint = arrival.fingerprint;
    this.world = world;
    this.device = new PacketPort(stream, {
      packet: (packet) => this.fromDevice(packet),
      fault: (error) => this.fault(error),
      closed: () => this.close('connection closed'),
    });
    this.timer = world.clock.setTimeout(() => this.close('no CONNECT in time'), world.profile.connectTimeoutMillis);
  }

  get isOnline(): boolean {
    return this.phase === Phase.Online;
  }

  /** Closes both sides; `cut` loses what was not sent yet, as a network fault would. */
  close(reason: string, code?: number, cut = false): void {
    if (this.phase === Phase.Closed) return;
    const wasOnline = this.phase === Phase.Online && this.login?.purpose === 'device';
    this.phase = Phase.Closed;
    this.world.clock.clearTimeout(this.timer);
    this.watch?.stop();
    this.broker?.destroy();
    if (cut) this.device.destroy();
    else this.device.finish();
    if (wasOnline) this.log('offline', { reason, ...(code === undefined ? {} : { code }) });
    this.takeOver();
    this.world.left(this);
  }

  /** A newer login of this device is on its way; it closes this link right after its own CONNACK. */
  supersede(): void {
    this.superseded = true;
  }

  private fromDevice(packet: Packet): void {
    if (this.silent) return;
    if (this.phase === Phase.AwaitingConnect) {
      if (packet.cmd === 'connect') this.connect(packet);
      else this.close('first packet is not CONNECT');
    } else if (this.phase === Phase.LoggingIn) {
      this.pending.push(packet);
      if (this.pending.length > PENDING_MAXIMUM) this.close('too many packets before CONNACK');
    } else if (this.phase === Phase.Online) {
      this.handle(packet);
    }
  }

  private fault(error: Error): void {
    const isOtherVersion = this.phase === Phase.AwaitingConnect && error.message === 'Invalid protocol version';
    if (isOtherVersion) {
      this.refuse({ code: ReturnCode.UnacceptableProtocolVersion, reason: 'unacceptable protocol version' });
    } else {
      this.close(`protocol error: ${error.message}`);
    }
  }

  private connect(packet: IConnectPacket): void {
    const { clock, profile, devices, refuseWith } = this.world;
    this.world.sawConnect();
    this.phase = Phase.LoggingIn;
    clock.clearTimeout(this.timer);
    if (packet.will !== undefined && profile.will === 'close') return this.close('will is not supported');
    const decision: Decision =
      refuseWith === undefined
        ? decide(packet, { kind: this.kind, fingerprint: this.fingerprint, now: clock.now() }, profile, devices)
        : { refusal: { code: refuseWith, reason: 'refused by a test' } };
    const answer = () => {
      if ('refusal' in decision) this.refuse(decision.refusal, packet);
      else if (decision.login.purpose === 'registration') this.answerRegistration(decision.login);
      else this.enterBroker(packet, decision.login);
    };
    if (profile.connackDelayMillis === 0) answer();
    else this.timer = clock.setTimeout(answer, profile.connackDelayMillis);
  }

  private refuse(refusal: Refusal, packet?: IConnectPacket): void {
    const name = parseUserName(packet?.username ?? '');
    const clientId = packet?.clientId.split('|')[0]?.slice(0, this.world.profile.clientIdMaximumCharacters) ?? '';
    const listener = this.kind;
    this.world.log.append({ event: 'refused', ...name, clientId, listener, ...refusal });
    this.device.send({ cmd: 'connack', returnCode: refusal.code, sessionPresent: false });
    this.close(refusal.reason);
  }

  /** Nobody comes online: the answer goes out, and that is all. */
  private answerRegistration(login: Login): void {
    this.login = login;
    this.phase = Phase.Online;
    this.toDevice({ cmd: 'connack', returnCode: ReturnCode.Accepted, sessionPresent: false });
    this.log('registered', { listener: this.kind });
    this.push(login);
    this.resumePending();
  }

  /** What the device never subscribed to. */
  private push({ push, profile }: Login): void {
    if (push === undefined) return;
    const id = profile.pushQos === 0 ? {} : { messageId: PUSH_ID };
    const packet = { cmd: 'publish' as const, dup: false, retain: false, qos: profile.pushQos };
    this.toDevice({ ...packet, ...id, ...push });
  }

  private enterBroker(packet: IConnectPacket, login: Login): void {
    this.login = login;
    this.subscriptions = new SubscribeGate(() => this.ownDevices(login), login.profile);
    this.older = this.world.claim(this, login);
    this.older?.supersede();
    const [near, far] = memoryPair();
    this.brokerClient = this.world.connectBroker(far);
    this.broker = new PacketPort(near, {
      packet: (answer) => this.fromBroker(answer),
      fault: (error) => this.close(`broker error: ${error.message}`),
      closed: () => this.brokerClosed(),
    });
    this.broker.send(brokerConnect(packet, login, login.profile));
  }

  private brokerClosed(): void {
    // aedes drops the older of two logins before the newer one's CONNACK; the platform does it after.
    if (!this.superseded) this.close('broker closed');
  }

  private fromBroker(packet: Packet): void {
    if (this.silent || this.phase === Phase.Closed) return;
    if (packet.cmd === 'connack') return this.comeOnline();
    const answer = packet.cmd === 'suback' ? this.subscriptions?.settle(packet.messageId ?? 0) : packet;
    if (answer !== undefined) this.toDevice(answer);
    if (packet.cmd !== 'suback') return;
    if (this.opensChannel && this.login) this.autoSubscribe(this.login);
    this.opensChannel = false;
    this.resumePending();
  }

  private comeOnline(): void {
    const { login, world } = this;
    if (login === undefined) return;
    const { keepAliveSeconds, cleanSession } = login;
    const sessionPresent = world.startSession(login);
    this.phase = Phase.Online;
    this.toDevice({ cmd: 'connack', returnCode: ReturnCode.Accepted, sessionPresent });
    const expired = () => this.close('keep-alive timeout');
    if (keepAliveSeconds > 0) this.watch = new KeepAliveWatch(world.clock, world.profile, keepAliveSeconds, expired);
    world.cameOnline(login);
    this.log('online', { listener: this.kind, keepAliveSeconds, cleanSession, sessionPresent });
    this.takeOver();
    this.push(login);
    if (login.wantsAutoSubscribe) this.autoSubscribe(login);
    this.resumePending();
  }

  private resumePending(): void {
    const waiting = this.pending;
    this.pending = [];
    for (const packet of waiting) this.fromDevice(packet);
  }

  private takeOver(): void {
    const older = this.older;
    this.older = undefined;
    older?.close(TAKEN_OVER.reason, TAKEN_OVER.code);
  }

  private autoSubscribe(login: Login): void {
    const { profile } = login;
    const qos = deliveryQos(profile);
    const filters = profile.autoSubscribeTopics.map((template) => ({ topic: fill(template, login.device), qos }));
    this.brokerClient?.subscribe(filters, () => {}); // aedes calls back without looking whether it can
  }

  private handle(packet: Packet): void {
    if (this.login?.purpose === 'registration') return this.handleRegistering(packet);
    if (this.world.profile.keepAliveResetBy.includes(packet.cmd as ResettingPacket)) this.watch?.reset();
    switch (packet.cmd) {
      case 'publish':
        return this.publish(packet);
      case 'subscribe':
        return this.subscribe(packet);
      case 'unsubscribe':
        return this.unsubscribe(packet);
      case 'disconnect':
        return this.disconnect(packet);
      case 'pingreq':
      case 'puback':
        if (packet.messageId === PUSH_ID) return;
        return this.toBroker(packet);
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        return this.toBroker(packet);
      default:
        return this.close(`protocol error: ${packet.cmd} from a device`);
    }
  }

  private handleRegistering(packet: Packet): void {
    if (packet.cmd === 'pingreq') this.toDevice({ cmd: 'pingresp' });
    else if (packet.cmd === 'disconnect') this.close('device disconnected');
    else if (packet.cmd !== 'puback') this.close(`${packet.cmd} while registering`);
  }

  private publish(packet: IPublishPacket): void {
    const { login, world } = this;
    if (login === undefined) return;
    if (this.subscriptions?.isBusy) {
      this.pending.push(packet); // a PUBLISH must not overtake the SUBSCRIBE before it
      return;
    }
    const { topic, qos, messageId } = packet;
    const verdict = judgePublish(packet, this.ownDevices(login), login.profile);
    if (verdict.action === 'close') return this.close(verdict.reason);
    const acknowledge = () => {
      if (qos === 1 && messageId !== undefined) this.toDevice({ cmd: 'puback', messageId });
    };
    if (verdict.action === 'ignore') return acknowledge();
    this.log('publish', { topic, qos, bytes: packet.payload.length });
    if (qos === 2) this.toBroker(packet);
    else world.upstream(login, this.subDevices, packet).then(acknowledge);
  }

  private subscribe(packet: ISubscribePacket): void {
    const split = this.subscriptions?.take(packet);
    if (split === undefined) return;
    const filters = packet.subscriptions.map(({ topic }) => topic);
    this.opensChannel ||= split.forward !== undefined && filters.some(isChannel);
    this.log('subscribe', { filters, granted: split.answer.granted as number[] });
    if (split.forward === undefined) this.toDevice(split.answer);
    else this.toBroker(split.forward);
  }

  /** Those whose topics this connection may use. */
  private ownDevices({ device }: Login): readonly DeviceIdentity[] {
    return [device, ...[...this.subDevices].map((key) => parseUserName(key)!)];
  }

  private unsubscribe(packet: IUnsubscribePacket): void {
    this.subscriptions?.forget(packet.unsubscriptions);
    this.log('unsubscribe', { filters: packet.unsubscriptions });
    this.toBroker(packet);
  }

  private disconnect(packet: Packet): void {
    this.broker?.send(packet); // so that aedes drops the will
    this.broker?.finish();
    this.broker = undefined; // close() would destroy it before aedes has read that
    this.close('device disconnected');
  }

  private toDevice(packet: Packet): void {
    if (this.silent || this.phase === Phase.Closed) return;
    if (!this.device.send(packet) && this.broker !== undefined) throttle(this.broker, this.device);
  }

  private toBroker(packet: Packet): void {
    if (this.broker !== undefined && !this.broker.send(packet)) throttle(this.device, this.broker);
  }

  private log(event: LogEntry['event'], fields: Partial<LogEntry>): void {
    const { device, clientId } = this.login ?? {};
    if (device === undefined || clientId === undefined) return;
    const { productKey, deviceName } = device;
    this.world.log.append({ event, productKey, deviceName, clientId, ...fields });
  }
}
