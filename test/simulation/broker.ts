// A broker that keeps the standard to the letter, and holds the client to it: real sessions, moods, and faults of its own.

import {
  type Connect,
  type Filter,
  type Incoming,
  PacketType,
  type Publish,
  type QoS,
} from '../../src/framing/packet.ts';
import type { MemoryPeer } from '../../src/memory.ts';
import type { Ledger } from './ledger.ts';
import { Line } from './line.ts';
import { BrokerSession } from './session.ts';
import { concat, describe, type Packet, PacketReader, serverBytes } from './wire.ts';
import type { World } from './world.ts';

/** Filters that the broker refuses (3.9.3). */
export const FORBIDDEN = 'secret/#';

const REFUSED = 0x80;

export class Broker {
  session: BrokerSession | undefined = undefined;
  readonly world: World;
  readonly ledger: Ledger;
  private current: BrokerConnection | undefined = undefined;

  constructor(world: World, ledger: Ledger) {
    this.world = world;
    this.ledger = ledger;
  }

  accept = (peer: MemoryPeer): boolean => {
    if (this.world.unlucky(0.05)) {
      this.world.count('dials refused');
      return false;
    }
    new BrokerConnection(this, new Line(this.world, peer));
    return true;
  };

  /** Someone publishes a message; it goes to the client if it has subscribed to the topic. */
  publish(topic: string, qos: QoS): void {
    const granted = this.session?.granted(topic);
    if (granted === undefined) return;
    const effective = Math.min(qos, granted) as QoS;
    const index = this.ledger.downward.length;
    const message = { index, qos: effective, topic, sent: 0, arrivals: 0, forgiven: false };
    this.ledger.downward.push(message);
    this.world.count(`messages of QoS ${effective} for the client`);
    this.session?.add(message);
  }

  /** Closes the present connection, in order. */
  close(): void {
    if (this.current) this.world.count('connections closed by the broker');
    this.current?.end();
  }

  /** Starts anew without anything it knew. */
  restart(): void {
    this.world.note('broker: restarts');
    this.world.count('sessions lost by the broker');
    this.current?.end();
    this.forget();
  }

  forget(): void {
    this.session?.forgive();
    this.session = undefined;
  }

  /** The client has read a CONNACK: from now on it can know that it has a session. */
  read(): void {
    if (this.session) this.session.known = true;
  }

  /** The session of a new connection, and whether it was kept. Takes the place of an older connection [MQTT-3.1.4-2]. */
  open(connection: BrokerConnection, { cleanSession }: Connect): boolean {
    if (this.current?.line.open) this.world.count('takeovers');
    this.current?.end();
    this.current = connection;
    // The client can tell a lost session only by a CONNACK that it has read, so one that it has not is not resumed:
    // 3.1.1 would allow it, and would lose messages whatever the client does.
    const kept = !cleanSession && this.session?.known === true;
    if (!kept) this.forget();
    this.session ??= new BrokerSession(this.world);
    connection.session = this.session;
    return kept;
  }

  /** A connection is over. */
  left(connection: BrokerConnection): void {
    if (this.current === connection) this.current = undefined;
    if (connection.clean && connection.session === this.session) this.forget(); // [MQTT-3.1.2-6]
  }
}

class BrokerConnection {
  readonly line: Line;
  session: BrokerSession | undefined = undefined;
  clean = false;
  private readonly broker: Broker;
  private readonly world: World;
  private readonly reader = new PacketReader();
  private out: Uint8Array[] = [];
  private flushing = false;
  private greeted = false;
  private over = false;
  /** Gives up when nothing has come for 1.5 keep-alives [MQTT-3.1.2-24]. */
  private heard = 0;

  constructor(broker: Broker, line: Line) {
    this.broker = broker;
    this.world = broker.world;
    this.line = line;
    line.onReceived = (bytes) => this.receive(bytes);
    line.onClosed = () => this.leave();
  }

  end(): void {
    this.flush();
    this.line.close();
    this.leave();
  }

  private leave(): void {
    if (this.over) return;
    this.over = true;
    this.session?.detach();
    this.broker.left(this);
  }

  private receive(bytes: Uint8Array): void {
    if (this.over) return;
    try {
      for (const packet of this.reader.push(bytes)) if (!this.over) this.handle(packet);
    } catch (error) {
      this.world.must(false, `broker: ${(error as Error).message}`);
    }
  }

  private handle(packet: Packet): void {
    this.world.note(`broker <- ${describe(packet)}`);
    this.heard++;
    this.world.must(
      this.greeted !== (packet.type === PacketType.Connect),
      'CONNECT is the first packet, and only that',
    );
    if (packet.type === PacketType.Connect) return this.greet(packet);
    const { session } = this;
    this.world.must(session !== undefined, 'a packet before CONNACK');
    if (session) this.serve(session, packet);
  }

  private greet(packet: Connect): void {
    this.greeted = true;
    if (this.world.unlucky(0.04)) return this.world.count('CONNECTs left unanswered');
    if (this.world.unlucky(0.06)) return this.refuse();
    this.clean = packet.cleanSession;
    const sessionPresent = this.broker.open(this, packet);
    this.say({ type: PacketType.Connack, sessionPresent, returnCode: 0 });
    this.session?.attach((it) => this.say(it));
    this.watch(packet.keepAliveSeconds * 1_500, this.heard);
  }

  private refuse(): void {
    this.world.count('CONNECTs refused');
    this.say({ type: PacketType.Connack, sessionPresent: false, returnCode: this.world.random.between(1, 5) });
    this.end();
  }

  private watch(millis: number, heard: number): void {
    this.world.later(millis, () => {
      if (this.over) return;
      if (heard !== this.heard) return this.watch(millis, this.heard);
      this.world.count('clients given up by the broker');
      this.end();
    });
  }

  private serve(session: BrokerSession, packet: Packet): void {
    switch (packet.type) {
      case PacketType.Publish:
        return this.publish(session, packet);
      case PacketType.Pubrel:
        session.unreleased.delete(packet.packetId);
        return this.say({ type: PacketType.Pubcomp, packetId: packet.packetId });
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubcomp:
        return session.acknowledged(packet.type, packet.packetId);
      case PacketType.Subscribe:
        return this.subscribe(session, packet.packetId, packet.filters);
      case PacketType.Unsubscribe:
        for (const filter of packet.filters) session.subscriptions.delete(filter);
        return this.say({ type: PacketType.Unsuback, packetId: packet.packetId });
      case PacketType.Pingreq:
        this.world.count('pings');
        return this.say({ type: PacketType.Pingresp });
      case PacketType.Disconnect:
        return this.end();
      default:
        this.world.must(false, `the client sent ${describe(packet)}`);
    }
  }

  private publish(session: BrokerSession, { qos, packetId, payload, dup }: Publish): void {
    if (dup) this.world.count('sent again by the client');
    if (qos < 2 || !session.unreleased.has(packetId)) this.broker.ledger.arrivedUp(payload);
    if (qos === 2) session.unreleased.add(packetId); // [MQTT-4.3.3-2]
    if (qos > 0) this.say({ type: qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetId });
  }

  private subscribe(session: BrokerSession, packetId: number, filters: readonly Filter[]): void {
    const granted = filters.map(({ filter, qos }) => {
      if (filter === FORBIDDEN) return REFUSED;
      session.subscriptions.set(filter, qos);
      return qos;
    });
    this.say({ type: PacketType.Suback, packetId, granted });
  }

  /** Queues a packet; packets that wait leave together, cut anywhere. */
  private say(packet: Incoming): void {
    this.world.note(`broker -> ${describe(packet)}`);
    this.out.push(serverBytes(packet));
    if (this.flushing) return;
    this.flushing = true;
    this.world.later(this.world.calm ? 0 : this.world.random.delay(60, 4_000), () => this.flush());
  }

  private flush(): void {
    this.flushing = false;
    if (this.out.length === 0) return;
    const bytes = concat(this.out);
    this.out = [];
    for (let at = 0; at < bytes.length; ) {
      const end = this.world.random.chance(0.7) ? bytes.length : at + this.world.random.between(1, 12);
      this.line.send(bytes.slice(at, end));
      at = end;
    }
  }
}
