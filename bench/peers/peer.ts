// A client of any make behind one interface, over whatever stream it is given: a socket, or a link in virtual time.

import type { Duplex } from 'node:stream';

export type QoS = 0 | 1 | 2;

export interface PeerOptions {
  /** Opens a connection; called again for every reconnect. */
  readonly open: () => Duplex;
  readonly clientId: string;
  readonly keepAliveSeconds: number;
  /** Delay before a reconnect, in milliseconds, where the peer lets one choose; default: its own. */
  readonly reconnectMillis?: number;
  /** Every message that was subscribed to. */
  readonly onMessage: () => void;
}

export interface Peer {
  /** Connects, and stays connected; resolves after CONNACK. */
  connect(): Promise<void>;
  subscribe(filter: string, qos: QoS): Promise<void>;
  /** @param done called when written (QoS 0) or acknowledged, as the peer itself tells it */
  publish(topic: string, payload: Buffer, qos: QoS, done: () => void): void;
}

export type MakePeer = (options: PeerOptions) => Peer;
