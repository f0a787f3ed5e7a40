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
import { type ClientOptions, checkCall } from './options.ts';
import { type MessageQueue, Queue } from './queue.ts';
import { type DisconnectedEvent, State } from './state.ts';
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
  private reporting = false;
  /** Messages whose acknowledgement waits, and how many wait for it. */
  private holds: { readonly message: ReceivedMessage; count: number }[] = [];
  private lastConnected: ConnectedEvent | undefined = undefined;

  /** @throws MqttError 'bad-option' */
  constructor(options: ClientOptions) {
    super();
    this.driver = new Driver(options, {
      connected: (sessionPresent) => this.becomeConnected(sessionPresent),
      disconnected: (event) => this.emit('disconnected', event),
      message: (message) => this.hand(message),
      settled: (operation, granted, error) => this.settle(operation, granted, error),
      warning: (warning) => this.emit('warning', warning),
      state: (state) => this.emit('state', STATE_NAMES[state]),
      sendMore: () => this.sendSubscriptions() || this.sendQueued(),
      givenUp: (error) => this.settleAll(error),
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
    if (!bytes && typeof payload === 'string') throw mqttError('bad-packet', 'payload holds a lone surrogate');
    checkCall(options, done);
    const { qos = 0, retain = false } = options;
    if (typeof retain !== 'boolean') throw mqttError('bad-packet', 'retain must be true or false');
    const operation: PublishOperation = { topic, payload: bytes!, qos, retain, done };
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
    checkCall(options, done);
    const { qos = 0 } = options;
    this.driver.connection.checkFilter({ filter, qos });
    this.subscriptions.want(filter, qos, true, done);
    this.driver.pump();
  }

  /** @throws MqttError 'bad-filter' */
  unsubscribe(filter: string, done?: Done): void {
    checkCall({}, done);
    this.driver.connection.checkFilter({ filter, qos: 0 });
    this.subscriptions.want(filter, 0, false, done);
    this.driver.pump();
  }

  /**
   * Called inside a message listener: the acknowledgement waits for acknowledge(), once for each hold().
   * @throws MqttError 'bad-option' outside a listener: then it is too late
   */
  hold(message: ReceivedMessage): void {
    if (this.handing !== message) throw mqttError('bad-option', 'hold() is for listeners, before they return');
    const held = this.holds.find((it) => it.message === message);
    if (held) held.count++;
    else this.holds.push({ message, count: 1 });
  }

  /** The app is done with a message that it held. Acknowledgements leave in the order of arrival [MQTT-4.6.0-2]. */
  acknowledge(message: ReceivedMessage): void {
    const held = this.holds.find((it) => it.message === message);
    if (!held || --held.count > 0) return;
    this.holds = this.holds.filter((it) => it !== held);
    this.acknowledgeNow(message);
    this.driver.pump();
  }

  /**
   * Says DISCONNECT and closes. Operations under way settle with 'closed'; the session stays for the next connect().
   * @param done called once everything is closed and no timer is left, perhaps before this returns
   */
  close(done: () => void = () => {}): void {
    checkCall({}, done);
    this.driver.close(() => this.guard(done, undefined));
    this.settleAll(mqttError('closed', 'the client was closed'));
    this.driver.pump();
  }

  /** Drops the connection without DISCONNECT, so that the server publishes the will [MQTT-3.14.4-3]. */
  abort(): void {
    this.driver.abort();
    this.settleAll(mqttError('closed', 'the client was aborted'));
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

  /** What `connected` said, while it is true. */
  get connected(): ConnectedEvent | undefined {
    return this.driver.state === State.Connected ? this.lastConnected : undefined;
  }

  /** Whether a filter is wanted: subscribed, or about to be. */
  isWanted(filter: string): boolean {
    return this.subscriptions.isWanted(filter);
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
    const { inbox, session } = this.driver.connection;
    return {
      state: STATE_NAMES[this.driver.state],
      queued: this.queue.size(),
      queuedBytes: this.queue.bytes(),
      inFlight: session.deliveries.length,
      held: inbox.held(),
      failures: this.driver.backoff.failures,
      unknownAcknowledgements: session.unknown,
    };
  }

  // What the driver tells.

  private becomeConnected(sessionPresent: boolean): void {
    const gone = this.subscriptions.connected(sessionPresent);
    while (this.sendSubscriptions()); // Before anything is published again: an answer to it must find its way back.
    const event = { endpoint: this.driver.endpoint(), sessionPresent };
    this.lastConnected = event;
    this.emit('connected', event, () => this.driver.state === State.Connected);
    for (const it of gone) this.subscriptions.finish(it);
  }

  private hand(message: ReceivedMessage): void {
    this.handing = message;
    this.emit('message', message);
    this.handing = undefined;
    if (!this.holds.some((it) => it.message === message)) this.acknowledgeNow(message);
  }

  private acknowledgeNow(message: ReceivedMessage): void {
    try {
      this.driver.connection.acknowledge(message, this.driver.now());
    } catch (thrown) {
      this.driver.fail(thrown);
    }
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
    this.driver.connection.publish(first, now);
    this.queue.remove(first);
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

  /** A listener threw: the app hears of it as a warning, or the host does. It is never thrown at whoever happens to call. */
  protected override failed(error: unknown): void {
    if (this.reporting || !this.has('warning')) this.driver.options.adapter.report(error);
    if (this.reporting) return;
    this.reporting = true;
    this.warn('listener-failed', 'a listener threw', error);
    this.reporting = false;
  }
}
