// A device made of nothing but packets, for tests: sends what it is told, keeps what it gets, answers nothing by itself.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { IConnectPacket, Packet, PacketCmd } from 'mqtt-packet';
import type { DeviceTriple } from './devices.ts';
import { memoryPair } from './memory-pair.ts';
import { PacketPort } from './packet-port.ts';
import type { Platform } from './platform.ts';
import type { ListenerKind, SignMethod } from './profile.ts';
import { sign } from './sign.ts';

export interface LoginOptions {
  readonly clientId?: string;
  readonly timestamp?: string;
  readonly signMethod?: SignMethod;
  readonly secureMode?: string;
  /** More pairs for the client id, as text. */
  readonly extras?: string;
  readonly keepAliveSeconds?: number;
  readonly cleanSession?: boolean;
}

type PacketOf<C extends PacketCmd> = Extract<Packet, { cmd: C }>;

export class RawDevice {
  readonly received: Packet[] = [];
  readonly port: PacketPort;
  readonly whenClosed: Promise<void>;
  isClosed = false;
  private read = 0;
  private wake = () => {};

  constructor(stream: Duplex) {
    let closed = () => {};
    this.whenClosed = new Promise((resolve) => {
      closed = resolve;
    });
    this.port = new PacketPort(stream, {
      packet: (packet) => {
        this.received.push(packet);
        this.wake();
      },
      fault: () => stream.destroy(),
      closed: () => {
        this.isClosed = true;
        closed();
        this.wake();
      },
    });
  }

  static inMemory(platform: Platform, kind: ListenerKind = 'tcp'): RawDevice {
    const [near, far] = memoryPair();
    platform.accept(far, kind);
    return new RawDevice(near);
  }

  static async overTcp(platform: Platform): Promise<RawDevice> {
    const socket = connectTcp(platform.endpoints.tcp);
    await once(socket, 'connect');
    return new RawDevice(socket);
  }

  static async overTls(platform: Platform, kind: 'private' | 'public', ca: string): Promise<RawDevice> {
    const socket = connectTls({ ...platform.endpoints[kind], ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    return new RawDevice(socket);
  }

  send(packet: Packet): void {
    this.port.send(packet);
  }

  /** Logs in and answers the CONNACK. */
  async login(device: DeviceTriple, options: LoginOptions = {}): Promise<PacketOf<'connack'>> {
    this.send(connectPacket(device, options));
    return this.next('connack');
  }

  /** The next packet of this kind that was not asked for yet; those before it are passed over. */
  async next<C extends PacketCmd>(cmd: C): Promise<PacketOf<C>> {
    for (;;) {
      while (this.read < this.received.length) {
        const packet = this.received[this.read++];
        if (packet?.cmd === cmd) return packet as PacketOf<C>;
      }
      if (this.isClosed) throw new Error(`closed before ${cmd} came`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

export function connectPacket(device: DeviceTriple, options: LoginOptions = {}): IConnectPacket {
  const { clientId = '12345', timestamp, signMethod = 'hmacsha256', secureMode = '3', extras } = options;
  const pairs = [`securemode=${secureMode}`, `signmethod=${signMethod}`];
  if (timestamp !== undefined) pairs.push(`timestamp=${timestamp}`);
  if (extras !== undefined) pairs.push(extras);
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: `${clientId}|${pairs.join(',')}|`,
    username: `${device.deviceName}&${device.productKey}`,
    password: Buffer.from(sign(signMethod, device.deviceSecret, { ...device, clientId, timestamp })),
    clean: options.cleanSession ?? true,
    keepalive: options.keepAliveSeconds ?? 300,
  };
}
