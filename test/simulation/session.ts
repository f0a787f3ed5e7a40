// The broker's session of the client (3.1.2.4): subscriptions, what is on its way down, which QoS 2 identifiers came up.

import { type Incoming, type PacketId, PacketType, type QoS } from '../../src/framing/packet.ts';
import { type Downward, payloadOf } from './ledger.ts';
import type { World } from './world.ts';

interface Delivery {
  readonly packetId: PacketId;
  readonly message: Downward;
  /** PUBREC came: PUBREL is what is sent again. */
  released: boolean;
}

/** So few identifiers that each is used again and again [MQTT-4.3.2-2]. */
const PACKET_IDS = 9;

/** Whether a filter matches a topic (4.7); enough for topics without `$`. */
export function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  const open = wanted.at(-1) === '#';
  if (open) wanted.pop();
  if (open ? wanted.length > levels.length : wanted.length !== levels.length) return false;
  return wanted.every((it, i) => it === '+' || it === levels[i]);
}

export class BrokerSession {
  readonly subscriptions = new Map<string, QoS>();
  /** QoS 2 messages from the client that are not released yet: each was passed on when it came. */
  readonly unreleased = new Set<PacketId>();
  /** The client has read a CONNACK of this session. */
  known = false;
  private readonly world: World;
  private readonly window: number;
  private waiting: Downward[] = [];
  private inFlight: Delivery[] = [];
  /** To the client of the present connection; nothing while there is none. */
  private say: ((packet: Incoming) => void) | undefined = undefined;
  private lastPacketId = 0;

  constructor(world: World) {
    this.world = world;
    this.window = world.random.between(1, 6);
  }

  /** The QoS that a topic is delivered with: the greatest of those that match (3.3.5), or undefined. */
  granted(topic: string): QoS | undefined {
    let most: QoS | undefined;
    for (const [filter, qos] of this.subscriptions) {
      if (matches(filter, topic) && (most === undefined || qos > most)) most = qos;
    }
    return most;
  }

  /** A connection begins, after its CONNACK: everything unfinished goes out again, in order [MQTT-4.4.0-1]. */
  attach(say: (packet: Incoming) => void): void {
    this.say = say;
    for (const it of this.inFlight) this.send(it, true);
    this.fill();
  }

  detach(): void {
    this.say = undefined;
  }

  add(message: Downward): void {
    if (message.qos > 0) {
      this.waiting.push(message);
      this.fill();
    } else if (this.say) {
      this.send({ packetId: 0, message, released: false }, false);
    }
  }

  acknowledged(type: number, packetId: PacketId): void {
    const delivery = this.inFlight.find((it) => it.packetId === packetId);
    this.world.must(delivery !== undefined, `packet type ${type} for identifier ${packetId}, which is not in flight`);
    if (!delivery) return;
    const { message, released } = delivery;
    const fits =
      type === PacketType.Puback
        ? message.qos === 1
        : message.qos === 2 && (type === PacketType.Pubrec ? !released : released);
    this.world.must(fits, `packet type ${type} for message ${message.index} of QoS ${message.qos}`);
    if (type === PacketType.Pubrec) {
      delivery.released = true;
      this.send(delivery, false);
    } else {
      this.inFlight = this.inFlight.filter((it) => it !== delivery);
      this.fill();
    }
  }

  /** Everything is lost: what was not through may never arrive. */
  forgive(): void {
    for (const it of this.waiting) it.forgiven = true;
    for (const it of this.inFlight) it.message.forgiven = true;
  }

  unfinished(): number {
    return this.waiting.length + this.inFlight.length;
  }

  private fill(): void {
    while (this.say && this.inFlight.length < this.window && this.waiting.length > 0) {
      const delivery = { packetId: this.nextPacketId(), message: this.waiting.shift()!, released: false };
      this.inFlight.push(delivery);
      this.send(delivery, false);
    }
  }

  private nextPacketId(): PacketId {
    do {
      this.lastPacketId = (this.lastPacketId % PACKET_IDS) + 1;
    } while (this.inFlight.some((it) => it.packetId === this.lastPacketId));
    return this.lastPacketId;
  }

  private send({ packetId, message, released }: Delivery, again: boolean): void {
    if (again) this.world.count('sent again by the broker');
    if (released) return this.say?.({ type: PacketType.Pubrel, packetId });
    const { index, topic, qos } = message;
    const payload = Buffer.from(payloadOf(index, this.world.random.between(0, 40)));
    message.sent++;
    this.say?.({ type: PacketType.Publish, topic, payload, qos, retain: false, packetId, dup: again });
  }
}
