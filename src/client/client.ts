// The client as the app sees it: what it has asked for, what waits, who listens. The driver does the rest.

import type { Alarm } from '../adapters/adapter.ts';
import { type MqttError, mqttError } from '../error.ts';
import type { QoS } from '../framing/packet.ts';
import { NONE, type Operation, type ReceivedMessage } from '../protocol/session.ts';
import type { Instant } from '../time.ts';
import { utf8 } from '../utf8.ts';
import { Driver } from './driver.ts';
import type { Done, PublishOperation, SubscribeDone } from './operation.ts';
import { type ClientOptions, checkCall } from './options.ts';
import { type MessageQueue, Queue } from './queue.ts';
import { type ClientEvents, STATE_NAMES, State } from './state.ts';
import { type Batch, Subscriptions, type SubscriptionsOwner } from './subscriptions.ts';

export interface PublishOptions {
  /** 0 (default), 1, or 2 where the client was given `exactlyOnce`. */
  readonly qos?: QoS | undefined;
  /** Whether the server keeps the message for later subscribers; default false. */
  readonly retain?: boolean | undefined;
}

export interface SubscribeOptions {
  /** The most that the server may deliver with; default 0. */
  readonly qos?: QoS | undefined;
}

export interface Stats {
  readonly state: ClientEvents['state'];
  /** Messages, and bytes of them, that wait for a connection or for room in flight. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Messages of QoS 1 and 2 that await their acknowledgement. */
  readonly inFlight: number;
  /** Messages that the app holds unacknowledged. */
  readonly held: number;
  /** Dials, or connections that did not last, in a row. */
  readonly failures: number;
  /** Acknowledgements of identifiers that were not in use. */
  readonly unknownAcknowledgements: number;
}

/**
 * An MQTT 3.1.1 client that stays connected.
 * @example
 * const client = new Client({ adapter: nodeTls({ ca }), endpoints: [{ host, port: 8883 }], identity });
 * client.on('message', ({ topic, payload }) => handle(topic, payload));
 * client.subscribe('/pk/device/user/get', { qos: 1 });
 * client.connect();
 */
export class Client extends Driver implements SubscriptionsOwner {
  private readonly waiting: MessageQueue;
  /** @internal */
  readonly wishes: Subscriptions;
  /** The message that listeners are being called with, unless one of them holds it. */
  private handing: ReceivedMessage | undefined = undefined;
  /** Messages whose acknowledgement waits, once for each that waits for it. */
  private holds: ReceivedMessage[] = NONE;
  private reporting = false;

  /** @throws MqttError 'bad-option' */
  constructor(options: ClientOptions) {
    super(options);
    const { queue = {} } = options;
    if ('add' in queue) {
      this.waiting = queue;
      queue.dropped = (operation, error) => this.settle(operation, error);
    } else this.waiting = new Queue(queue);
    this.wishes = new Subscriptions(this.settings.filterLimit, this);
  }

  // Commands.

  /**
   * Publishes a message, now or as soon as there is a connection and room in flight. The payload must not be changed
   * before `done`: QoS 0 is done when written, QoS 1 and 2 when acknowledged.
   * @param payload bytes, or a text that is sent as UTF-8
   * @returns what cancel() takes
   * @throws MqttError 'bad-topic', 'bad-packet', 'packet-too-large' or 'queue-full'; nothing was taken
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}, done?: Done): PublishOperation {
    checkCall(options, done);
    const bytes = typeof payload === 'string' ? utf8(payload) : payload;
    if (!bytes && typeof payload === 'string') throw mqttError('bad-packet', 'payload holds a lone surrogate');
    const { qos = 0, retain = false } = options;
    if (typeof retain !== 'boolean') throw mqttError('bad-packet', 'retain must be true or false');
    const operation: PublishOperation = { topic, payload: bytes!, qos, retain, done };
    const { connection, waiting } = this;
    const now = this.now();
    if (this.canSend() && !waiting.first(now) && connection.canPublish(qos)) {
      connection.publish(operation, now); // Which checks it.
    } else {
      connection.checkMessage(operation);
      waiting.add(operation, now);
    }
    this.pump();
    return operation;
  }

  /**
   * Settles a publish() that is still under way with 'cancelled'. What waits is taken back; what is in flight may have
   * arrived, and is delivered to its end [MQTT-4.3.2-1]. Nothing happens where it has settled.
   */
  cancel(operation: PublishOperation, reason = 'cancelled'): void {
    this.waiting.remove(operation);
    this.settle(operation, mqttError('cancelled', `the publish was cancelled: ${reason}`, { reason }));
  }

  /**
   * Subscribes now and after every reconnect at which the server has lost the session. Filters that are asked for
   * together travel together.
   * @param done called with the granted QoS, or with 'subscription-refused' or 'closed'
   * @throws MqttError 'bad-filter' or 'bad-packet'
   */
  subscribe(filter: string, options: SubscribeOptions = {}, done?: SubscribeDone): void {
    this.want(filter, options, true, done);
  }

  /** @throws MqttError 'bad-filter' */
  unsubscribe(filter: string, done?: Done): void {
    this.want(filter, {}, false, done);
  }

  private want(filter: string, options: SubscribeOptions, wanted: boolean, done: SubscribeDone | undefined): void {
    checkCall(options, done);
    const { qos = 0 } = options;
    this.connection.checkFilter({ filter, qos });
    this.wishes.want(filter, qos, wanted, done);
    this.pump();
  }

  /**
   * Called inside a message listener: the acknowledgement waits for acknowledge(), once for each hold().
   * @throws MqttError 'bad-option' outside a listener: then it is too late
   */
  hold(message: ReceivedMessage): void {
    if (this.handing !== message)
      throw mqttError('bad-option', 'hold() is for listeners, before they return', { reason: 'hold' });
    this.holds = this.holds.concat([message]);
  }

  /** The app is done with a message that it held. Acknowledgements leave in the order of arrival [MQTT-4.6.0-2]. */
  acknowledge(message: ReceivedMessage): void {
    const index = this.holds.indexOf(message);
    if (index < 0) return;
    this.holds.splice(index, 1);
    this.acknowledgeUnlessHeld(message);
    this.pump();
  }

  /**
   * Says DISCONNECT and closes. Operations under way settle with 'closed'; the session stays for the next connect().
   * @param done called once everything is closed and no timer is left, perhaps before this returns
   */
  close(done: () => void = () => {}): void {
    checkCall({}, done);
    this.disconnect(done);
    this.settleAll(mqttError('closed', 'the client was closed'));
    this.pump();
  }

  /** A timer on the host's clock, not set. */
  alarm(ring: () => void): Alarm {
    return this.adapter.alarm(ring);
  }

  /** @internal Something that the app handed in has failed: the warning `listener-failed`. */
  report(error: unknown): void {
    this.failed(error);
    this.pump();
  }

  stats(): Stats {
    const { inbox, deliveries, unknown } = this.connection;
    const { waiting } = this;
    return {
      state: STATE_NAMES[this.phase],
      queued: waiting.size(),
      queuedBytes: waiting.bytes(),
      inFlight: deliveries.length,
      held: inbox.held(),
      failures: this.failures,
      unknownAcknowledgements: unknown,
    };
  }

  // What the driver asks for.

  protected resume(sessionPresent: boolean): void {
    const gone = this.wishes.resume(sessionPresent);
    while (this.sendWishes()); // Before anything is published again: an answer to it must find its way back.
    this.connected = { endpoint: this.endpoint(), sessionPresent };
    this.emit('connected', this.connected, () => this.is(State.Connected));
    for (const it of gone) this.wishes.finish(it);
  }

  protected hand(message: ReceivedMessage): void {
    this.handing = message;
    this.emit('message', message);
    this.handing = undefined;
    this.acknowledgeUnlessHeld(message);
  }

  private acknowledgeUnlessHeld(message: ReceivedMessage): void {
    if (message.qos === 0 || this.holds.indexOf(message) >= 0) return;
    try {
      this.connection.acknowledge(message, this.now());
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  protected sendMore(): boolean {
    return this.sendWishes() || this.sendWaiting();
  }

  private sendWishes(): boolean {
    const { connection } = this;
    const batch = this.wishes.nextBatch(connection);
    if (batch) connection.request(batch, this.now());
    return !!batch;
  }

  private sendWaiting(): boolean {
    const { connection, waiting } = this;
    if (!waiting.size()) return false;
    const now = this.now();
    const first = waiting.first(now);
    if (!first || !connection.canPublish(first.qos)) return false;
    connection.publish(first, now);
    waiting.remove(first);
    return true;
  }

  protected nextExpiry(): Instant | undefined {
    return this.waiting.nextDeadline?.();
  }

  protected expire(now: Instant): void {
    this.waiting.first(now);
  }

  protected settle(operation: Operation, error?: MqttError, granted?: readonly number[]): void {
    if ('filters' in operation) return this.wishes.answered(operation as Batch, error, granted);
    const publication = operation as PublishOperation;
    const { done } = publication;
    publication.done = undefined;
    if (done) this.guard(done, error);
  }

  /** @internal */
  subscribed(done: SubscribeDone | undefined, filter: string, error?: MqttError, granted?: QoS): void {
    if (done) this.guard(done, error, granted);
    else if (error?.code === 'subscription-refused') this.warn(error.code, `the server refused ${filter}`);
  }

  /** Nobody is left waiting. What is in flight stays in the session: the server may have it. */
  protected settleAll(error: MqttError): void {
    for (const it of this.connection.deliveries) this.settle(it.message, error);
    const { waiting } = this;
    const now = this.now();
    const taken: PublishOperation[] = []; // All of them first: one that ends may publish again.
    for (let it = waiting.first(now); it; it = waiting.first(now)) {
      waiting.remove(it);
      taken.push(it);
    }
    for (const it of taken) this.settle(it, error);
    this.wishes.close(error);
  }

  /** A listener threw: the app hears of it as a warning, or the host does. It is never thrown at whoever happens to call. */
  protected failed(error: unknown): void {
    if (this.reporting || !this.has('warning')) this.adapter.report(error);
    if (this.reporting) return;
    this.reporting = true;
    this.warn('listener-failed', 'a listener threw', error);
    this.reporting = false;
  }
}
