// SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11): which await their answers, and whether the answers fit. Not session state.

import { type MqttError, mqttError } from '../error.ts';
import {
  type Acknowledgement,
  type Filter,
  type PacketId,
  PacketType,
  type Suback,
  type Subscribe,
  type Unsubscribe,
} from '../framing/packet.ts';
import { indexOf, type Machine, NONE, type Subscription, type Unsubscription } from './session.ts';

export const lost = (): MqttError => mqttError('closed', 'the connection was lost');

/** UNSUBSCRIBE where the filters are bare strings. */
export function requestPacket({ filters }: Subscription | Unsubscription, packetId: PacketId): Subscribe | Unsubscribe {
  return typeof filters[0] === 'string'
    ? { type: PacketType.Unsubscribe, packetId, filters: filters as readonly string[] }
    : { type: PacketType.Subscribe, packetId, filters: filters as readonly Filter[] };
}

export class Requests {
  machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** @returns the packet to send */
  add(operation: Subscription | Unsubscription): Subscribe | Unsubscribe {
    const { machine } = this;
    const packet = requestPacket(operation, machine.nextPacketId());
    machine.requests = machine.requests.concat([{ packetId: packet.packetId, operation, answer: packet.type + 1 }]);
    return packet;
  }

  /** SUBACK or UNSUBACK. One for an identifier that is not in use is ignored and counted. */
  answered(packet: Suback | Acknowledgement): void {
    const { machine } = this;
    const { requests } = machine;
    const index = indexOf(requests, packet.packetId);
    const request = requests[index];
    if (!request) {
      machine.unknown++;
      return;
    }
    if (request.answer !== packet.type) return machine.violation('SUBACK and UNSUBACK mixed up', 'MQTT-2.3.1-7');
    const granted = packet.type === PacketType.Suback ? packet.granted : undefined;
    if (granted && granted.length !== request.operation.filters.length) {
      return machine.violation('SUBACK without one return code for each filter', 'MQTT-3.8.4-5');
    }
    requests.splice(index, 1);
    machine.settle(request.operation, undefined, granted);
  }

  /** The network connection is gone, and with it every question. */
  lost(): void {
    const { machine } = this;
    const { requests } = machine;
    machine.requests = NONE;
    for (const it of requests) machine.settle(it.operation, lost());
  }
}
