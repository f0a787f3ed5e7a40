// The adapter over a host's five functions: many connections and timers out of numbers, bytes and one timer.

import { asMqttError, type ErrorCode, type MqttError, mqttError } from '../error.ts';
import { after, type Instant, type Millis, until } from '../time.ts';
import type { Adapter, Alarm, Endpoint, Security, Transport, TransportEvents } from './adapter.ts';
import { RawControl, RawEvent, type RawSocketHost } from './raw-socket-host.ts';

export interface RawSocketOptions {
  /** What the host's connections are: `plaintext` (default), or TLS, `authenticated` or `unauthenticated`. */
  readonly security?: Security | undefined;
  /** Uniform in [0, 1); default Math.random. Spreads reconnects over a fleet: an engine's own should not start alike everywhere. */
  readonly random?: (() => number) | undefined;
  /** Gets what was thrown and concerns no connection: by a listener when nobody listens for warnings, or by `wake`. Default: dropped. */
  readonly report?: ((error: unknown) => void) | undefined;
}

export interface RawSocketAdapter extends Adapter {
  /** The host's one way in. Never throws; what it does not know, or is over, it ignores. */
  event(kind: number, handle: number, detail?: unknown): void;
}

interface Timer {
  readonly ring: () => void;
  /** Undefined while not set. */
  at: Instant | undefined;
}

const FUNCTIONS = Object.freeze(['open', 'send', 'control', 'now', 'wake'] as const);
const CODES: readonly string[] = Object.freeze(['dns', 'tcp', 'tls']);

const bad = (message: string) => mqttError('bad-option', message);

class RawLink implements Transport {
  private readonly sockets: RawSockets;
  readonly events: TransportEvents;
  readonly handle: number;
  private opened = false;
  private full = false;
  private closed = false;

  /** @throws MqttError where the host cannot begin */
  constructor(sockets: RawSockets, endpoint: Endpoint, events: TransportEvents) {
    this.sockets = sockets;
    this.events = events;
    this.handle = sockets.ask((host) => host.open(endpoint.host, endpoint.port));
    if (!(this.handle >= 0)) throw mqttError('tcp', 'the host cannot open a connection', { reason: 'open' });
  }

  write(bytes: Uint8Array): number {
    if (!this.opened || this.full || this.closed) return 0;
    try {
      const taken = this.sockets.ask((host) => host.send(this.handle, bytes));
      if (!(taken >= 0 && taken <= bytes.length)) throw mqttError('tcp', 'the host cannot send', { reason: 'send' });
      this.full = taken < bytes.length;
      return taken;
    } catch (thrown) {
      this.failSoon(thrown);
      return 0;
    }
  }

  pause(): void {
    this.control(RawControl.Pause);
  }

  resume(): void {
    this.control(RawControl.Resume);
  }

  close(): void {
    this.control(RawControl.End);
  }

  abort(): void {
    if (this.closed) return;
    this.over();
    try {
      this.sockets.ask((host) => host.control(this.handle, RawControl.Abort));
    } catch (thrown) {
      this.sockets.report(thrown); // Nobody waits for this connection any more.
    }
  }

  event(kind: number, detail: unknown): void {
    if (kind === RawEvent.Opened && !this.opened) {
      this.opened = true;
      this.events.opened();
    } else if (kind === RawEvent.Data && this.opened) {
      this.events.received(detail instanceof Uint8Array ? detail : new Uint8Array(detail as ArrayBuffer));
    } else if (kind === RawEvent.Writable && this.full) {
      this.full = false;
      this.events.writable();
    } else if (kind === RawEvent.Closed) {
      this.over();
      this.events.closed(this.reasonOf(detail));
    }
  }

  private control(command: number): void {
    if (this.closed) return;
    try {
      this.sockets.ask((host) => host.control(this.handle, command));
    } catch (thrown) {
      this.failSoon(thrown);
    }
  }

  private over(): void {
    this.closed = true;
    this.sockets.forget(this);
  }

  /** Ends the connection in a later turn: whoever called is not to be called back. */
  private failSoon(thrown: unknown): void {
    const error = asMqttError(thrown);
    this.full = true; // Nothing more is given to the host.
    this.sockets.later(() => {
      if (this.closed) return;
      this.abort();
      this.events.closed(error);
    });
  }

  private reasonOf(detail: unknown): MqttError | undefined {
    if (detail === undefined || detail === null || detail === '') {
      if (this.opened) return undefined;
      // An ordered end while opening is a failure too: of the handshake, or of a proxy on the way.
      const code = this.sockets.security === 'plaintext' ? 'tcp' : 'tls';
      return mqttError(code, 'closed while opening', { reason: 'closed' });
    }
    const text = String(detail);
    const colon = text.indexOf(':');
    const first = colon < 0 ? text : text.substring(0, colon);
    const code = CODES.indexOf(first) < 0 ? 'tcp' : (first as ErrorCode);
    const reason = code === first ? text.substring(first.length + 1) : text;
    return mqttError(code, `the connection failed: ${text}`, reason === '' ? undefined : { reason });
  }
}

class RawSockets implements RawSocketAdapter {
  readonly security: Security;
  private readonly host: RawSocketHost;
  private readonly options: RawSocketOptions;
  private links: RawLink[] = [];
  private timers: Timer[] = [];
  /** What waits for its own turn. */
  private tasks: (() => void)[] = [];
  /** What the host's timer is set to. */
  private wakeAt: Instant | undefined = undefined;
  private lastNow: Instant = 0;
  /** An event is being told, or the host asked: what the host says meanwhile waits. */
  private busy = false;

  constructor(host: RawSocketHost, options: RawSocketOptions) {
    this.host = host;
    this.options = options;
    this.security = options.security ?? 'plaintext';
  }

  dial(endpoint: Endpoint, events: TransportEvents): Transport {
    const link = new RawLink(this, endpoint, events);
    this.links.push(link);
    return link;
  }

  now(): Instant {
    try {
      const now = this.host.now();
      if (now >= 0) this.lastNow = Math.floor(now % 2 ** 32);
    } catch (thrown) {
      this.report(thrown);
    }
    return this.lastNow;
  }

  random(): number {
    return this.attempt(this.options.random ?? Math.random) ?? 0.5;
  }

  report(error: unknown): void {
    try {
      this.options.report?.(error);
    } catch {
      // A report that fails has nobody left to be told.
    }
  }

  alarm(ring: () => void): Alarm {
    const timer: Timer = { ring, at: undefined };
    return {
      set: (millis: Millis) => {
        if (timer.at === undefined) this.timers.push(timer);
        timer.at = after(this.now(), millis);
        this.arm();
      },
      clear: () => {
        this.unset(timer);
        this.arm();
      },
    };
  }

  event(kind: number, handle: number, detail?: unknown): void {
    if (this.busy) return this.later(() => this.tell(kind, handle, detail));
    this.busy = true;
    this.runTasks(); // What has waited comes first.
    this.tell(kind, handle, detail);
    this.busy = false;
    this.arm();
  }

  /** Asks the host, which may answer with events at once: they wait. */
  ask<Answer>(question: (host: RawSocketHost) => Answer): Answer {
    const wasBusy = this.busy;
    this.busy = true;
    try {
      return question(this.host);
    } finally {
      this.busy = wasBusy;
      if (this.tasks.length > 0) this.arm();
    }
  }

  /** Runs something in a turn of its own. */
  later(task: () => void): void {
    this.tasks.push(task);
    this.arm();
  }

  forget(link: RawLink): void {
    this.links = this.links.filter((it) => it !== link);
  }

  private tell(kind: number, handle: number, detail: unknown): void {
    if (kind === RawEvent.Wake) return this.ring();
    for (const link of this.links) {
      if (link.handle === handle) return void this.attempt(() => link.event(kind, detail));
    }
  }

  private ring(): void {
    this.wakeAt = undefined;
    const now = this.now();
    for (const timer of this.timers.filter(({ at }) => until(at!, now) <= 0)) {
      if (timer.at === undefined || until(timer.at, now) > 0) continue; // One that rang before has set it anew.
      this.unset(timer);
      this.attempt(timer.ring);
    }
  }

  private runTasks(): void {
    const { tasks } = this;
    this.tasks = [];
    for (const task of tasks) this.attempt(task);
  }

  private unset(timer: Timer): void {
    timer.at = undefined;
    this.timers = this.timers.filter((it) => it !== timer);
  }

  /** Sets the host's timer, where it would not ring at the right time. */
  private arm(): void {
    if (this.busy) return; // It is set at the end.
    const now = this.now();
    let next = this.tasks.length > 0 ? now : undefined;
    for (const { at } of this.timers) if (next === undefined || until(at!, next) < 0) next = at;
    if (next === this.wakeAt) return;
    this.wakeAt = next;
    this.attempt(() => this.host.wake(next === undefined ? -1 : Math.max(0, until(next, now))));
  }

  /** Nothing that is thrown reaches the host's loop. @returns undefined where something was thrown */
  private attempt<Answer>(call: () => Answer): Answer | undefined {
    try {
      return call();
    } catch (thrown) {
      this.report(thrown);
      return undefined;
    }
  }
}

const SECURITY: readonly unknown[] = Object.freeze(['authenticated', 'unauthenticated', 'plaintext']);

/**
 * An adapter over the sockets of a host.
 * @throws MqttError 'bad-option' where one of the five functions is missing
 * @example
 * const adapter = rawSocketAdapter(sockets, { security: 'authenticated' });
 * sockets.onEvent = (kind, handle, detail) => adapter.event(kind, handle, detail);
 */
export function rawSocketAdapter(host: RawSocketHost, options: RawSocketOptions = {}): RawSocketAdapter {
  for (const name of FUNCTIONS) {
    if (typeof host?.[name] !== 'function') throw bad(`host.${name} must be a function`);
  }
  const { security, random, report } = options;
  if (security !== undefined && SECURITY.indexOf(security) < 0) throw bad(`security ${security} is unknown`);
  if (random !== undefined && typeof random !== 'function') throw bad('random must be a function');
  if (report !== undefined && typeof report !== 'function') throw bad('report must be a function');
  return new RawSockets(host, options);
}
