// Session state that outlives a power loss (4.1): what is in flight, and which QoS 2 identifiers must not be delivered again.

import type { Client } from '../client/client.ts';
import { type MqttError, mqttError } from '../error.ts';
import type { QoS } from '../framing/packet.ts';
import { State } from '../protocol/delivery.ts';
import type { Delivery, Receipt } from '../protocol/session.ts';
import { textOf, utf8Length, writeUtf8 } from '../utf8.ts';

/** Where records are kept: a folder, a key-value store, flash. Everything is done before a call returns. */
export interface SessionStore {
  /** Keeps a record under a short key of letters and digits, in place of an earlier one. May throw: nothing is sent then. */
  put(key: string, record: Uint8Array): void;
  /** Forgets a record; one that is not there is ignored. */
  remove(key: string): void;
  /** Visits every record, in any order. */
  each(visit: (key: string, record: Uint8Array) => void): void;
}

/** Version, state, sequence number, QoS and retain, length of the topic. */
const HEADER = 9;
const VERSION = 1;
const RETAIN = 4;

const isDelivery = (entry: Delivery | Receipt): entry is Delivery => 'sent' in entry;

const keyOf = (entry: Delivery | Receipt): string => (isDelivery(entry) ? 'o' : 'i') + entry.packetId.toString(16);

function encode(entry: Delivery | Receipt, sequence: number): Uint8Array {
  const isRelease = !isDelivery(entry) || entry.state === State.AwaitingPubcomp;
  // Once the server has taken a message over, only its identifier matters.
  const { topic, payload, qos, retain } = isRelease
    ? { topic: '', payload: new Uint8Array(0), qos: 2, retain: false }
    : entry.message;
  const length = utf8Length(topic);
  const record = new Uint8Array(HEADER + length + payload.length);
  record.set([VERSION, entry.state, sequence >>> 24, sequence >>> 16, sequence >>> 8, sequence]);
  record.set([qos | (retain ? RETAIN : 0), length >> 8, length], 6);
  writeUtf8(topic, record, HEADER);
  record.set(payload, HEADER + length);
  return record;
}

interface Restored {
  readonly sequence: number;
  readonly delivery: Delivery;
}

function decode(packetId: number, record: Uint8Array): Restored {
  const sequence = ((record[2]! << 24) | (record[3]! << 16) | (record[4]! << 8) | record[5]!) >>> 0;
  const end = HEADER + ((record[7]! << 8) | record[8]!);
  const message = {
    topic: textOf(record.subarray(HEADER, end)),
    payload: new Uint8Array(record.subarray(end)), // A copy: a store may use its buffer again.
    qos: (record[6]! & 3) as QoS,
    retain: (record[6]! & RETAIN) !== 0,
  };
  // It may have been sent before the power went: DUP is set [MQTT-3.3.1-1].
  return { sequence, delivery: { packetId, state: record[1] as Delivery['state'], message, sent: true } };
}

const SENDING: readonly number[] = Object.freeze([State.AwaitingPuback, State.AwaitingPubrec, State.AwaitingPubcomp]);

/** Whether a record is one of ours, whole. What is not is left alone: it may belong to a later version. */
function isWhole(key: string, record: Uint8Array): boolean {
  const packetId = parseInt(key.slice(1), 16);
  const isKnown = key.charAt(0) === 'o' ? SENDING.indexOf(record[1]!) >= 0 : key.charAt(0) === 'i';
  const isLong = record.length >= HEADER && record.length >= HEADER + ((record[7]! << 8) | record[8]!);
  return isKnown && isLong && record[0] === VERSION && packetId > 0 && packetId < 65_536;
}

/** What may not be sent any more, by a client with other limits, stays where it is, and so does its identifier. */
function restore({ connection }: Client, it: Restored, found: Restored[]): void {
  try {
    if (it.delivery.state !== State.AwaitingPubcomp) connection.checkMessage(it.delivery.message);
    found.push(it);
  } catch (error) {
    if ((error as MqttError).name !== 'MqttError') throw error;
    connection.reserved = connection.reserved.concat([it.delivery.packetId]);
  }
}

/**
 * Restores a session from a store and keeps it there from now on. To be called before the first connect(), with a store of
 * its own for each client id [MQTT-3.1.3-2]. Messages that still wait in the queue are not session state and not stored.
 * @returns how many messages are in flight again; records that may not be sent by this client are left alone
 * @throws MqttError 'bad-option' when the session is not empty any more
 */
export function persistSession(client: Client, store: SessionStore): number {
  const session = client.connection;
  if (session.deliveries.length > 0 || session.receipts.length > 0) {
    throw mqttError('bad-option', 'persistSession() comes before anything is published or received');
  }
  const found: Restored[] = [];
  store.each((key, record) => {
    if (!isWhole(key, record)) return;
    const packetId = parseInt(key.slice(1), 16);
    if (key.charAt(0) === 'o') restore(client, decode(packetId, record), found);
    else session.receipts.push({ packetId, state: State.AwaitingPubrel, message: undefined });
  });
  found.sort((a, b) => (a.sequence - b.sequence) | 0); // The order of sending survives a wrap of the number.
  for (const { delivery } of found) session.deliveries.push(delivery);
  const last = found[found.length - 1];
  session.lastPacketId = last ? last.delivery.packetId : 0;
  let next = last ? last.sequence + 1 : 0;
  const sequences: { [packetId: number]: number } = {};
  for (const { delivery, sequence } of found) sequences[delivery.packetId] = sequence;
  session.changed = (entry, kept) => {
    if (!kept) {
      store.remove(keyOf(entry));
      if (isDelivery(entry)) delete sequences[entry.packetId];
      return;
    }
    if (isDelivery(entry) && sequences[entry.packetId] === undefined) sequences[entry.packetId] = next++;
    store.put(keyOf(entry), encode(entry, isDelivery(entry) ? sequences[entry.packetId]! : 0));
  };
  return found.length;
}
