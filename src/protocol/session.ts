// Session state of the client (3.1.2.4, 4.1): what was sent and not acknowledged, what was received and not finished.

import { type MqttError, mqttError } from '../error.ts';
import type { Filter, Message, PacketId } from '../framing/packet.ts';
import type { Rules, State } from './delivery.ts';

/** A message from the server, as the app gets it. */
export interface ReceivedMessage extends Message {
  /** The server sent it before, or believes so. Says nothing about whether this app has seen it (3.3.1.1). */
  readonly dup: boolean;
}

/** What the app asked for. The machine hands the same object back when it settles, and looks at nothing else in it. */
export type Publication = Message;
export interface Subscription {
  readonly filters: readonly Filter[];
}
export interface Unsubscription {
  readonly filters: readonly string[];
}
export type Operation = Publication | Subscription | Unsubscription;

/** A PUBLISH of QoS 1 or 2 on its way to the server. */
export interface Delivery {
  packetId: PacketId;
  state: State;
  readonly message: Publication;
  /** It was sent on some connection before: DUP is set from now on [MQTT-3.3.1-1]. */
  sent: boolean;
}

/** A PUBLISH of QoS 1 or 2 that came from the server. Its identifiers are a number space of their own [MQTT-2.3.1-4]. */
export interface Receipt {
  readonly packetId: PacketId;
  state: State;
  /** As it was handed to the app; dropped once the app is done. */
  message: Message | undefined;
}

/** A SUBSCRIBE or UNSUBSCRIBE that awaits its answer. Not session state: gone with the connection. */
export interface Request {
  readonly packetId: PacketId;
  readonly operation: Subscription | Unsubscription;
  /** Packet type that answers it. */
  readonly answer: number;
}

const MAX_PACKET_ID = 65_535;

/** Index of the entry with this identifier, or -1. The oldest is usually the one. */
export function indexOf(entries: readonly { readonly packetId: PacketId }[], packetId: PacketId): number {
  for (let i = 0; i < entries.length; i++) if (entries[i]!.packetId === packetId) return i;
  return -1;
}

/** Lists that are empty nearly always are this one: what is added to it makes a list of their own. */
export const NONE = Object.freeze([]) as readonly never[] as never[];

/** Lives as long as the machine, over any number of network connections [MQTT-3.1.2-4] [MQTT-4.1.0-1]. */
export class Session {
  /** In the order of their first sending, which is that of every later one [MQTT-4.6.0-1]. */
  deliveries: Delivery[] = [];
  /** In the order of arrival [MQTT-4.6.0-2]. */
  receipts: Receipt[] = [];
  requests: Request[] = NONE;
  lastPacketId: PacketId = 0;
  /** Acknowledgements of identifiers that were not in use, so far. */
  unknown = 0;
  /** Identifiers of QoS 2 messages that were given up: the server may hold them until it loses the session (4.3.3). */
  reserved: PacketId[] = NONE;
  /**
   * Told of every change that has to outlive a power loss, before the packet that follows from it leaves: `kept` says whether
   * the entry belongs to the session from now on. Set by what stores sessions.
   */
  changed: ((entry: Delivery | Receipt, kept: boolean) => void) | undefined = undefined;

  /** Whether an identifier is free. */
  hasPacketId(): boolean {
    return this.deliveries.length + this.requests.length + this.reserved.length < MAX_PACKET_ID;
  }

  /**
   * An identifier that nothing in flight uses [MQTT-2.3.1-2].
   * @throws MqttError 'window-full' when all 65,535 are taken
   */
  nextPacketId(): PacketId {
    if (!this.hasPacketId())
      throw mqttError('window-full', 'all packet identifiers are in use', { clause: 'MQTT-2.3.1-2' });
    do {
      this.lastPacketId = this.lastPacketId === MAX_PACKET_ID ? 1 : this.lastPacketId + 1; // [MQTT-2.3.1-1]
    } while (this.isInUse(this.lastPacketId));
    return this.lastPacketId;
  }

  isInUse(packetId: PacketId): boolean {
    return (
      indexOf(this.deliveries, packetId) >= 0 ||
      indexOf(this.requests, packetId) >= 0 ||
      this.reserved.indexOf(packetId) >= 0
    );
  }
}

/** What inbox, outbox and requests ask of the machine they are part of: it is the session, over all its connections. */
export interface Machine extends Session {
  readonly rules: Rules;
  readonly maxInFlight: number;
  /** Queues a packet for sending. */
  transmit(type: 4 | 5 | 6 | 7, packetId: PacketId): void;
  deliver(message: ReceivedMessage): void;
  settle(operation: Operation, error?: MqttError, granted?: readonly number[]): void;
  /** Closes the connection [MQTT-4.8.0-1]. */
  violation(message: string, clause: string): void;
}
