// The books: every message in both directions and every operation of the app, and what must be true of them in the end.

import type { QoS } from '../../src/framing/packet.ts';
import type { MqttError } from '../../src/index.ts';
import type { World } from './world.ts';

/** Something that the app has asked the client for. */
export interface Asked {
  readonly name: string;
  settled: number;
  error: MqttError | undefined;
}

/** A message that the app has published. */
export interface Upward extends Asked {
  readonly index: number;
  readonly qos: QoS;
  /** How often the broker took it as a new message. */
  arrivals: number;
  /** How often it had to be sent as a new message because the session was lost. */
  renewals: number;
}

/** A message that the broker has taken for the client, with the QoS that it goes out with. */
export interface Downward {
  readonly index: number;
  readonly qos: QoS;
  readonly topic: string;
  /** How often the broker sent it. */
  sent: number;
  /** How often the app got it. */
  arrivals: number;
  /** The session was lost before the message was through: it may be gone. */
  forgiven: boolean;
}

/** The text that carries a message's number, of any length up to 40. */
export const payloadOf = (index: number, length: number): string => `${index}.`.padEnd(length, 'x');

export const indexIn = (payload: Uint8Array): number => Number.parseInt(Buffer.from(payload).toString(), 10);

export class Ledger {
  readonly upward: Upward[] = [];
  readonly downward: Downward[] = [];
  readonly asked: Asked[] = [];
  private readonly world: World;
  /** By direction and group of QoS: the newest message that has arrived. */
  private readonly newest = new Map<string, number>();

  constructor(world: World) {
    this.world = world;
  }

  settled(asked: Asked, error: MqttError | undefined): void {
    this.world.must(asked.settled === 0, `${asked.name} settled twice`);
    asked.settled++;
    asked.error = error;
    this.world.count(error ? `operations ended by ${error.code}` : 'operations completed');
    this.world.note(`app: ${asked.name} settled ${error?.code ?? ''}`);
  }

  arrivedUp(payload: Uint8Array): void {
    const message = this.upward[indexIn(payload)]!;
    if (message.arrivals++ === 0) this.inOrder('published', message);
  }

  arrivedDown(payload: Uint8Array, qos: QoS): void {
    const message = this.downward[indexIn(payload)]!;
    this.world.must(message.qos === qos, `message ${message.index} came with another QoS`);
    if (message.arrivals++ === 0) this.inOrder('received', message);
  }

  /** First arrivals keep the order of publishing: per QoS, and QoS 1 and 2 together (4.6). */
  private inOrder(direction: string, { index, qos }: { index: number; qos: QoS }): void {
    for (const group of qos > 0 ? [`QoS ${qos}`, 'QoS above 0'] : ['QoS 0']) {
      const key = `${direction} messages of ${group}`;
      this.world.must((this.newest.get(key) ?? -1) < index, `${key}: ${index} is out of order`);
      this.newest.set(key, index);
    }
  }

  /** What must be true when everything has had its time. */
  close(): void {
    const { world } = this;
    for (const it of this.asked) world.must(it.settled === 1, `${it.name} never settled`);
    for (const it of this.upward) this.checkUpward(it);
    for (const it of this.downward) this.checkDownward(it);
  }

  private checkUpward({ name, qos, error, arrivals, renewals }: Upward): void {
    const most = qos === 1 ? Number.POSITIVE_INFINITY : qos === 2 ? 1 + renewals : 1;
    this.world.must(arrivals <= most, `${name} arrived ${arrivals} times at the broker`);
    if (qos > 0)
      this.world.must(error !== undefined || arrivals > 0, `${name} is done and never arrived at the broker`);
  }

  private checkDownward({ index, qos, sent, arrivals, forgiven }: Downward): void {
    const most = qos === 1 ? sent : 1;
    this.world.must(arrivals <= most, `message ${index} of QoS ${qos} was received ${arrivals} times`);
    if (qos > 0) this.world.must(forgiven || arrivals > 0, `message ${index} of QoS ${qos} was never received`);
  }
}
