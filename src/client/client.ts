// The client as the app sees it: what it has asked for, what waits, who listens. The driver does the rest.

import type { Alarm, Endpoint, Warning } from '../adapters/adapter.ts';
import { type MqttError, mqttError } from '../error.ts';
import type { QoS } from '../framing/packet.ts';
import type { Connection } from '../protocol/connection.ts';
import type { Operation, ReceivedMessage } from '../protocol/session.ts';
import type { Instant } from '../time.ts';
import { utf8 } from '../utf8.ts';
import { Driver } from './driver.ts';
import { Emitter } from './events.ts';
import type { Done, PublishOperation, SubscribeDone } from './operation.ts';
import type { ClientOptions } from './options.ts';
import { type MessageQueue, Queue } from './queue.ts';
import type { DisconnectedEvent } from './state.ts';
import { type Batch, Subscriptions } from './subscriptions.ts';

/** What the client does at the moment, for people and for {@link Client.stats}. */
const STATE_NAMES = Object.freeze(['idle', 'dialing', 'connected', 'waiting', 'closing'] as const);

export interface ConnectedEvent {
  readonly endpoint: Endpoint;
  /** The server kept the session of the last connection (3.2.2.2). */
  readonly sessionPresent: boolean;
}

export interface ClientEvents {
  connected: ConnectedEvent;
  disconnected: DisconnectedEvent;
  /** A message; acknowledged when every listener has returned, unless one has called hold(). */
  message: ReceivedMessage;
  warning: Warning;
  /** What the client does from now on. */
  state: Stats['state'];
}

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
  readonly state: (typeof STATE_NAMES)[number];
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
export class Client extends Emitter<ClientEvents> {
  private readonly driver: Driver;
  private readonly queue: MessageQueue;
  private readonly subscriptions: Subscriptions;
  /** The message that listeners are being called with, unless one of them holds it. */
  private handing: ReceivedMessage | undefined = undefined;
  private thrown: { error: unknown } | undefined = undefined;
  private reporting = false;

  /** @throws MqttError 'bad-option' */
  constructor(options: ClientOptions) {
    super();
    this.driver = new Driver(options, {
      connected: (sessionPresent) => this.connected(sessionPresent),
      disconnected: (event) => this.emit('disconnected', event),
      message: (message) => this.hand(message),
      settled: (operation, granted, error) => this.settle(operation, granted, error),
      warning: (warning) => this.emit('warning', warning),
      state: (state) => this.emit('state', STATE_NAMES[state]),
      sendMore: () => this.sendSubscriptions() || this.sendQueued(),
      givenUp: (error) => this.settleAll(error),
      pumped: () => this.rethrow(),
      nextDeadline: () => this.queue.nextDeadline?.(),
      timeout: (now) => void this.queue.first(now), // Drops what has expired.
    });
    const { queue = {} } = options;
    this.queue = 'add' in queue ? queue : new Queue(queue);
    this.queue.dropped = (operation, error) => this.settle(operation, undefined, error);
    this.subscriptions = new Subscriptions(this.driver.settings.maxFilters, (done, filter, error, granted) =>
      this.settleSubscription(done, filter, error, granted),
    );
  }

  // Commands.

  /** Connects, and connects again whenever the connection is lost, until close() or abort(). */
  connect(): void {
    this.driver.connect();
  }

  /**
   * Publishes a message, now or as soon as there is a connection and room in flight. The payload must not be changed
   * before `done`: QoS 0 is done when written, QoS 1 and 2 when acknowledged.
   * @param payload bytes, or a text that is sent as UTF-8
   * @returns what cancel() takes
   * @throws MqttError 'bad-topic', 'bad-packet', 'packet-too-large' or 'queue-full'; nothing was taken
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}, done?: Done): PublishOperation {
    const bytes = typeof payload === 'string' ? utf8(payload) : payload;
    if (!bytes) throw mqttError('bad-packet', 'payload holds a lone surrogate');
    const { qos = 0, retain = false } = options;
    const operation: PublishOperation = { topic, payload: bytes, qos, retain, done };
    const { connection } = this.driver;
    connection.checkMessage(operation);
    const now = this.driver.now();
    if (this.driver.canSend() && !this.queue.first(now) && connection.canPublish(qos)) {
      connection.publish(operation, now);
    } else {
      this.queue.add(operation, now);
    }
    this.driver.pump();
    return operation;
  }

  /**
   * Settles a publish() that is still under way with 'cancelled'. What waits is taken back; what is in flight may have
   * arrived, and is delivered to its end [MQTT-4.3.2-1]. Nothing happens where it has settled.
   */
  cancel(operation: PublishOperation, reason = 'cancelled'): void {
    if (!operation.done) return;
    this.queue.remove(operation);
    this.settle(operation, undefined, mqttError('cancelled', `the publish was cancelled: ${reason}`, { reason }));
  }

  /**
   * Subscribes now and after every reconnect at which the server has lost the session. Filters that are asked for
   * together travel together.
   * @param done called with the granted QoS, or with 'subscription-refused' or 'closed'
   * @throws MqttError 'bad-filter' or 'bad-packet'
   */
  subscribe(filter: string, options: SubscribeOptions = {}, done?: SubscribeDone): void {
    const { qos = 0 } = options;
    this.driver.connection.checkFilter({ filter, qos });
    this.subscriptions.want(filter, qos, true, done);
    this.driver.pump();
  }

  /** @throws MqttError 'bad-filter' */
  unsubscribe(filter: string, done?: Done): void {
    this.driver.connection.checkFilter({ filter, qos: 0 });
    this.subscriptions.want(filter, 0, false, done);
    this.driver.pump();
  }

  /** Called inside a message listener: the acknowledgement waits for acknowledge(). */
  hold(message: ReceivedMessage): void {
    if (this.handing === message) this.handing = undefined;
  }

  /** The app is done with a message that it held. Acknowledgements leave in the order of arrival [MQTT-4.6.0-2]. */
  acknowledge(message: ReceivedMessage): void {
    this.driver.connection.acknowledge(message, this.driver.now());
    this.driver.pump();
  }

  /**
   * Says DISCONNECT and closes. Operations under way settle with 'closed'; the session stays for the next connect().
   * @param done called once everything is closed and no timer is left, perhaps before this returns
   */
  close(done: () => void = () => {}): void {
    this.settleAll(mqttError('closed', 'the client was closed'));
    this.driver.close(() => this.guard(done, undefined));
    this.driver.pump();
  }

  /** Drops the connection without DISCONNECT, so that the server publishes the will [MQTT-3.14.4-3]. */
  abort(): void {
    this.settleAll(mqttError('closed', 'the client was aborted'));
    this.driver.abort();
    this.driver.pump();
  }

  /** Looks at the clock at once: after a sleep in which the host's timers stood still. */
  poke(): void {
    this.driver.ring();
  }

  /** The state machine, for tools that look into it or stand beside it: quarantine, stores, traces. */
  get connection(): Connection {
    return this.driver.connection;
  }

  /** A timer on the host's clock, not set. */
  alarm(ring: () => void): Alarm {
    return this.driver.options.adapter.alarm(ring);
  }

  /** The host's clock. */
  now(): Instant {
    return this.driver.now();
  }

  /** Calls something that the app handed in as listeners are called: what it throws is reported, not passed on. */
  attempt(call: () => unknown): unknown {
    return this.guard(call, undefined);
  }

  /** Reports that something which the app handed in has failed: the warning `listener-failed`. */
  report(error: unknown): void {
    this.failed(error);
    this.driver.pump();
  }

  stats(): Stats {
    const { inbox, outbox, session } = this.driver.connection;
    return {
      state: STATE_NAMES[this.driver.state],
      queued: this.queue.size(),
      queuedBytes: this.queue.bytes(),
      inFlight: session.deliveries.length,
      held: inbox.held(),
      failures: this.driver.backoff.failures,
      unknownAcknowledgements: outbox.unknown,
    };
  }

  // What the driver tells.

  private connected(sessionPresent: boolean): void {
    const gone = this.subscriptions.connected(sessionPresent);
    while (this.sendSubscriptions()); // Before anything is published again: an answer to it must find its way back.
    this.emit('connected', { endpoint: this.driver.endpoint(), sessionPresent });
    for (const it of gone) this.subscriptions.finish(it);
  }

  private hand(message: ReceivedMessage): void {
    this.handing = message;
    this.emit('message', message);
    if (this.handing === message) this.driver.connection.acknowledge(message, this.driver.now());
    this.handing = undefined;
  }

  private sendSubscriptions(): boolean {
    const { connection } = this.driver;
    const batch = this.subscriptions.nextBatch((it) => connection.canRequest(it));
    if (!batch) return false;
    connection.request(batch, this.driver.now());
    return true;
  }

  private sendQueued(): boolean {
    const now = this.driver.now();
    const first = this.queue.first(now);
    if (!first || !this.driver.connection.canPublish(first.qos)) return false;
    this.queue.remove(first);
    this.driver.connection.publish(first, now);
    return true;
  }

  private settle(operation: Operation, granted: readonly number[] | undefined, error: MqttError | undefined): void {
    if ('filters' in operation) return this.subscriptions.settled(operation as Batch, granted, error);
    const publication = operation as PublishOperation;
    const { done } = publication;
    publication.done = undefined;
    if (done) this.guard(done, error);
  }

  private settleSubscription(
    done: SubscribeDone | undefined,
    filter: string,
    error: MqttError | undefined,
    granted: QoS | undefined,
  ): void {
    if (done) this.guard(done, error, granted);
    else if (error?.code === 'subscription-refused') this.warn('subscription-refused', `the server refused ${filter}`);
  }

  /** Nobody is left waiting. What is in flight stays in the session: the server may have it. */
  private settleAll(error: MqttError): void {
    for (const it of this.driver.connection.session.deliveries) this.settle(it.message, undefined, error);
    const now = this.driver.now();
    const waiting: PublishOperation[] = []; // All of them first: one that ends may publish again.
    for (let it = this.queue.first(now); it; it = this.queue.first(now)) {
      this.queue.remove(it);
      waiting.push(it);
    }
    for (const it of waiting) this.settle(it, undefined, error);
    this.subscriptions.close(error);
  }

  private warn(code: Warning['code'], message: string, cause?: unknown): void {
    this.emit('warning', { code, message, cause });
  }

  /** A listener threw: the app hears of it as a warning, or gets it thrown once the work is done. */
  protected override failed(error: unknown): void {
    if (this.reporting || !this.has('warning')) {
      this.thrown ??= { error };
      return;
    }
    this.reporting = true;
    this.warn('listener-failed', 'a listener threw', error);
    this.reporting = false;
  }

  private rethrow(): void {
    const { thrown } = this;
    this.thrown = undefined;
    if (thrown) throw thrown.error;
  }
}
