// Sits between the client and its transport and sees what the client sees: checks every packet in the order of its world.

import { type PacketId, PacketType, type Publish } from '../../src/framing/packet.ts';
import type { Adapter, Alarm, Endpoint, MqttError, Transport, TransportEvents, Warning } from '../../src/index.ts';
import { until } from '../../src/time.ts';
import { indexIn, type Ledger } from './ledger.ts';
import { describe, type Packet, PacketReader } from './wire.ts';
import type { World } from './world.ts';

/** A PUBLISH of QoS 1 or 2 that the client has sent and that is not finished. */
interface Flight {
  packetId: PacketId;
  readonly index: number;
  readonly qos: number;
  /** PUBREC came: only PUBREL may be sent for it. */
  released: boolean;
  /** On this connection. */
  sent: boolean;
  /** All of it was taken by a transport at least once: from then on DUP is owed. */
  certain: boolean;
}

/** Packets that put off a PINGREQ on the strictest of platforms. */
const COUNTED: readonly number[] = [
  PacketType.Connect,
  PacketType.Publish,
  PacketType.Puback,
  PacketType.Subscribe,
  PacketType.Pingreq,
];

/** So many rings of the timer in one run would be a loop. */
const MAX_RINGS = 20_000;

export class Auditor {
  /** The app has said close(): what comes in is not read any more. */
  deaf = false;
  /** Most messages that one chunk has carried. */
  mostInChunk = 0;
  /** The timer is set. */
  armed = false;
  /** The client has read a CONNACK that accepts it. */
  onAccepted: () => void = () => {};
  readonly world: World;
  readonly keepAlive: number;
  private readonly ledger: Ledger;
  private live: ClientEnd | undefined = undefined;
  private flights: Flight[] = [];
  /** Flights of a session that was lost: they go out first, as new messages. */
  private renewed: Flight[] = [];
  private seen = new Set<number>();
  private requests = new Map<PacketId, number>();
  /** By packet type: identifiers of the answers that the client owes on this connection, in order (4.6). */
  private owed: Record<number, PacketId[]> = {};
  private rings = 0;

  constructor(world: World, ledger: Ledger, keepAliveSeconds: number) {
    this.world = world;
    this.ledger = ledger;
    this.keepAlive = keepAliveSeconds * 1_000;
  }

  adapter(base: Adapter): Adapter {
    return {
      ...base,
      alarm: (ring) => this.alarm(base, ring),
      dial: (endpoint, events) => this.dial(base, endpoint, events),
    };
  }

  isIdle(): boolean {
    return this.live === undefined;
  }

  private alarm(base: Adapter, ring: () => void): Alarm {
    const alarm = base.alarm(() => {
      this.armed = false;
      if (this.rings++ < MAX_RINGS) ring();
      else this.world.must(false, 'the timer rings without end');
    });
    return {
      set: (millis) => {
        this.armed = true;
        alarm.set(millis);
      },
      clear: () => {
        this.armed = false;
        alarm.clear();
      },
    };
  }

  private dial(base: Adapter, endpoint: Endpoint, events: TransportEvents): Transport {
    this.world.must(this.live === undefined, 'a second connection while one is open');
    this.world.count('dials');
    this.world.note('client: dials');
    this.deaf = false;
    this.live = new ClientEnd(this, base, endpoint, events);
    return this.live;
  }

  ended(end: ClientEnd): void {
    if (this.live !== end) return;
    this.live = undefined;
    this.requests.clear();
    this.owed = {};
    for (const it of this.flights) it.sent = false;
  }

  // What the client reads.

  read(packet: Packet): void {
    if (this.deaf) return;
    switch (packet.type) {
      case PacketType.Connack:
        if (packet.returnCode === 0) this.accepted(packet.sessionPresent);
        break;
      case PacketType.Publish:
        if (packet.qos > 0) this.owe(packet.qos === 1 ? PacketType.Puback : PacketType.Pubrec, packet.packetId);
        break;
      case PacketType.Pubrel:
        this.owe(PacketType.Pubcomp, packet.packetId);
        break;
      case PacketType.Pubrec:
        this.received(packet.packetId);
        break;
      case PacketType.Puback:
      case PacketType.Pubcomp:
        this.flights = this.flights.filter((it) => it.packetId !== packet.packetId);
        break;
      case PacketType.Suback:
      case PacketType.Unsuback:
        this.requests.delete(packet.packetId);
    }
  }

  private accepted(sessionPresent: boolean): void {
    this.world.count(sessionPresent ? 'sessions resumed' : 'sessions begun');
    this.onAccepted();
    if (sessionPresent) return;
    const lost = this.flights.filter((it) => !it.released);
    for (const it of lost) this.ledger.upward[it.index]!.renewals++;
    this.renewed = [...lost, ...this.renewed];
    this.flights = [];
  }

  /** PUBREC: the broker has the message. */
  private received(packetId: PacketId): void {
    const flight = this.flightOf(packetId);
    if (flight) flight.released = true;
    this.owe(PacketType.Pubrel, packetId);
  }

  private owe(type: number, packetId: PacketId): void {
    this.owed[type] ??= [];
    this.owed[type].push(packetId);
  }

  private flightOf(packetId: PacketId): Flight | undefined {
    return this.flights.find((it) => it.packetId === packetId);
  }

  // What the client writes.

  wrote(packet: Packet): void {
    switch (packet.type) {
      case PacketType.Publish:
        if (packet.qos > 0) this.published(packet);
        break;
      case PacketType.Pubrel:
        this.released(packet.packetId);
        break;
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubcomp:
        this.world.must(
          this.owed[packet.type]?.shift() === packet.packetId,
          `not owed or not its turn: ${describe(packet)}`,
        );
        break;
      case PacketType.Subscribe:
      case PacketType.Unsubscribe:
        this.mustBeUnused(packet.packetId);
        this.requests.set(packet.packetId, packet.type);
    }
  }

  /** A packet has left whole. */
  taken(packet: Packet): void {
    if (packet.type !== PacketType.Publish || packet.qos === 0) return;
    const flight = this.flightOf(packet.packetId);
    if (flight) flight.certain = true;
  }

  /** [MQTT-2.3.1-2] */
  private mustBeUnused(packetId: PacketId): void {
    const used = this.requests.has(packetId) || this.flights.some((it) => it.packetId === packetId);
    this.world.must(!used, `identifier ${packetId} is in flight twice`);
  }

  private published(packet: Publish): void {
    const { packetId, payload, qos, dup } = packet;
    const index = indexIn(payload);
    const due = this.flights.find((it) => !it.sent);
    if (!due) return this.publishedNew(packet, index);
    // [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.1-1] [MQTT-4.3.3-1]
    this.world.must(due.packetId === packetId && due.index === index && due.qos === qos, 'a re-send out of order');
    this.world.must(!due.released, 'PUBLISH again after PUBREC');
    this.world.must(dup || !due.certain, 'a re-send without DUP');
    due.sent = true;
  }

  private publishedNew({ packetId, qos, dup }: Publish, index: number): void {
    this.mustBeUnused(packetId);
    this.world.must(!dup, 'a new message with DUP');
    const renewed = this.renewed.shift();
    if (renewed) this.world.must(renewed.index === index, 'messages of a lost session out of order');
    else this.world.must(!this.seen.has(index), `message ${index} was sent twice as a new one`);
    this.seen.add(index);
    this.flights.push({ packetId, index, qos, released: false, sent: true, certain: false });
  }

  private released(packetId: PacketId): void {
    const owed = this.owed[PacketType.Pubrel] ?? [];
    if (owed[0] === packetId) {
      owed.shift(); // [MQTT-4.6.0-4]
      return;
    }
    const due = this.flights.find((it) => !it.sent);
    this.world.must(due?.packetId === packetId && due.released, `PUBREL of ${packetId} is not owed or not its turn`);
    if (due) due.sent = true;
  }
}

/** One network connection, seen from the client. */
class ClientEnd implements Transport, TransportEvents {
  private readonly audit: Auditor;
  private readonly world: World;
  private readonly events: TransportEvents;
  private readonly transport: Transport;
  private readonly up = new PacketReader();
  private readonly down = new PacketReader();
  private isOpen = false;
  private full = false;
  /** What the transport did not take. */
  private rest = 0;
  private packets = 0;
  private last: Packet | undefined = undefined;
  /** When the last packet that counts had left. */
  private countedAt = 0;
  private greeted = false;
  private closing = false;

  constructor(audit: Auditor, base: Adapter, endpoint: Endpoint, events: TransportEvents) {
    this.audit = audit;
    this.world = audit.world;
    this.events = events;
    this.transport = base.dial(endpoint, this);
  }

  // From the client.

  write(bytes: Uint8Array): number {
    this.world.must(this.isOpen && !this.closing, 'written to a connection that is not open');
    this.world.must(!this.full, 'written while the transport is full');
    if (this.rest > 0) this.world.must(bytes.length === this.rest, 'the rest of a packet was not written as it was');
    else this.begin(bytes);
    const stalled = this.rest > 0;
    const taken = this.transport.write(bytes);
    this.rest = bytes.length - taken;
    this.full = this.rest > 0;
    if (this.rest === 0) this.finish(stalled);
    return taken;
  }

  pause(): void {
    this.world.count('pauses of reading');
    this.transport.pause();
  }

  resume(): void {
    this.transport.resume();
  }

  close(): void {
    this.closing = true;
    this.transport.close();
  }

  abort(): void {
    this.world.note('client: drops the connection');
    this.over();
    this.transport.abort();
  }

  // To the client.

  opened(): void {
    this.isOpen = true;
    this.countedAt = this.world.time.now();
    this.events.opened();
  }

  received(bytes: Uint8Array): void {
    const packets = this.down.push(bytes);
    let messages = 0;
    for (const it of packets) {
      this.world.note(`client <- ${describe(it)}`);
      if (it.type === PacketType.Publish) messages++;
      if (it.type === PacketType.Connack) this.greeted = it.returnCode === 0;
      this.audit.read(it);
    }
    this.audit.mostInChunk = Math.max(this.audit.mostInChunk, messages);
    this.events.received(bytes);
  }

  writable(): void {
    this.full = false;
    this.events.writable();
  }

  closed(error?: MqttError): void {
    this.world.note(`client: closed ${error?.code ?? 'in order'}`);
    this.over();
    this.events.closed(error);
  }

  warning(warning: Warning): void {
    this.events.warning(warning);
  }

  // The books.

  private begin(bytes: Uint8Array): void {
    this.checkSilence();
    const packets = this.up.push(bytes);
    this.world.must(packets.length === 1 && this.up.rest() === 0, 'written bytes are not one packet');
    const packet = packets[0];
    if (!packet) return;
    this.world.note(`client -> ${describe(packet)}`);
    const isConnect = packet.type === PacketType.Connect;
    this.world.must(isConnect === (this.packets++ === 0), 'CONNECT is the first packet, and only that');
    this.world.must(isConnect || this.greeted, 'a packet before CONNACK');
    this.world.must(this.last?.type !== PacketType.Disconnect, 'a packet after DISCONNECT');
    this.last = packet;
    this.audit.wrote(packet);
  }

  private finish(stalled: boolean): void {
    const { last } = this;
    if (!last) return;
    this.audit.taken(last);
    if (stalled || COUNTED.includes(last.type)) this.countedAt = this.world.time.now();
  }

  /** [MQTT-3.1.2-23]: the gap between the end of one packet that counts and the start of the next. */
  private checkSilence(): void {
    if (!this.isOpen || !this.greeted || this.rest > 0) return;
    const silence = until(this.world.time.now(), this.countedAt);
    this.world.must(silence <= this.audit.keepAlive, `nothing that counts was sent for ${silence} ms`);
  }

  private over(): void {
    if (this.last?.type !== PacketType.Disconnect) this.checkSilence();
    this.isOpen = false;
    this.audit.ended(this);
  }
}
