// Subscriptions as desired state: what the app wants, what the server was asked for, what it has granted.

import { type MqttError, mqttError } from '../error.ts';
import type { Filter, QoS } from '../framing/packet.ts';
import type { Subscription, Unsubscription } from '../protocol/session.ts';
import type { SubscribeDone } from './operation.ts';

const Step = Object.freeze({ Pending: 0, Requested: 1, Settled: 2 } as const);

interface Entry extends Filter {
  /** False: to be unsubscribed. */
  readonly wanted: boolean;
  step: (typeof Step)[keyof typeof Step];
  done: SubscribeDone | undefined;
}

interface SubscribeBatch extends Subscription {
  readonly entries: readonly Entry[];
}
interface UnsubscribeBatch extends Unsubscription {
  readonly entries: readonly Entry[];
}
export type Batch = SubscribeBatch | UnsubscribeBatch;

/** SUBACK return code of a filter that was refused (3.9.3). */
const REFUSED = 0x80;

/** How a filter ended: the call that the app waits for, or undefined when it does not. */
export type Settle = (done: SubscribeDone | undefined, filter: string, error?: MqttError, granted?: QoS) => void;

const makeBatch = (entries: readonly Entry[]): Batch =>
  entries[0]!.wanted ? { filters: entries, entries } : { filters: entries.map((it) => it.filter), entries };

export class Subscriptions {
  entries: Entry[] = [];
  maxFilters: number;
  settle: Settle;

  /** @param maxFilters most filters in one packet */
  constructor(maxFilters: number, settle: Settle) {
    this.maxFilters = maxFilters;
    this.settle = settle;
  }

  /** Wants or no longer wants a filter. An earlier wish for the same filter is replaced. */
  want(filter: string, qos: QoS, wanted: boolean, done: SubscribeDone | undefined): void {
    const rest: Entry[] = [];
    const replaced: Entry[] = [];
    for (const it of this.entries) (it.filter === filter ? replaced : rest).push(it); // Character by character (3.10.4).
    rest.push({ filter, qos, wanted, step: Step.Pending, done });
    this.entries = rest;
    for (const it of replaced) this.finish(it, mqttError('closed', 'replaced by a later call'));
  }

  isWanted(filter: string): boolean {
    for (const it of this.entries) if (it.filter === filter) return it.wanted;
    return false;
  }

  /**
   * A connection begins. Only where the server has lost the session is everything asked for again [MQTT-3.8.4-3].
   * @returns what was to be unsubscribed and is gone with the session, for finish()
   */
  connected(sessionPresent: boolean): readonly Entry[] {
    const gone: Entry[] = [];
    if (sessionPresent) return gone;
    const kept: Entry[] = [];
    for (const it of this.entries) (it.wanted ? kept : gone).push(it);
    this.entries = kept;
    for (const it of kept) it.step = Step.Pending;
    return gone;
  }

  /** The next packet to send: pending filters of one kind, as many as the machine takes at once. */
  nextBatch(isTaken: (batch: Batch) => boolean): Batch | undefined {
    let batch: Batch | undefined;
    for (const it of this.entries) {
      if (it.step !== Step.Pending || (batch && batch.entries[0]!.wanted !== it.wanted)) continue;
      const longer = makeBatch((batch?.entries ?? []).concat([it]));
      if (longer.entries.length > this.maxFilters || !isTaken(longer)) break;
      batch = longer;
    }
    for (const it of batch?.entries ?? []) it.step = Step.Requested;
    return batch;
  }

  /** A batch was answered, or lost with the connection. */
  settled(batch: Batch, granted: readonly number[] | undefined, error: MqttError | undefined): void {
    const { entries } = batch;
    for (let i = 0; i < entries.length; i++) {
      const it = entries[i]!;
      if (error) {
        it.step = Step.Pending; // Asked for again on the next connection.
        continue;
      }
      it.step = Step.Settled;
      const code = granted?.[i];
      if (!it.wanted || code === REFUSED) this.entries = this.entries.filter((other) => other !== it);
      if (code === REFUSED) this.finish(it, mqttError('subscription-refused', `the server refused ${it.filter}`));
      else this.finish(it, undefined, code as QoS | undefined);
    }
  }

  /** The client is closed: nobody is left waiting. The wishes stay for the next connect(). */
  close(error: MqttError): void {
    for (const it of this.entries) {
      if (it.step !== Step.Settled) it.step = Step.Pending;
      if (it.done) this.finish(it, error);
    }
  }

  finish(entry: Entry, error?: MqttError, granted?: QoS): void {
    const { done } = entry;
    entry.done = undefined;
    this.settle(done, entry.filter, error, granted);
  }
}
