// The state machine and a short way of seeing what it does: every action as one line.

import { type Incoming, PacketType } from '../../src/framing/packet.ts';
import type { Filter, MqttError, QoS } from '../../src/index.ts';
import { exactlyOnce, mqttPacketFraming } from '../../src/index.ts';
import type { Action } from '../../src/protocol/action.ts';
import { Connection } from '../../src/protocol/connection.ts';
import type { ConnectFields, ConnectionOptions } from '../../src/protocol/connection-options.ts';
import type { Operation, ReceivedMessage } from '../../src/protocol/session.ts';
import { describe, PacketReader, serverBytes } from '../simulation/wire.ts';

export const FIELDS: ConnectFields = { clientId: 'device', cleanSession: false, keepAliveSeconds: 100 };

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** What names an operation: the payload of a message, the filters of a request. */
function nameOf(operation: Operation): string {
  if ('payload' in operation) return text(operation.payload);
  return operation.filters.map((it: Filter | string) => (typeof it === 'string' ? `no ${it}` : it.filter)).join(' ');
}

/** One line for each kind of action; packets as on the wire. */
export function lineOf(action: Action): string {
  switch (action.kind) {
    case 'transmit':
      return new PacketReader().push(action.bytes).map(describe).join(' and ');
    case 'connected':
      return `connected ${action.sessionPresent}`;
    case 'message':
      return `message ${text(action.message.payload)}`;
    case 'close':
      return `close ${action.error?.code ?? ''}`.trim();
    case 'settled':
      return `settled ${nameOf(action.operation)} ${action.error?.code ?? action.granted ?? ''}`.trim();
  }
}

export interface Bench {
  readonly connection: Connection;
  /** Every message that the app was given, in order. */
  readonly messages: ReceivedMessage[];
  now: number;
  /** Carries out what there is to do. */
  drain(): string[];
  open(fields?: Partial<ConnectFields>): string[];
  /** Packets of the server, in one chunk. */
  receive(...packets: Incoming[]): string[];
  /** open(), and a CONNACK. */
  connect(sessionPresent?: boolean, fields?: Partial<ConnectFields>): string[];
  publish(name: string, qos: QoS): string[];
  close(): string[];
}

export function bench(options: Partial<ConnectionOptions> = {}): Bench {
  const connection = new Connection({ framing: mqttPacketFraming(), delivery: exactlyOnce, ...options });
  const it: Bench = {
    connection,
    messages: [],
    now: 0,
    drain() {
      const lines: string[] = [];
      for (let action = connection.poll(); action; action = connection.poll()) {
        lines.push(lineOf(action));
        if (action.kind === 'message') it.messages.push(action.message);
      }
      return lines;
    },
    open(fields = {}) {
      connection.opened({ ...FIELDS, ...fields }, it.now);
      return it.drain();
    },
    receive(...packets) {
      connection.input(Buffer.concat(packets.map(serverBytes)), it.now);
      return it.drain();
    },
    connect(sessionPresent = false, fields = {}) {
      it.open(fields);
      return it.receive(connack(sessionPresent));
    },
    publish(name, qos) {
      connection.publish(messageOf(name, qos), it.now);
      return it.drain();
    },
    close() {
      connection.closed(it.now);
      return it.drain();
    },
  };
  return it;
}

export const messageOf = (name: string, qos: QoS) => ({ topic: 't', payload: Buffer.from(name), qos, retain: false });

export const connack = (sessionPresent: boolean, returnCode = 0): Incoming => ({
  type: PacketType.Connack,
  sessionPresent,
  returnCode,
});

export const publish = (packetId: number, qos: QoS, name: string, dup = false): Incoming => ({
  type: PacketType.Publish,
  ...messageOf(name, qos),
  packetId,
  dup,
});

type AcknowledgementType = 4 | 5 | 6 | 7 | 11;

const acknowledgement =
  (type: AcknowledgementType) =>
  (packetId: number): Incoming => ({ type, packetId });

export const puback = acknowledgement(PacketType.Puback);
export const pubrec = acknowledgement(PacketType.Pubrec);
export const pubrel = acknowledgement(PacketType.Pubrel);
export const pubcomp = acknowledgement(PacketType.Pubcomp);
export const unsuback = acknowledgement(PacketType.Unsuback);
export const pingresp: Incoming = { type: PacketType.Pingresp };

export const suback = (packetId: number, ...granted: number[]): Incoming => ({
  type: PacketType.Suback,
  packetId,
  granted,
});

/** The PUBLISH that the client sends, as a line. */
export const published = (name: string, qos: QoS, packetId: number, dup = false): string =>
  `PUBLISH topic="t" payload=${name} qos=${qos} retain=false packetId=${packetId} dup=${dup}`;

/** The code of what is thrown, or undefined. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return (error as MqttError).code ?? String(error);
  }
  return undefined;
}
