// An adapter whose roots can be replaced: each dial is made with the set that is to be tried, and tells the store how it went.

import type { Adapter, Endpoint, Transport, TransportEvents, Warning } from '../adapters/adapter.ts';
import { type MqttError, mqttError } from '../error.ts';
import { type Instant, since } from '../time.ts';
import type { Choice, RootChange, RootStore } from './root-store.ts';
import { nameOf, type Roots } from './roots.ts';

export interface TrustedOptions {
  readonly store: RootStore;
  /** Makes the host's adapter for a set of roots: called for the first dial with it, and where one of its roots has ended. */
  readonly adapter: (roots: Roots, set: string) => Adapter;
}

const DAY = 86_400_000;

/** Failures of a handshake that say nothing about the roots. */
const OTHER_REASONS: readonly unknown[] = Object.freeze(['host-name', 'expired', 'not-yet-valid']);

/** CONNACK (3.2): its type, its length, any flags, accepted. */
const CONNACK: readonly (number | undefined)[] = Object.freeze([0x20, 2, undefined, 0]);

/** The adapter that was last made for a set. */
interface Made {
  readonly choice: Choice;
  readonly adapter: Adapter;
}

class Trust {
  readonly store: RootStore;
  private readonly make: TrustedOptions['adapter'];
  private readonly made: Record<string, Made> = {};

  constructor({ store, adapter }: TrustedOptions) {
    this.store = store;
    this.make = adapter;
  }

  /** The set to try, and its adapter. Roots that the host cannot use at all are not tried twice. */
  choose(set: string): Made {
    for (;;) {
      const choice = this.store.choose(set);
      const made = this.made[set];
      const isMade = made?.choice.whole === choice.whole && made.choice.roots.length === choice.roots.length;
      if (isMade) return { choice, adapter: made.adapter };
      try {
        const adapter = this.make(choice.roots, set);
        this.made[set] = { choice, adapter };
        return { choice, adapter };
      } catch (thrown) {
        if (!this.store.fail(choice, true)) throw thrown;
      }
    }
  }

  /** The set of an endpoint. @throws MqttError 'bad-option' */
  setOf({ host, port, roots }: Endpoint): string {
    const names = this.store.names();
    if (roots !== undefined) {
      this.store.inUse(roots);
      return roots;
    }
    if (names.length === 1) return names[0]!;
    throw mqttError('bad-option', `the endpoint ${host}:${port} has to name its set of roots: ${names.join(' or ')}`);
  }
}

/** What is said of a change that the app should know of. */
const warningOf = ({ set, what, roots }: RootChange): Warning =>
  what === 'rolled-back'
    ? {
        code: 'roots-rolled-back',
        message: `handshakes keep failing with the new set of roots ${set} (${nameOf(roots[0]!)}): the one before it is used again`,
      }
    : {
        code: 'roots-fallback',
        message: `handshakes keep failing with the set of roots ${set}: trying another one (${nameOf(roots[0]!)})`,
      };

/** One dial. */
class TrustedEvents implements TransportEvents {
  private readonly trust: Trust;
  private readonly made: Made;
  private readonly events: TransportEvents;
  private wasOpened = false;
  /** How much of a CONNACK that accepts has come; negative once it is clear. */
  private seen = 0;
  private warnedAt: Instant = 0;

  constructor(trust: Trust, made: Made, events: TransportEvents) {
    this.trust = trust;
    this.made = made;
    this.events = events;
  }

  opened(): void {
    this.wasOpened = true;
    this.warn();
    this.events.opened();
  }

  received(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && this.seen >= 0; i++) {
      const expected = CONNACK[this.seen];
      this.seen = expected === undefined || expected === bytes[i] ? this.seen + 1 : -1;
      if (this.seen === CONNACK.length) this.prove();
    }
    // A connection may last for years: its pings are what wakes this up.
    if (since(this.warnedAt, this.made.adapter.now()) >= DAY) this.warn();
    this.events.received(bytes);
  }

  private prove(): void {
    this.seen = -1;
    this.guard(() => this.trust.store.prove(this.made.choice));
  }

  closed(error?: MqttError): void {
    const { choice } = this.made;
    const isOfTrust = !this.wasOpened && error?.code === 'tls' && OTHER_REASONS.indexOf(error.reason) < 0;
    if (!error || !isOfTrust) return this.events.closed(error);
    this.guard(() => {
      const change = this.trust.store.fail(choice, false);
      if (change) this.events.warning(warningOf(change));
    });
    const message = `${error.message}, with the set of roots ${choice.set}`;
    const { reason = 'handshake', cause } = error;
    this.events.closed(mqttError('tls', message, { reason, cause }));
  }

  taken(bytes: Uint8Array): void {
    this.events.taken?.(bytes);
  }

  writable(): void {
    this.events.writable();
  }

  warning(warning: Warning): void {
    this.events.warning(warning);
  }

  private warn(): void {
    this.warnedAt = this.made.adapter.now();
    for (const message of this.trust.store.warnings(this.made.choice.set)) {
      this.events.warning({ code: 'ca-expiring', message });
    }
  }

  /** A store that fails costs what it would have kept, not the connection. */
  private guard(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.made.adapter.report(thrown);
    }
  }
}

/**
 * An adapter that trusts the sets of a store, whichever is in use or to be tried.
 * @throws MqttError 'bad-option'
 * @example
 * const adapter = trusted({ store: roots, adapter: (set) => nodeTls({ ca: set.map(({ der }) => toPem(der)), warnDays: 0 }) });
 * const endpoints = [{ host, port: 8883, roots: 'private' }, { host, port: 443, roots: 'public' }];
 */
export function trusted(options: TrustedOptions): Adapter {
  if (typeof options?.store?.choose !== 'function') throw mqttError('bad-option', 'store must be a RootStore');
  if (typeof options.adapter !== 'function') throw mqttError('bad-option', 'adapter must make one of a set of roots');
  const trust = new Trust(options);
  const base = options.adapter(options.store.inUse(options.store.names()[0]!), options.store.names()[0]!);
  return {
    security: base.security,
    now: () => base.now(),
    alarm: (ring) => base.alarm(ring),
    random: () => base.random(),
    report: (error) => base.report(error),
    dial(endpoint, events): Transport {
      const made = trust.choose(trust.setOf(endpoint));
      return made.adapter.dial(endpoint, new TrustedEvents(trust, made, events));
    },
  };
}
