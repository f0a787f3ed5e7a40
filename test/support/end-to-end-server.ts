// The server of the end-to-end script (targets/end-to-end/script.ts): checks signatures as the platform does, sends back what
// it gets, cuts the link in the middle of six unfinished deliveries, and judges the device by what came over the wire.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import { STEP_NAMES } from '../../targets/end-to-end/script.ts';
import { Devices, type DeviceTriple } from '../platform/devices.ts';
import { decide } from '../platform/login.ts';
import { PacketPort } from '../platform/packet-port.ts';
import { makeProfile } from '../platform/profile.ts';

export interface EndToEndServerOptions {
  /** Speaks TLS with this key and certificate; default plain TCP. */
  readonly tls?: TlsOptions;
  /** Takes connections and says nothing on them; default false. */
  readonly mute?: boolean;
  /** Also hears each line of the wire as it happens: `1 < publish 1 'update' 3 bytes`. */
  readonly trace?: (line: string) => void;
}

/** Everything that a device printed when all went well. */
export const ALL_WELL: readonly string[] = [...STEP_NAMES.map((name) => `ok ${name}`), 'end ok'];

/** Identifiers of the server's own messages around the cut. */
const LEAST = 101;
const ONCE = 102;
const HALFWAY = 103;

/** What the device sends around the cut, before and after; each in this order. */
const BEFORE_THE_CUT = [
  'publish cut qos 1 13 bytes',
  'publish cut qos 2 12 bytes',
  'publish cut qos 2 21 bytes',
  'pubrel of cut qos 2 21 bytes',
];
const ANSWERS_BEFORE = [`puback ${LEAST}`, `pubrec ${ONCE}`, `pubrec ${HALFWAY}`, `pubcomp ${HALFWAY}`];
const AFTER_THE_CUT = [
  'publish cut qos 1 13 bytes dup',
  'publish cut qos 2 12 bytes dup',
  'pubrel of cut qos 2 21 bytes',
  'pubrel of cut qos 2 12 bytes',
];
const ANSWERS_AFTER = [`puback ${LEAST}`, `pubrec ${ONCE}`, `pubcomp ${HALFWAY}`, `pubcomp ${ONCE}`];

/** What the first connection sends before the cut begins. */
const EXCHANGES = [
  'connect',
  'subscribe get qos 2',
  'publish update qos 0 4 bytes',
  'publish update qos 1 3 bytes',
  'publish update qos 2 3 bytes',
  'pubrel of update qos 2 3 bytes',
  'publish update qos 1 0 bytes',
  'publish update qos 1 10240 bytes',
];

/** PUBACK and PUBREC in the order of the PUBLISHes, PUBCOMP in that of the PUBRELs; between the two any order is legal. */
const inOrder = (answers: readonly string[]): string[] => {
  const isComp = (it: string) => it.startsWith('pubcomp');
  return [...answers.filter((it) => !isComp(it)), ...answers.filter(isComp)];
};

/** One connection of the device, as a server sees it. */
class Connection {
  readonly sent: string[] = [];
  /** Acknowledgements of what the server published. */
  readonly answers: string[] = [];
  readonly port: PacketPort;

  constructor(server: EndToEndServer, stream: Duplex) {
    this.port = new PacketPort(stream, {
      packet: (packet) => server.handle(packet, this),
      fault: (error) => server.faults.push(error.message),
      closed: () => {},
    });
  }
}

export class EndToEndServer {
  /** Known to the server; its secret is new for every server. */
  readonly device: DeviceTriple;
  /** What broke a rule, as it happened. */
  readonly faults: string[] = [];
  readonly connections: Connection[] = [];
  private readonly options: EndToEndServerOptions;
  private readonly devices: Devices;
  private readonly profile = makeProfile();
  private readonly network: Server;
  private readonly sockets = new Set<Duplex>();
  /** What the device has published with an identifier that is still in use, by identifier. */
  private readonly published = new Map<number, string>();
  private lastPacketId = 0;
  private session = false;

  private constructor(options: EndToEndServerOptions) {
    this.options = options;
    this.device = { productKey: 'a1B2c3D4e5F', deviceName: 'device_01', deviceSecret: randomBytes(16).toString('hex') };
    this.devices = new Devices([this.device]);
    const accept = (stream: Duplex) => this.accept(stream);
    this.network = options.tls ? createTlsServer(options.tls, accept) : createServer({ noDelay: true }, accept);
    this.network.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(options: EndToEndServerOptions = {}): Promise<EndToEndServer> {
    const server = new EndToEndServer(options);
    await new Promise<void>((resolve) => server.network.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.network.address() as AddressInfo).port };
  }

  /** Takes a connection from any stream, for engines whose sockets end in this process. */
  accept(stream: Duplex): void {
    this.connections.push(new Connection(this, stream));
  }

  /** Fails unless the device said that all went well, and the wire shows it. @param lines what the device printed */
  judge(lines: readonly string[]): void {
    assert.deepEqual(lines, ALL_WELL, `the device said so; the server says ${this.faults.join(', ') || 'nothing'}`);
    assert.deepEqual(this.faults, []);
    const sent = this.connections.map((it) => it.sent);
    assert.equal(sent.length, 3, 'connections');
    assert.deepEqual(sent[0], [...EXCHANGES, ...BEFORE_THE_CUT]);
    assert.deepEqual(inOrder(this.connections[0]!.answers.slice(-4)), inOrder(ANSWERS_BEFORE));
    const exchanged = this.connections[0]!.answers.slice(0, -4).map((it) => it.split(' ')[0]);
    assert.deepEqual(exchanged, ['puback', 'pubrec', 'pubcomp', 'puback', 'puback'], 'answers to what was sent back');
    assert.deepEqual(sent[1], ['connect', ...AFTER_THE_CUT, 'disconnect']);
    assert.deepEqual(inOrder(this.connections[1]!.answers), inOrder(ANSWERS_AFTER));
    assert.deepEqual(sent[2], ['connect refused with 5']);
    assert.equal(this.published.size, 0, 'identifiers of the device that are still in use');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.network.close(() => resolve()));
  }

  /** A packet of the device. */
  handle(packet: Packet, connection: Connection): void {
    if (packet.cmd !== 'connect' && connection.sent.length === 0) return this.fault('the first packet is no CONNECT');
    if (this.options.mute) return;
    switch (packet.cmd) {
      case 'connect':
        return this.connect(packet, connection);
      case 'subscribe': {
        const { topic, qos } = packet.subscriptions[0]!;
        this.note(connection, `subscribe ${this.shortTopic(topic)} qos ${qos}`);
        return this.send(connection, { cmd: 'suback', messageId: packet.messageId!, granted: [qos] });
      }
      case 'publish':
        return this.publish(packet, connection);
      case 'pubrel':
        return this.release(packet.messageId!, connection);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return this.answered(packet.cmd, packet.messageId!, connection);
      case 'pingreq':
        return this.send(connection, { cmd: 'pingresp' });
      case 'disconnect':
        this.note(connection, 'disconnect');
        return connection.port.finish();
      default:
        return this.fault(`${packet.cmd} from a device`);
    }
  }

  private connect(packet: IConnectPacket, connection: Connection): void {
    if (connection.sent.length > 0) return this.fault('a second CONNECT [MQTT-3.1.0-2]');
    const arrival = { kind: this.options.tls ? 'private' : 'tcp', fingerprint: undefined, now: Date.now() } as const;
    const decision = decide(packet, arrival, this.profile, this.devices);
    if ('refusal' in decision) {
      this.note(connection, `connect refused with ${decision.refusal.code}`);
      this.send(connection, { cmd: 'connack', returnCode: decision.refusal.code, sessionPresent: false });
      return connection.port.finish();
    }
    if (packet.clean) this.fault('a clean session');
    this.note(connection, 'connect');
    this.send(connection, { cmd: 'connack', returnCode: 0, sessionPresent: this.session });
    if (this.session) this.takeUp(connection);
    this.session = true;
  }

  private publish(packet: IPublishPacket, connection: Connection): void {
    const { qos, dup, payload, messageId = 0 } = packet;
    const topic = this.shortTopic(packet.topic);
    const what = `${topic} qos ${qos} ${payload.length} bytes`;
    this.note(connection, `publish ${what}${dup ? ' dup' : ''}`);
    const before = this.published.get(messageId);
    if (dup ? before !== what : before !== undefined) this.fault(`identifier ${messageId} was used by ${before}`);
    if (qos > 0) this.published.set(messageId, what);
    if (topic === 'update') return this.sendBack(packet, connection);
    if (topic !== 'cut') return this.fault(`publish to ${topic}`);
    if (connection === this.connections[0]) this.prepareCut(messageId, what, connection);
    else this.acknowledge(packet, connection);
  }

  private acknowledge({ qos, messageId = 0 }: IPublishPacket, connection: Connection): void {
    if (qos === 1) {
      this.published.delete(messageId);
      this.send(connection, { cmd: 'puback', messageId });
    }
    if (qos === 2) this.send(connection, { cmd: 'pubrec', messageId });
  }

  private sendBack(packet: IPublishPacket, connection: Connection): void {
    this.acknowledge(packet, connection);
    this.push(connection, packet.payload as Buffer, packet.qos, ++this.lastPacketId);
  }

  private release(messageId: number, connection: Connection): void {
    const what = this.published.get(messageId);
    this.note(connection, `pubrel of ${what}`);
    if (what === undefined) return this.fault(`PUBREL ${messageId}, which is not in use`);
    const isUnheard = connection === this.connections[0] && what === 'cut qos 2 21 bytes';
    if (isUnheard) return this.cutWhenDone(connection);
    this.published.delete(messageId);
    this.send(connection, { cmd: 'pubcomp', messageId });
    this.endWhenDone(connection);
  }

  /** Of the device's three messages the last one gets as far as PUBREL; the server sends three of its own. */
  private prepareCut(messageId: number, what: string, connection: Connection): void {
    if (what !== 'cut qos 2 21 bytes') return;
    this.push(connection, 'least', 1, LEAST);
    this.push(connection, 'once', 2, ONCE);
    this.push(connection, 'halfway', 2, HALFWAY);
    this.send(connection, { cmd: 'pubrec', messageId });
  }

  private answered(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number, connection: Connection): void {
    connection.answers.push(`${cmd} ${messageId}`);
    this.options.trace?.(`${this.connections.indexOf(connection) + 1} < ${cmd} ${messageId}`);
    const isLost = connection === this.connections[0] && messageId === ONCE;
    if (cmd === 'pubrec' && !isLost) this.send(connection, { cmd: 'pubrel', messageId });
    if (connection === this.connections[0]) this.cutWhenDone(connection);
    else this.endWhenDone(connection);
  }

  /** Everything is under way, and nothing is finished: PUBACK, PUBREC and PUBCOMP are lost with the link. */
  private cutWhenDone({ sent, answers, port }: Connection): void {
    const isDone =
      ANSWERS_BEFORE.every((it) => answers.includes(it)) && BEFORE_THE_CUT.every((it) => sent.includes(it));
    if (isDone) port.destroy();
  }

  /** The server's part of the session: what it had not seen acknowledged, in the old order [MQTT-4.4.0-1]. */
  private takeUp(connection: Connection): void {
    this.push(connection, 'least', 1, LEAST, true);
    this.push(connection, 'once', 2, ONCE, true);
    this.send(connection, { cmd: 'pubrel', messageId: HALFWAY });
  }

  private endWhenDone(connection: Connection): void {
    const { answers, sent } = connection;
    const isDone = ANSWERS_AFTER.every((it) => answers.includes(it)) && AFTER_THE_CUT.every((it) => sent.includes(it));
    if (isDone) this.push(connection, 'end', 0, 0);
  }

  private push(connection: Connection, payload: string | Buffer, qos: 0 | 1 | 2, messageId: number, dup = false): void {
    const { productKey, deviceName } = this.device;
    const topic = `/${productKey}/${deviceName}/user/get`;
    const id = qos > 0 ? { messageId } : {};
    this.send(connection, { cmd: 'publish', topic, payload, qos, dup, retain: false, ...id });
  }

  private shortTopic(topic: string): string {
    const { productKey, deviceName } = this.device;
    const own = `/${productKey}/${deviceName}/user/`;
    if (!topic.startsWith(own)) this.fault(`${topic} is no topic of the device`);
    return topic.slice(own.length);
  }

  private note(connection: Connection, line: string): void {
    connection.sent.push(line);
    this.options.trace?.(`${this.connections.indexOf(connection) + 1} < ${line}`);
  }

  private send(connection: Connection, packet: Packet): void {
    const { messageId = '' } = packet;
    this.options.trace?.(`${this.connections.indexOf(connection) + 1} > ${packet.cmd} ${messageId}`);
    connection.port.send(packet);
  }

  private fault(message: string): void {
    this.faults.push(message);
  }
}
