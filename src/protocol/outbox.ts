// The sender's side of QoS 1 and 2 (4.3): identifiers, acknowledgements, and sending again after a reconnect (4.4).

import { type Acknowledgement, type Outgoing, type PacketId, PacketType, publishPacket } from '../framing/packet.ts';
import { State } from './delivery.ts';
import { type Delivery, indexOf, type Machine, NONE, type Publication } from './session.ts';

export class Outbox {
  machine: Machine;
  /** Deliveries before this one were sent on this network connection. */
  cursor = 0;
  /** Most deliveries that may await their acknowledgement on this connection: lowered where one of them is suspect. */
  limit = Number.POSITIVE_INFINITY;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Whether something old has still to be sent again: nothing new may get in line before [MQTT-4.6.0-1]. */
  isResending(): boolean {
    return this.machine.deliveries[this.cursor]?.sent === true;
  }

  /** Whether everything in flight was sent on this connection: only then may something new follow [MQTT-4.6.0-1]. */
  isSent(): boolean {
    return this.cursor === this.machine.deliveries.length;
  }

  add(message: Publication): PacketId {
    const delivery = this.make(message); // A store that throws leaves everything as it was.
    this.machine.deliveries.push(delivery);
    return delivery.packetId;
  }

  make(message: Publication): Delivery {
    const { machine } = this;
    const packetId = machine.nextPacketId();
    const state = message.qos === 1 ? State.AwaitingPuback : State.AwaitingPubrec;
    const delivery: Delivery = { packetId, state, message, sent: false };
    machine.changed?.(delivery, true);
    return delivery;
  }

  /** The next packet in flight that was not sent on this connection: for the first time, or again [MQTT-4.4.0-1]. */
  next(): Outgoing | undefined {
    const delivery = this.machine.deliveries[this.cursor];
    // A store may have brought back more than the window of today.
    if (!delivery || this.cursor >= Math.min(this.limit, this.machine.maxInFlight)) return undefined;
    this.cursor++;
    const { packetId, message, state, sent: dup } = delivery;
    if (state === State.AwaitingPubcomp) return { type: PacketType.Pubrel, packetId }; // Never PUBLISH [MQTT-4.3.3-1].
    delivery.sent = true;
    return publishPacket(message, packetId, dup);
  }

  /** PUBACK, PUBREC or PUBCOMP. */
  acknowledged({ type, packetId }: Acknowledgement): void {
    const { machine } = this;
    const { deliveries } = machine;
    const index = indexOf(deliveries, packetId);
    const found = deliveries[index];
    // What was never sent cannot have been acknowledged: its identifier is as good as unknown.
    const delivery = found?.sent ? found : undefined;
    const state = delivery ? delivery.state : State.UnknownSent;
    const cell = this.machine.rules[state]?.[type];
    if (!cell) return machine.violation(`packet type ${type} in state ${state} of identifier ${packetId}`, '4.3');
    if (!delivery) {
      machine.unknown++;
      if (cell[1]) machine.transmit(cell[1], packetId);
      return;
    }
    const next = cell[0];
    if (next !== State.Done) {
      machine.changed?.({ ...delivery, state: next }, true); // Before it changes here: a store may throw.
      delivery.state = next;
      return machine.transmit(cell[1]!, packetId);
    }
    this.removeAt(index); // The identifier is free [MQTT-2.3.1-3].
    machine.settle(delivery.message);
  }

  removeAt(index: number): void {
    const { machine } = this;
    machine.changed?.(machine.deliveries[index]!, false);
    machine.deliveries.splice(index, 1);
    if (index < this.cursor) this.cursor--;
  }

  /** The server has no session: what was not acknowledged goes out as new messages, in the old order (3.2.2.2). */
  renew(): void {
    const { machine } = this;
    const { deliveries } = machine;
    machine.reserved = NONE;
    for (let i = 0; i < deliveries.length; i++) {
      const old = deliveries[i]!;
      if (old.state === State.AwaitingPubcomp) {
        this.removeAt(i--);
        machine.settle(old.message); // PUBREC said that the server has taken the message over (4.3.3).
      } else if (machine.hasPacketId()) {
        deliveries[i] = this.make(old.message); // At any moment a store has one of the two.
        machine.changed?.(old, false);
      } else {
        old.sent = false; // With every identifier in use, its own is as new as any.
      }
    }
  }
}
