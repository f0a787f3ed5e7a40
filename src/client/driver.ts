// The driver: carries the actions of the state machine to a transport, and time to the state machine; dials again when a
// connection is lost. Keeps one host timer.

import type { Adapter, Alarm, Endpoint, Warning } from '../adapters/adapter.ts';
import { asMqttError, type MqttError, mqttError } from '../error.ts';
import { mqttPacketFraming } from '../framing/mqtt-packet.ts';
import type { Action } from '../protocol/action.ts';
import { Connection } from '../protocol/connection.ts';
import type { ConnectFields } from '../protocol/connection-options.ts';
import { NONE, type Operation, type ReceivedMessage } from '../protocol/session.ts';
import { after, type Instant, remaining, since, sooner, until } from '../time.ts';
import { delayAfter } from './backoff.ts';
import { Emitter } from './events.ts';
import { Link, type LinkOwner } from './link.ts';
import { type ClientOptions, checkOptions, type Settings } from './options.ts';
import { type ClientEvents, type ConnectedEvent, STATE_NAMES, State } from './state.ts';

/** What {@link Client} builds on. What is protected or internal is for the package alone. */
export abstract class Driver extends Emitter<ClientEvents> implements LinkOwner {
  /** @internal The state machine, for the modules that look into it or stand beside it. */
  readonly connection: Connection;
  /** What the event `connected` said, while it is true. */
  connected: ConnectedEvent | undefined = undefined;
  /** @internal Keep Alive of the next connection. */
  keepAliveSeconds: number;
  /** @internal */ readonly settings: Settings;
  protected readonly adapter: Adapter;
  protected phase: State = State.Idle;
  /** Dials, or connections that did not last, in a row. */
  protected failures = 0;
  private told: State = State.Idle;
  /** @internal As they were given. */
  readonly options: ClientOptions;
  private readonly timer: Alarm;
  private link: Link | undefined = undefined;
  /** When the present state ends if nothing happens: connect time-out, next dial, end of patience with closing. */
  private deadline: Instant | undefined = undefined;
  /** While connected and the transport is full: by when it must have taken more. */
  private stalledAt: Instant | undefined = undefined;
  /** What the timer is set to. It may ring early, never late. */
  private ringAt: Instant | undefined = undefined;
  private connectedAt: Instant = 0;
  private endpointIndex = 0;
  private lastFault: MqttError | undefined = undefined;
  private connectFields: ConnectFields | undefined = undefined;
  private pumping = false;
  /** Who waits for the end, and who is to be told that it has come. */
  private closers: (() => void)[] = NONE;
  private ended: (() => void)[] = NONE;
  private connectAgain = false;

  /** @throws MqttError 'bad-option' */
  constructor(options: ClientOptions) {
    super();
    this.settings = checkOptions(options);
    this.options = options;
    this.adapter = options.adapter;
    this.keepAliveSeconds = this.settings.keepAlive;
    this.connection = new Connection({ ...options, framing: options.framing ?? mqttPacketFraming() });
    if (options.will) this.connection.checkWill(options.will);
    this.timer = this.adapter.alarm(() => this.poke());
  }

  // What the client does with what happens here. None of these may throw.

  protected abstract resume(sessionPresent: boolean): void;
  protected abstract hand(message: ReceivedMessage): void;
  protected abstract settle(operation: Operation, error?: MqttError, granted?: readonly number[]): void;
  /** There is room: sends one thing through the machine, or says false. */
  protected abstract sendMore(): boolean;
  /** No further dial will follow: nobody may be left waiting. */
  protected abstract settleAll(error: MqttError): void;
  /** When something that waits has to be looked at, connected or not; and looking at it. */
  protected abstract nextExpiry(): Instant | undefined;
  protected abstract expire(now: Instant): void;

  /** The host's clock. */
  now(): Instant {
    return this.adapter.now();
  }

  protected endpoint(): Endpoint {
    return this.options.endpoints[this.endpointIndex]!;
  }
  protected is(state: State): boolean {
    return this.phase === state;
  }
  /** Whether a packet that is given to the machine now goes out before anything that waits. */
  protected canSend(): boolean {
    return this.is(State.Connected) && !this.link?.rest;
  }

  // Commands.

  /** Connects, and connects again whenever the connection is lost, until close() or abort(). */
  connect(): void {
    if (this.is(State.Closing)) this.connectAgain = true;
    if (!this.is(State.Idle)) return;
    this.connectAgain = false;
    this.failures = 0;
    this.dial();
    this.pump();
  }

  protected disconnect(done: () => void): void {
    this.closers = this.closers.concat([done]);
    this.connectAgain = false;
    if (this.is(State.Connected)) {
      const now = this.now();
      this.enter(State.Closing, after(now, this.settings.closeTimeout));
      this.connection.disconnect(now);
    } else if (!this.is(State.Closing)) this.end();
  }

  /** Drops the connection without DISCONNECT, so that the server publishes the will [MQTT-3.14.4-3]. */
  abort(): void {
    this.connectAgain = false;
    this.end();
    this.settleAll(mqttError('closed', 'the client was aborted'));
    this.pump();
  }

  /** Something that the host handed in threw: the connection is given up, and tried again. */
  protected fail(thrown: unknown): void {
    if (this.link) this.lose(asMqttError(thrown));
    else this.adapter.report(thrown);
  }

  // The network connection.

  private attempt(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.fail(thrown);
    }
    this.pump();
  }

  /** @internal */ linkOpened(): void {
    const now = this.now();
    const fields = this.connectFields!;
    this.connectFields = undefined; // The password is needed no more.
    this.attempt(() => {
      this.connection.opened(fields, now);
      // Before CONNACK no ping is sent, so the silence must end sooner [MQTT-3.1.2-23].
      const silence = fields.keepAliveSeconds * 1_000;
      if (silence) this.deadline = sooner(this.deadline, after(now, silence));
    });
  }

  /** @internal */ linkReceived(bytes: Uint8Array): void {
    const { connection } = this;
    connection.input(bytes, this.now());
    // A transport that is full holds back the close that a violation asks for: it has to go all the same [MQTT-4.8.0-1].
    if (connection.fault && this.link?.rest) this.lose(connection.fault);
    this.pump();
  }

  /** @internal */ linkTaken(bytes: Uint8Array): void {
    this.connection.framing.reuse?.(bytes);
  }

  /** @internal */ linkWritable(): void {
    this.stalledAt = undefined;
    this.attempt(() => this.link?.flush());
  }

  /** @internal */ linkClosed(error: MqttError | undefined): void {
    this.lose(error ?? mqttError('closed-by-peer', 'the server closed the connection'));
    this.pump();
  }

  /** @internal */ linkWarning(warning: Warning): void {
    this.emit('warning', warning);
    this.pump();
  }

  private dial(): void {
    this.enter(State.Dialing, after(this.now(), this.settings.connectTimeout)); // Up to CONNACK.
    const { adapter, options, lastFault, keepAliveSeconds } = this;
    // Who is warned, or asked for credentials, may end this attempt or begin another.
    const isOpen = () => this.is(State.Dialing) && !this.link;
    const { security } = adapter;
    if (security === 'plaintext') this.warn(security, 'plain TCP: anyone on the way can read and change everything');
    if (security === 'unauthenticated') this.warn('unauthenticated-server', 'nobody verifies who the server is');
    if (!isOpen()) return;
    try {
      const { clientId, userName, password } = options.identity.credentials({
        number: this.failures + 1,
        secure: adapter.security !== 'plaintext',
        lastError: lastFault?.code,
        lastReturnCode: lastFault?.returnCode,
      });
      if (!isOpen()) return;
      const { will, cleanSession = false } = options;
      this.connectFields = { clientId, userName, password, will, keepAliveSeconds, cleanSession };
      this.link = new Link(this, adapter, this.endpoint());
    } catch (error) {
      if (isOpen()) this.lose(asMqttError(error));
    }
  }

  /** The connection, or the attempt at one, is over. */
  private lose(error: MqttError): void {
    if (this.is(State.Closing)) return this.end();
    const wasConnected = this.is(State.Connected);
    this.dropLink();
    const now = this.now();
    const { backoff } = this.settings;
    if (wasConnected && backoff.hasLasted(since(this.connectedAt, now), error.code)) this.failures = 0;
    this.failures++;
    if (!wasConnected) this.endpointIndex = (this.endpointIndex + 1) % this.options.endpoints.length;
    this.lastFault = error;
    const retryInMillis = delayAfter(error, backoff, this.failures, this.adapter);
    const stops = retryInMillis === undefined;
    this.enter(stops ? State.Idle : State.Waiting, stops ? undefined : after(now, retryInMillis));
    if (stops) this.settleAll(error); // Before a listener begins what is not part of what has failed.
    this.emit('disconnected', { code: error.code, error, retryInMillis, wasConnected });
  }

  private dropLink(): void {
    this.link?.drop();
    this.link = undefined;
    this.connection.closed(this.now());
  }

  /** Everything is over until connect() is called. */
  private end(): void {
    const before = this.phase;
    this.enter(State.Idle);
    this.ended = this.ended.concat(this.closers);
    this.closers = NONE;
    this.dropLink();
    if (before === State.Idle) return;
    const wasConnected = before === State.Connected || before === State.Closing;
    this.emit('disconnected', { code: 'closed', error: undefined, retryInMillis: undefined, wasConnected });
  }

  /** Tells those who wait for the end, and begins anew where that was asked for. */
  private finish(): void {
    const { ended } = this;
    this.ended = NONE;
    for (const done of ended) this.guard(done);
    if (this.connectAgain && this.is(State.Idle)) this.connect();
  }

  private enter(state: State, deadline?: Instant): void {
    this.deadline = deadline;
    this.phase = state;
    this.connected = undefined;
  }

  // The pump.

  /** Carries out what there is to do, in order, until there is nothing or the transport is full. */
  protected pump(): void {
    if (this.pumping) return; // A listener called us: the pump that called the listener goes on.
    this.pumping = true;
    while (this.step());
    this.pumping = false;
    const { link } = this;
    const isFull = !!link?.rest;
    // A transport that takes nothing for as long as a connect may take is as good as dead.
    this.stalledAt = isFull ? (this.stalledAt ?? after(this.now(), this.settings.connectTimeout)) : undefined;
    // Reading stops, rather than anything being dropped [MQTT-4.8.0-2].
    const unread = isFull || (this.is(State.Connected) && this.connection.inbox.held() > this.settings.heldLimit);
    if (unread !== this.connection.unread) this.connection.setUnread(unread);
    link?.pause(unread);
    this.arm();
    const before = this.told;
    this.told = this.phase;
    // Once the work is done: a listener may do as it likes.
    if (this.told !== before) this.emit('state', STATE_NAMES[this.told]);
    this.finish();
  }

  /** False when there is nothing to do. */
  private step(): boolean {
    if (this.link?.rest) return false;
    try {
      const action = this.connection.poll();
      if (!action) return this.is(State.Connected) && this.sendMore();
      this.carryOut(action);
    } catch (thrown) {
      this.lose(asMqttError(thrown)); // A transport or a store failed: the connection is not to be trusted any more.
    }
    return true;
  }

  private carryOut(action: Action): void {
    switch (action.kind) {
      case 'transmit':
        return this.link?.write(action.bytes);
      case 'connected':
        this.enter(State.Connected);
        this.connectedAt = this.now();
        this.lastFault = undefined;
        return this.resume(action.sessionPresent);
      case 'message':
        return this.hand(action.message);
      case 'settled':
        return this.settle(action.operation, action.error, action.granted);
      case 'close':
        if (action.error) this.lose(action.error);
        else this.link?.close(); // closed() follows [MQTT-3.14.4-1].
    }
  }

  /** @internal */
  warn(code: Warning['code'], message: string, cause?: unknown): void {
    this.emit('warning', { code, message, cause });
  }

  // Time.

  /** Sets the timer, unless it would ring soon enough: sending moves it once in half a keep-alive, not at every packet. */
  private arm(): void {
    const own = this.is(State.Connected) ? sooner(this.connection.nextTimeout(), this.stalledAt) : this.deadline;
    const next = sooner(own, this.nextExpiry());
    const { ringAt } = this;
    if (next === undefined) {
      if (ringAt !== undefined) this.timer.clear();
      this.ringAt = undefined;
      return;
    }
    // The machine's clock may be behind: it only decides whether a timer that rings before `next` is left as it is.
    const early = ringAt === undefined ? -1 : until(next, ringAt);
    if (early >= 0 && early <= remaining(next, this.connection.now) / 2) return;
    this.ringAt = next;
    this.timer.set(remaining(next, this.now()));
  }

  /** Looks at the clock and does what is due: also after a sleep in which the host's timers stood still. */
  poke(): void {
    this.ringAt = undefined;
    const now = this.now();
    const isDue = (instant: Instant | undefined) => instant !== undefined && remaining(instant, now) === 0;
    this.expire(now);
    if (this.is(State.Connected)) {
      this.connection.timeout(now);
      if (isDue(this.stalledAt)) this.lose(mqttError('tcp', 'the connection takes no bytes', { reason: 'stalled' }));
    } else if (isDue(this.deadline)) {
      if (this.is(State.Waiting)) this.dial();
      else this.lose(mqttError('connect-timeout', 'no CONNACK in time'));
    }
    this.pump();
  }
}
