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

/** Filters that travel in one packet. */
export type Batch = (Subscription | Unsubscription) & { readonly entries: readonly Entry[] };

/** SUBACK return code of a filter that was refused (3.9.3). */
const REFUSED = 0x80;

/** Hears how a filter ended: the call that the app waits for, or undefined when it does not. */
export interface SubscriptionsOwner {
  subscribed(done: SubscribeDone | undefined, filter: string, error?: MqttError, granted?: QoS): void;
}

const makeBatch = (entries: readonly Entry[]): Batch =>
  entries[0]!.wanted ? { filters: entries, entries } : { filters: entries.map((it) => it.filter), entries };

export class Subscriptions {
  entries: Entry[] = [];
  filterLimit: number;
  owner: SubscriptionsOwner;

  /** @param filterLimit most filters in one packet */
  constructor(filterLimit: number, owner: SubscriptionsOwner) {
    this.filterLimit = filterLimit;
    this.owner = owner;
  }

  /** Wants or no longer wants a filter. An earlier wish for the same filter, character by character (3.10.4), is replaced. */
  want(filter: string, qos: QoS, wanted: boolean, done: SubscribeDone | undefined): void {
    const replaced = this.find(filter);
    this.entries = this.without(replaced).concat([{ filter, qos, wanted, step: Step.Pending, done }]);
    if (replaced) this.finish(replaced, mqttError('closed', 'replaced by a later call'));
  }

  isWanted(filter: string): boolean {
    return !!this.find(filter)?.wanted;
  }

  /**
   * A connection begins. Only where the server has lost the session is everything asked for again [MQTT-3.8.4-3].
   * @returns what was to be unsubscribed and is gone with the session, for finish()
   */
  resume(sessionPresent: boolean): readonly Entry[] {
    if (sessionPresent) return [];
    const gone = this.entries.filter((it) => !it.wanted);
    this.entries = this.entries.filter((it) => it.wanted);
    for (const it of this.entries) it.step = Step.Pending;
    return gone;
  }

  /** The next packet to send: pending filters of one kind, as many as the machine takes at once. */
  nextBatch(machine: { canRequest(batch: Batch): boolean }): Batch | undefined {
    let batch: Batch | undefined;
    for (const it of this.entries) {
      const before = batch ? batch.entries : [];
      if (it.step !== Step.Pending || (batch && before[0]!.wanted !== it.wanted)) continue;
      const longer = makeBatch(before.concat([it]));
      if (longer.entries.length > this.filterLimit || !machine.canRequest(longer)) break;
      batch = longer;
    }
    if (batch) for (const it of batch.entries) it.step = Step.Requested;
    return batch;
  }

  /** A batch was answered, or lost with the connection: then it is asked for again on the next one. */
  answered(batch: Batch, error: MqttError | undefined, granted: readonly number[] = []): void {
    batch.entries.forEach((it, index) => {
      it.step = error ? Step.Pending : Step.Settled;
      if (error) return;
      const code = granted[index] as QoS | undefined;
      const refused = (code as number) === REFUSED;
      if (!it.wanted || refused) this.entries = this.without(it);
      if (refused) this.finish(it, mqttError('subscription-refused', `the server refused ${it.filter}`));
      else this.finish(it, undefined, code);
    });
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
    this.owner.subscribed(done, entry.filter, error, granted);
  }

  private find(filter: string): Entry | undefined {
    return this.entries.filter((it) => it.filter === filter)[0];
  }

  private without(entry: Entry | undefined): Entry[] {
    return this.entries.filter((it) => it !== entry);
  }
}
