// The driver: carries the actions of the state machine to a transport, and time to the state machine; dials again when a
// connection is lost. Keeps one host timer.

import type { Adapter, Alarm, Endpoint, Warning } from '../adapters/adapter.ts';
import { asMqttError, type MqttError, mqttError } from '../error.ts';
import { mqttPacketFraming } from '../framing/mqtt-packet.ts';
import type { Action } from '../protocol/action.ts';
import { Connection } from '../protocol/connection.ts';
import type { ConnectFields } from '../protocol/connection-options.ts';
import { after, type Instant, remaining, since, sooner, until } from '../time.ts';
import { Backoff, Patience } from './backoff.ts';
import { Link, type LinkOwner } from './link.ts';
import { type ClientOptions, checkOptions, type Settings } from './options.ts';
import { type DriverOwner, type DriverState, State } from './state.ts';

export class Driver implements LinkOwner {
  readonly options: ClientOptions;
  readonly settings: Settings;
  readonly connection: Connection;
  readonly backoff: Backoff;
  private readonly patience: Patience;
  state: DriverState = State.Idle;
  private told: DriverState = State.Idle;
  private readonly owner: DriverOwner;
  private readonly adapter: Adapter;
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
  private lastError: MqttError | undefined = undefined;
  private fields: ConnectFields | undefined = undefined;
  private pumping = false;
  /** Who waits for the end, and who is to be told that it has come. */
  private closers: (() => void)[] = [];
  private closed: (() => void)[] = [];
  private connectAgain = false;

  /** @throws MqttError 'bad-option' */
  constructor(options: ClientOptions, owner: DriverOwner) {
    this.settings = checkOptions(options);
    this.options = options;
    this.owner = owner;
    this.adapter = options.adapter;
    this.connection = new Connection({ ...options, framing: options.framing ?? mqttPacketFraming() });
    if (options.will) this.connection.checkWill(options.will);
    this.backoff = new Backoff(options.reconnect || {});
    this.patience = new Patience(this.settings.keepAliveSeconds, this.settings.maxKeepAliveSeconds);
    this.timer = this.adapter.alarm(() => this.ring());
  }

  now(): Instant {
    return this.adapter.now();
  }

  endpoint(): Endpoint {
    return this.options.endpoints[this.endpointIndex]!;
  }

  is(state: DriverState): boolean {
    return this.state === state;
  }

  /** Whether a packet that is given to the machine now goes out before anything that waits. */
  canSend(): boolean {
    return this.state === State.Connected && !this.link?.rest;
  }

  // Commands.

  connect(): void {
    if (this.state === State.Closing) this.connectAgain = true;
    if (this.state !== State.Idle) return;
    const { security } = this.adapter;
    this.enter(State.Dialing, undefined);
    if (security === 'plaintext') this.warn('plaintext', 'plain TCP: anyone on the way can read and change everything');
    if (security === 'unauthenticated') this.warn('unauthenticated-server', 'this host cannot verify the server');
    this.backoff.reset();
    if (this.is(State.Dialing)) this.dial(); // Who was warned may have thought better of it.
    this.pump();
  }

  close(done: () => void): void {
    this.closers.push(done);
    this.connectAgain = false;
    if (this.state === State.Connected) {
      const now = this.now();
      this.enter(State.Closing, after(now, this.settings.closeTimeout));
      this.connection.disconnect(now);
    } else if (this.state !== State.Closing) {
      this.end();
    }
  }

  abort(): void {
    this.connectAgain = false;
    this.end();
  }

  /** Something that the host handed in threw: the connection is given up, and tried again. */
  fail(thrown: unknown): void {
    if (this.link) this.lose(asMqttError(thrown));
    else this.adapter.report(thrown);
  }

  // The network connection.

  linkOpened(): void {
    const now = this.now();
    const { keepAliveSeconds } = this.fields!;
    try {
      this.connection.opened(this.fields!, now);
      // Before CONNACK no ping is sent, so the silence must end sooner [MQTT-3.1.2-23].
      if (keepAliveSeconds > 0) this.deadline = sooner(this.deadline, after(now, keepAliveSeconds * 1_000));
    } catch (error) {
      this.lose(asMqttError(error));
    }
    this.pump();
  }

  linkReceived(bytes: Uint8Array): void {
    const { connection } = this;
    connection.input(bytes, this.now());
    // A transport that is full holds back the close that a violation asks for: it has to go all the same [MQTT-4.8.0-1].
    if (connection.fault && this.link?.rest) this.lose(connection.fault);
    this.pump();
  }

  linkWritable(): void {
    this.stalledAt = undefined;
    this.pump();
  }

  linkClosed(error: MqttError | undefined): void {
    this.lose(error ?? mqttError('closed-by-peer', 'the server closed the connection'));
    this.pump();
  }

  linkWarning(warning: Warning): void {
    this.owner.warning(warning);
    this.pump();
  }

  private dial(): void {
    const now = this.now();
    this.enter(State.Dialing, after(now, this.settings.connectTimeout)); // Up to CONNACK.
    try {
      this.fields = this.connectFields();
      this.link = new Link(this, this.adapter, this.endpoint());
    } catch (error) {
      this.lose(asMqttError(error));
    }
  }

  private connectFields(): ConnectFields {
    const credentials = this.options.identity.credentials({
      number: this.backoff.failures + 1,
      secure: this.adapter.security !== 'plaintext',
      lastError: this.lastError?.code,
      lastReturnCode: this.lastError?.returnCode,
    });
    const { clientId, userName, password } = credentials;
    const { keepAliveSeconds } = this.patience;
    const { will } = this.options;
    return { clientId, userName, password, will, keepAliveSeconds, cleanSession: this.settings.cleanSession };
  }

  /** The connection, or the attempt at one, is over. */
  private lose(error: MqttError): void {
    const wasConnected = this.state === State.Connected;
    if (this.state === State.Closing) return this.end();
    this.dropLink();
    const now = this.now();
    const lasted = wasConnected ? since(this.connectedAt, now) : undefined;
    this.backoff.ended(lasted, error.code === 'closed-by-peer' || error.code === 'tcp');
    if (!wasConnected) this.endpointIndex = (this.endpointIndex + 1) % this.options.endpoints.length;
    this.lastError = error;
    const { adapter, options } = this;
    const report = (thrown: unknown) => adapter.report(thrown);
    const retryInMillis = options.reconnect === false ? undefined : this.backoff.delay(error, adapter.random(), report);
    if (retryInMillis === undefined) this.enter(State.Idle, undefined);
    else this.enter(State.Waiting, after(now, retryInMillis));
    // What a listener begins now is not part of what has failed.
    if (retryInMillis === undefined) this.owner.givenUp(error);
    this.owner.disconnected({ code: error.code, error, retryInMillis, wasConnected });
    if (wasConnected) this.judgeLoss(error);
  }

  /** What a loss says about the world around: a second device with our credentials, or a network that forgets links. */
  private judgeLoss({ code }: MqttError): void {
    if (this.backoff.takeoverSuspected()) {
      const times = this.backoff.takeovers;
      this.warn('takeover-suspected', `closed soon after login ${times} times: is this identity used twice?`);
    }
    if (!this.patience.ended(code)) return;
    this.warn('keep-alive-lengthened', `links keep dying: keep-alive is now ${this.patience.keepAliveSeconds} s`);
  }

  private dropLink(): void {
    this.link?.drop();
    this.link = undefined;
    this.connection.closed(this.now());
  }

  /** Everything is over until connect() is called. */
  private end(): void {
    const wasIdle = this.state === State.Idle;
    const wasConnected = this.state === State.Connected || this.state === State.Closing;
    this.enter(State.Idle, undefined);
    this.closed = this.closed.concat(this.closers);
    this.closers = [];
    this.dropLink();
    if (!wasIdle) this.owner.disconnected({ code: 'closed', error: undefined, retryInMillis: undefined, wasConnected });
  }

  /** Tells those who wait for the end, and begins anew where that was asked for. */
  private finish(): void {
    const { closed } = this;
    this.closed = [];
    for (const done of closed) done();
    if (!this.connectAgain || this.state !== State.Idle) return;
    this.connectAgain = false;
    this.connect();
  }

  private enter(state: DriverState, deadline: Instant | undefined): void {
    this.deadline = deadline;
    this.state = state;
  }

  // The pump.

  /** Carries out what there is to do, in order, until there is nothing or the transport is full. */
  pump(): void {
    if (this.pumping) return; // A listener called us: the pump that called the listener goes on.
    this.pumping = true;
    while (this.step());
    this.pumping = false;
    this.watchForStall();
    const unread = this.link !== undefined && (!!this.link.rest || this.isOverfull());
    if (unread !== this.connection.unread) this.connection.setUnread(unread);
    this.link?.pause(unread);
    this.arm();
    this.tellState();
    this.finish();
  }

  /** States are told once the work is done: a listener may do as it likes. */
  private tellState(): void {
    if (this.state === this.told) return;
    this.told = this.state;
    this.owner.state(this.state);
  }

  /** Reading stops, rather than anything being dropped [MQTT-4.8.0-2]. */
  private isOverfull(): boolean {
    return this.state === State.Connected && this.connection.inbox.held() > this.settings.maxHeld;
  }

  /** False when there is nothing to do. */
  private step(): boolean {
    if (this.link?.rest) return false;
    try {
      const action = this.connection.poll();
      if (!action) return this.state === State.Connected && this.owner.sendMore();
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
        return this.becomeConnected(action.sessionPresent);
      case 'message':
        return this.owner.message(action.message);
      case 'settled':
        return this.owner.settled(action.operation, action.granted, action.error);
      case 'close':
        if (action.error) this.lose(action.error);
        else this.link?.close(); // closed() follows [MQTT-3.14.4-1].
    }
  }

  private becomeConnected(sessionPresent: boolean): void {
    this.enter(State.Connected, undefined);
    this.connectedAt = this.now();
    this.lastError = undefined;
    this.owner.connected(sessionPresent);
  }

  private warn(code: Warning['code'], message: string): void {
    this.owner.warning({ code, message });
  }

  // Time.

  private nextRing(): Instant | undefined {
    const own = this.state === State.Connected ? sooner(this.connection.nextTimeout(), this.stalledAt) : this.deadline;
    return sooner(own, this.owner.nextDeadline());
  }

  /** A transport that takes nothing for as long as a connect may take is as good as dead. */
  private watchForStall(): void {
    if (!this.link?.rest) this.stalledAt = undefined;
    else this.stalledAt ??= after(this.now(), this.settings.connectTimeout);
  }

  /** Sets the timer, unless it would ring soon enough: sending moves it once in half a keep-alive, not at every packet. */
  private arm(): void {
    const next = this.nextRing();
    if (next === undefined) {
      if (this.ringAt !== undefined) this.timer.clear();
      this.ringAt = undefined;
      return;
    }
    const left = remaining(next, this.now());
    const early = this.ringAt === undefined ? -1 : until(next, this.ringAt);
    if (early >= 0 && early <= left / 2) return;
    this.ringAt = next;
    this.timer.set(left);
  }

  /** Looks at the clock and does what is due. */
  ring(): void {
    this.ringAt = undefined;
    const now = this.now();
    this.owner.timeout(now);
    if (this.state === State.Connected) {
      this.connection.timeout(now);
      if (this.stalledAt !== undefined && remaining(this.stalledAt, now) === 0) {
        this.lose(mqttError('tcp', 'the connection takes no more bytes', { reason: 'stalled' }));
      }
    } else if (this.deadline !== undefined && remaining(this.deadline, now) === 0) {
      if (this.state === State.Waiting) this.dial();
      else this.lose(mqttError('connect-timeout', 'no CONNACK in time'));
    }
    this.pump();
  }
}
