// What a wrong clock does to a login: no dial is made with one that cannot be right, and a failure that it explains is told by
// its name, with one retry.

import type { Adapter, Endpoint, Transport, TransportEvents } from '../adapters/adapter.ts';
import { dayOf } from '../calendar.ts';
import { type ClientOptions, inRange } from '../client/options.ts';
import { asMqttError, type MqttError, mqttError } from '../error.ts';
import { PacketType } from '../framing/packet.ts';
import type { Identity } from '../identity/identity.ts';
import type { Millis } from '../time.ts';
import type { DeviceClock } from './device-clock.ts';

export interface ClockSettings {
  readonly clock: DeviceClock;
  /**
   * Asks somebody else for the time after a failure that a wrong clock explains: SNTP, the date of an HTTP answer. `done` is
   * called once, with milliseconds since 1970, or with nothing. An answer after 10 s is late.
   */
  readonly askTime?: ((done: (millis?: number) => void) => void) | undefined;
  /** The same device without the time in what it signs, for one retry after such a refusal, where the platform allows that. */
  readonly withoutTime?: Identity | undefined;
  /** A clock that is off by no more is right, in milliseconds, 1 to 86,400,000; default 60,000. */
  readonly toleranceMillis?: Millis | undefined;
}

const DAY: Millis = 86_400_000;
const ASK_TIMEOUT: Millis = 10_000;

/** CONNACK: two bytes of header, flags, return code (3.2). */
const CONNACK_LENGTH = 4;
const CONNACK = PacketType.Connack << 4;

/** How a difference reads: `3 days behind`. */
export function skewText(skew: Millis): string {
  const size = Math.abs(skew);
  const [count, unit] =
    size >= 2 * DAY ? [size / DAY, 'days'] : size >= 7_200_000 ? [size / 3_600_000, 'hours'] : [size / 1_000, 's'];
  return `${Math.round(count)} ${unit} ${skew < 0 ? 'behind' : 'ahead'}`;
}

/** Failures of a handshake that a wrong clock explains, by their reason. */
const EXPLAINED: Readonly<Record<string, string>> = Object.freeze({
  'not-yet-valid': 'the certificate of the server is not valid yet',
  expired: 'the certificate of the server has ended',
  'ca-expired': 'the root certificate of this device has ended',
});

/** What the dials of one client share. */
class Watch {
  readonly settings: ClockSettings;
  /** No retry until a login was accepted. */
  isSpent = false;
  /** Log in without the time: from a refusal until the time is set, or until that is refused too. */
  isTimeless = false;
  /** The app has heard that the clock is wrong. */
  isTold = false;

  constructor(settings: ClockSettings) {
    this.settings = settings;
    this.waitForSet();
  }

  private waitForSet(): void {
    this.settings.clock.onSet(() => {
      this.isTimeless = false;
      this.isTold = false;
      this.waitForSet();
    });
  }

  today(): string {
    return dayOf(this.settings.clock.now());
  }

  identity(inner: Identity): Identity {
    const { clock, withoutTime } = this.settings;
    return {
      profile: inner.profile,
      credentials: (attempt) => {
        if (withoutTime && this.isTimeless) return withoutTime.credentials(attempt);
        if (clock.isRight()) return inner.credentials(attempt);
        throw mqttError('clock', `the clock of this device says ${this.today()}: set it before connecting`);
      },
    };
  }
}

/** One dial: looks at how it ends, and at the CONNACK. */
class WatchedEvents implements TransportEvents {
  private readonly watch: Watch;
  private readonly events: TransportEvents;
  private readonly adapter: Adapter;
  private readonly wasTimeless: boolean;
  private first: Uint8Array | undefined = new Uint8Array(0);
  private isOver = false;
  /** While the time is asked for: how the connection has ended meanwhile, in a list of one. */
  private ends: (MqttError | undefined)[] | undefined = undefined;
  private stopAsking = () => {};
  transport: Transport | undefined = undefined;

  constructor(watch: Watch, adapter: Adapter, events: TransportEvents) {
    this.watch = watch;
    this.adapter = adapter;
    this.events = events;
    this.wasTimeless = watch.isTimeless;
  }

  opened(): void {
    this.events.opened();
  }

  taken(bytes: Uint8Array): void {
    this.events.taken?.(bytes);
  }

  writable(): void {
    this.events.writable();
  }

  warning(...[warning]: Parameters<TransportEvents['warning']>): void {
    this.events.warning(warning);
  }

  received(bytes: Uint8Array): void {
    if (this.isOver || this.ends) return; // Nothing counts behind a CONNACK that refuses.
    if (!this.first) return this.events.received(bytes);
    const begun = new Uint8Array(this.first.length + bytes.length);
    begun.set(this.first);
    begun.set(bytes, this.first.length);
    this.first = begun;
    if (begun.length < CONNACK_LENGTH && begun[0] === CONNACK) return;
    this.first = undefined;
    if (begun[0] === CONNACK) this.answered(begun[3]!, begun);
    else this.events.received(begun); // Somebody will say what it is.
  }

  private answered(returnCode: number, bytes: Uint8Array): void {
    const { watch, events } = this;
    if (returnCode === 0) {
      if (this.wasTimeless && !watch.isTold) {
        watch.isTold = true;
        const message = `the platform took the login without a time, and not with that of ${watch.today()}: the clock is wrong`;
        events.warning({ code: 'clock-wrong', message });
      }
      watch.isSpent = false;
      return events.received(bytes);
    }
    const what = `the platform refused the login (code ${returnCode})`;
    if (this.wasTimeless) watch.isTimeless = false;
    if (returnCode < 4 || this.wasTimeless || !this.suspect(what, () => events.received(bytes))) events.received(bytes);
  }

  closed(error?: MqttError): void {
    if (this.isOver) return;
    if (this.ends) return void this.ends.push(error);
    const what = EXPLAINED[error?.reason ?? ''];
    const otherwise = () => this.events.closed(error);
    if (error?.code !== 'tls' || !what || !this.suspect(what, otherwise)) otherwise();
  }

  /** A failure that a wrong clock explains. @returns false where nothing can be done about it now */
  private suspect(what: string, otherwise: () => void): boolean {
    const { watch } = this;
    const { askTime, withoutTime } = watch.settings;
    if (watch.isSpent) return false;
    if (askTime) {
      watch.isSpent = true;
      this.ask(askTime, what, otherwise);
      return true;
    }
    if (!withoutTime || this.first) return false; // Not a login.
    watch.isSpent = true;
    watch.isTimeless = true;
    this.fail(`${what}, perhaps for its time: the clock of this device says ${watch.today()}. Trying once without it`);
    return true;
  }

  private ask(askTime: NonNullable<ClockSettings['askTime']>, what: string, otherwise: () => void): void {
    const { clock, toleranceMillis = 60_000 } = this.watch.settings;
    const timer = this.adapter.alarm(() => answer(undefined));
    const ends: (MqttError | undefined)[] = [];
    this.ends = ends;
    this.stopAsking = () => timer.clear();
    const answer = (millis: number | undefined) => {
      if (this.ends !== ends) return; // It comes twice, or late.
      this.ends = undefined;
      timer.clear();
      if (this.isOver) return; // The client has given up waiting.
      const skew = millis === undefined ? 0 : clock.now() - millis;
      if (millis === undefined || !(Math.abs(skew) > toleranceMillis)) {
        otherwise();
        for (const error of ends) this.closed(error);
        return;
      }
      clock.set(millis);
      this.fail(`${what}: the clock of this device was ${skewText(skew)}. It is set now, trying once more`);
    };
    timer.set(ASK_TIMEOUT);
    try {
      askTime(answer);
    } catch (thrown) {
      this.adapter.report(thrown);
      answer(undefined);
    }
  }

  private fail(message: string): void {
    this.isOver = true;
    this.transport?.abort();
    this.events.closed(mqttError('clock', message));
  }

  /** The client has given the connection up. */
  drop(): void {
    this.isOver = true;
    this.ends = undefined;
    this.stopAsking();
    this.transport?.abort();
  }
}

/** A dial that is refused because a root has ended, by the clock, ends as one that failed on its way. */
function dialOrTell(inner: Adapter, endpoint: Endpoint, watched: WatchedEvents): Transport {
  try {
    return inner.dial(endpoint, watched);
  } catch (thrown) {
    const error = asMqttError(thrown);
    if (!EXPLAINED[error.reason ?? '']) throw thrown;
    const timer = inner.alarm(() => watched.closed(error));
    timer.set(0);
    return { write: () => 0, pause() {}, resume() {}, close() {}, abort: () => timer.clear() };
  }
}

function watchedAdapter(inner: Adapter, watch: Watch): Adapter {
  return {
    security: inner.security,
    now: () => inner.now(),
    alarm: (ring) => inner.alarm(ring),
    random: () => inner.random(),
    report: (error) => inner.report(error),
    dial(endpoint, events) {
      const watched = new WatchedEvents(watch, inner, events);
      const transport = dialOrTell(inner, endpoint, watched);
      watched.transport = transport;
      return {
        write: (bytes) => transport.write(bytes),
        pause: () => transport.pause(),
        resume: () => transport.resume(),
        close: () => transport.close(),
        abort: () => watched.drop(),
      };
    },
  };
}

/**
 * The options of a client that minds its clock. While the clock is not right, no dial is made: each attempt ends with 'clock'.
 * Where a login or a handshake fails in a way that a wrong clock explains, the time is asked for, or left out, and one retry
 * follows: the error says 'clock' and by how much.
 * @throws MqttError 'bad-option'
 * @example
 * const clock = new DeviceClock({ host: adapter, wallClock: Date.now });
 * const identity = deviceSecret({ ...device, timestamp: () => clock.now() });
 * const client = new Client(clocked({ adapter, endpoints, identity }, { clock, withoutTime: deviceSecret(device) }));
 * connectWhenRight(client, clock);
 */
export function clocked(options: ClientOptions, settings: ClockSettings): ClientOptions {
  const { clock, askTime, withoutTime, toleranceMillis } = settings ?? {};
  if (typeof clock?.isRight !== 'function') throw mqttError('bad-option', 'clock must be a DeviceClock');
  if (askTime !== undefined && typeof askTime !== 'function')
    throw mqttError('bad-option', 'askTime must be a function');
  if (withoutTime !== undefined && typeof withoutTime?.credentials !== 'function') {
    throw mqttError('bad-option', 'withoutTime must be an identity');
  }
  inRange('toleranceMillis', toleranceMillis ?? 1, 1, DAY);
  const watch = new Watch(settings);
  return { ...options, identity: watch.identity(options.identity), adapter: watchedAdapter(options.adapter, watch) };
}
