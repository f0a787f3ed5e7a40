// The receiver's side of QoS 1 and 2 (4.3): each message answered once the app is done with it, in the order of arrival (4.6).

import { type Acknowledgement, type Message, PacketType, type Publish } from '../framing/packet.ts';
import { Event, State } from './delivery.ts';
import type { Machine } from './session.ts';

const isHandling = (state: State): boolean => state === State.HandlingQos1 || state === State.HandlingQos2;

export class Inbox {
  machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Messages that the app has and is not done with, those of a lost connection included. */
  held(): number {
    let count = 0;
    for (const { message } of this.machine.receipts) if (message) count++;
    return count;
  }

  receive({ packetId, topic, payload, qos, retain, dup }: Publish): void {
    const { machine } = this;
    const { receipts, rules } = machine;
    const message = { topic, payload, qos, retain, dup };
    if (qos > 0) {
      const state = qos === 1 ? State.HandlingQos1 : State.HandlingQos2;
      if (!rules[state]) return machine.violation('a PUBLISH of QoS 2, which this client does not take', '3.3.1.2');
      const index = qos === 2 ? this.indexOfHeld(packetId) : -1;
      const held = receipts[index];
      if (held) {
        // Sent again, not delivered again [MQTT-4.3.3-2]. Its turn is that of its last arrival.
        held.state = rules[held.state]![PacketType.Publish]![0];
        receipts.splice(index, 1);
        receipts.push(held);
        return this.answerInTurn();
      }
      receipts.push({ packetId, state, message });
    }
    machine.deliver(message);
  }

  /** PUBREL. */
  released({ type, packetId }: Acknowledgement): void {
    const { receipts } = this.machine;
    const index = this.indexOfHeld(packetId);
    const receipt = receipts[index];
    const state = receipt ? receipt.state : State.UnknownReceived;
    const cell = this.machine.rules[state]?.[type];
    if (!cell) return this.machine.violation(`PUBREL in state ${state} of identifier ${packetId}`, '4.3.3');
    if (receipt) {
      this.machine.changed?.(receipt, false);
      receipts.splice(index, 1);
    }
    this.machine.transmit(cell[1]!, packetId);
  }

  /** The app is done with a message, told apart by identity. False when nothing awaits that. */
  handled(message: Message): boolean {
    for (const it of this.machine.receipts) {
      if (it.message !== message) continue;
      const state = this.machine.rules[it.state]![Event.Handled]![0];
      it.message = undefined;
      it.state = state; // Also where the store throws: the app is done, and will not say so again.
      if (state !== State.HandledQos1) this.machine.changed?.(it, true); // Before PUBREC leaves (4.3.3).
      return true;
    }
    return false;
  }

  /** Sends the answers that are due, up to the first message that the app still works on [MQTT-4.6.0-2]. */
  answerInTurn(): void {
    const { receipts } = this.machine;
    for (let i = 0; i < receipts.length; i++) {
      const receipt = receipts[i]!;
      if (isHandling(receipt.state)) return;
      const cell = this.machine.rules[receipt.state]![Event.Turn];
      if (!cell) continue;
      receipt.state = cell[0];
      if (receipt.state === State.Done) receipts.splice(i--, 1);
      this.machine.transmit(cell[1]!, receipt.packetId);
    }
  }

  /** The server has no session: identifiers that it sent mean nothing any more (3.2.2.2). */
  forget(): void {
    const { machine } = this;
    const old = machine.receipts;
    machine.receipts = [];
    for (const it of old) machine.changed?.(it, false);
  }

  /** The network connection is gone: QoS 1 will come again as it is, QoS 2 is remembered. */
  lost(): void {
    const { machine } = this;
    const old = machine.receipts;
    machine.receipts = [];
    for (const it of old) {
      const cell = this.machine.rules[it.state]![Event.Lost];
      if (cell) it.state = cell[0];
      if (it.state !== State.Done) machine.receipts.push(it);
    }
  }

  /** Index of the QoS 2 message with this identifier that has not been released, or -1. */
  indexOfHeld(packetId: number): number {
    const { receipts } = this.machine;
    for (let i = 0; i < receipts.length; i++) {
      const it = receipts[i]!;
      if (it.packetId === packetId && this.machine.rules[it.state]![PacketType.Publish]) return i;
    }
    return -1;
  }
}
