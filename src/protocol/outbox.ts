// The sender's side of QoS 1 and 2 (4.3): identifiers, acknowledgements, and sending again after a reconnect (4.4).

import { type Acknowledgement, type Outgoing, type PacketId, PacketType, publishPacket } from '../framing/packet.ts';
import { type Rules, State } from './delivery.ts';
import { type Delivery, indexOf, type Machine, type Publication } from './session.ts';

export class Outbox {
  machine: Machine;
  rules: Rules;
  /** Deliveries before this one were sent on this network connection. */
  cursor = 0;
  /** Most deliveries that may await their acknowledgement on this connection: lowered where one of them is suspect. */
  limit = Number.POSITIVE_INFINITY;

  constructor(machine: Machine, rules: Rules) {
    this.machine = machine;
    this.rules = rules;
  }

  /** Whether something old has still to be sent again: nothing new may get in line before [MQTT-4.6.0-1]. */
  isResending(): boolean {
    return this.machine.session.deliveries[this.cursor]?.sent === true;
  }

  /** Whether everything in flight was sent on this connection: only then may something new follow [MQTT-4.6.0-1]. */
  isSent(): boolean {
    return this.cursor === this.machine.session.deliveries.length;
  }

  add(message: Publication): PacketId {
    const { session } = this.machine;
    const packetId = session.nextPacketId();
    const state = message.qos === 1 ? State.AwaitingPuback : State.AwaitingPubrec;
    const delivery: Delivery = { packetId, state, message, sent: false };
    session.changed?.(delivery, true); // A store that throws leaves everything as it was.
    session.deliveries.push(delivery);
    return packetId;
  }

  /** The next packet in flight that was not sent on this connection: for the first time, or again [MQTT-4.4.0-1]. */
  next(): Outgoing | undefined {
    const delivery = this.machine.session.deliveries[this.cursor];
    if (!delivery || this.cursor >= this.limit) return undefined;
    this.cursor++;
    const { packetId, message, state, sent: dup } = delivery;
    if (state === State.AwaitingPubcomp) return { type: PacketType.Pubrel, packetId }; // Never PUBLISH [MQTT-4.3.3-1].
    delivery.sent = true;
    return publishPacket(message, packetId, dup);
  }

  /** PUBACK, PUBREC or PUBCOMP. */
  acknowledged({ type, packetId }: Acknowledgement): void {
    const { machine } = this;
    const { deliveries } = machine.session;
    const index = indexOf(deliveries, packetId);
    const found = deliveries[index];
    // What was never sent cannot have been acknowledged: its identifier is as good as unknown.
    const delivery = found?.sent ? found : undefined;
    const state = delivery ? delivery.state : State.UnknownSent;
    const cell = this.rules[state]?.[type];
    if (!cell) return machine.violation(`packet type ${type} in state ${state} of identifier ${packetId}`, '4.3');
    if (!delivery) {
      machine.session.unknown++;
      if (cell[1]) machine.transmit(cell[1], packetId);
      return;
    }
    delivery.state = cell[0];
    if (delivery.state !== State.Done) {
      machine.session.changed?.(delivery, true);
      return machine.transmit(cell[1]!, packetId);
    }
    this.removeAt(index); // The identifier is free [MQTT-2.3.1-3].
    machine.settle(delivery.message);
  }

  /** Takes a message out that must not be sent again. False where it is not in flight. */
  discard(message: Publication): boolean {
    const { deliveries, reserved } = this.machine.session;
    let index = deliveries.length - 1;
    while (index >= 0 && deliveries[index]!.message !== message) index--;
    // Once the server has taken it over it is no suspect, and PUBREL is owed (4.3.3).
    if (index < 0 || deliveries[index]!.state === State.AwaitingPubcomp) return false;
    if (message.qos === 2) reserved.push(deliveries[index]!.packetId);
    this.removeAt(index);
    return true;
  }

  private removeAt(index: number): void {
    const { session } = this.machine;
    const [delivery] = session.deliveries.splice(index, 1);
    if (index < this.cursor) this.cursor--;
    session.changed?.(delivery!, false);
  }

  /** The server has no session: what was not acknowledged goes out as new messages, in the old order (3.2.2.2). */
  renew(): void {
    const { session } = this.machine;
    const old = session.deliveries;
    session.deliveries = [];
    session.reserved = [];
    for (const it of old) {
      session.changed?.(it, false);
      if (it.state === State.AwaitingPubcomp) {
        this.machine.settle(it.message); // PUBREC said that the server has taken the message over (4.3.3).
      } else {
        this.add(it.message);
      }
    }
  }
}
