// Several endpoints in an order: the first that can be reached is dialled, what fails is left alone for a while, by kind of
// failure, and the first is dialled again as soon as that while is over. Put around the options of a client.

import type { Adapter, Endpoint, Transport, TransportEvents, Warning } from '../adapters/adapter.ts';
import { type ClientOptions, inRange } from '../client/options.ts';
import { asMqttError, type ErrorCode, type MqttError, mqttError } from '../error.ts';
import { PacketType } from '../framing/packet.ts';
import { after, type Instant, type Millis, remaining } from '../time.ts';

export interface FailoverOptions {
  /**
   * Handshakes in a row that fail at an endpoint before it is left, 1 to 100; default 4, one more than a set of roots is tried
   * with. A network that fails, a server that is not available, and roots that have ended leave it at once.
   */
  readonly handshakes?: number | undefined;
  /** How long an endpoint is left alone the first time, in milliseconds, 1 to 86,400,000; default 60,000. It doubles. */
  readonly awayMillis?: Millis | undefined;
  /** Where doubling ends, in milliseconds, up to 86,400,000; default 1,800,000. */
  readonly maxAwayMillis?: Millis | undefined;
}

const DAY: Millis = 86_400_000;

/** Reasons for which TLS will fail here however often it is tried. */
const HOPELESS: readonly unknown[] = Object.freeze(['ca-expired', 'host-name']);

/** CONNACK (3.2), and where its return code stands. */
const CONNACK = PacketType.Connack << 4;
const RETURN_CODE = 3;

/** What is known of one endpoint. */
class Place {
  readonly endpoint: Endpoint;
  /** Handshakes that failed in a row. */
  handshakes = 0;
  /** How often it was left since a login was accepted there. */
  times = 0;
  /** Until when it is left alone. */
  until: Instant | undefined = undefined;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }
}

/** The one endpoint that the client knows: it shows the one that was dialled last. */
class Current implements Endpoint {
  place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  get host(): string {
    return this.place.endpoint.host;
  }

  get port(): number {
    return this.place.endpoint.port;
  }

  get roots(): string | undefined {
    return this.place.endpoint.roots;
  }
}

class Failover {
  readonly inner: Adapter;
  readonly current: Current;
  private readonly places: readonly Place[];
  private readonly handshakes: number;
  private readonly away: Millis;
  private readonly most: Millis;
  /** What the app has not been told yet: who gives a dial up hears nothing of it any more. */
  untold: string[] = [];

  constructor({ adapter, endpoints }: ClientOptions, options: FailoverOptions) {
    if (!endpoints?.length) throw mqttError('bad-option', 'endpoints are missing');
    for (const { host, port } of endpoints) {
      if (typeof host !== 'string' || host === '') throw mqttError('bad-option', 'host is missing in an endpoint');
      inRange('port', port, 1, 65_535);
    }
    this.inner = adapter;
    this.places = endpoints.map((it) => new Place(it));
    this.current = new Current(this.places[0]!);
    this.handshakes = inRange('handshakes', options.handshakes ?? 4, 1, 100);
    this.most = inRange('maxAwayMillis', options.maxAwayMillis ?? 1_800_000, 1, DAY);
    this.away = inRange('awayMillis', options.awayMillis ?? Math.min(60_000, this.most), 1, this.most);
  }

  /** The first that is not left alone, or else the one that will be so for the shortest time. */
  choose(): Place {
    const now = this.inner.now();
    let best = this.places[0]!;
    let least = Number.POSITIVE_INFINITY;
    for (const place of this.places) {
      const left = place.until === undefined ? 0 : remaining(place.until, now, DAY);
      if (left === 0) place.until = undefined; // Its while is over: a clock that wraps must not bring it back.
      if (left < least) {
        best = place;
        least = left;
      }
    }
    this.current.place = best;
    return best;
  }

  accepted(place: Place): void {
    place.handshakes = 0;
    place.times = 0;
  }

  /** A dial failed. */
  failed(place: Place, code: ErrorCode, reason: string | undefined): void {
    const isHandshake = code === 'tls' && HOPELESS.indexOf(reason) < 0;
    if (isHandshake && ++place.handshakes < this.handshakes) return;
    place.handshakes = 0;
    const millis = Math.min(this.most, this.away * 2 ** Math.min(place.times, 30));
    place.times++;
    place.until = after(this.inner.now(), millis);
    if (this.places.length === 1) return;
    const { host, port } = place.endpoint;
    const message = `${host}:${port} is left alone for ${Math.ceil(millis / 1_000)} s: ${reason ?? code}`;
    this.untold = this.untold.concat(message).slice(-this.places.length);
  }
}

/** One dial. */
class WatchedDial implements TransportEvents {
  private readonly failover: Failover;
  private readonly place: Place;
  private readonly events: TransportEvents;
  /** Bytes of the CONNACK so far; negative when it is clear how the dial went. */
  private seen = 0;

  constructor(failover: Failover, place: Place, events: TransportEvents) {
    this.failover = failover;
    this.place = place;
    this.events = events;
  }

  opened(): void {
    this.tell();
    this.events.opened();
  }

  received(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && this.seen >= 0; i++) {
      const byte = bytes[i]!;
      if (this.seen === 0 && byte !== CONNACK) this.end('malformed-packet');
      else if (this.seen === RETURN_CODE) this.answered(byte);
      else this.seen++;
    }
    this.events.received(bytes);
  }

  private answered(returnCode: number): void {
    // 3: this server is not available. Of the others every endpoint would say the same.
    if (returnCode === 3) return this.end('refused');
    if (returnCode === 0) this.failover.accepted(this.place);
    this.seen = -1;
  }

  /** The dial failed, unless it is clear already how it went. */
  end(code: ErrorCode, reason?: string): void {
    if (this.seen < 0) return;
    this.seen = -1;
    this.failover.failed(this.place, code, reason);
  }

  private tell(): void {
    const { untold } = this.failover;
    this.failover.untold = [];
    for (const message of untold) this.events.warning({ code: 'failover', message });
  }

  closed(error?: MqttError): void {
    this.end(error?.code ?? 'closed-by-peer', error?.reason);
    this.tell();
    this.events.closed(error);
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
}

function watched(failover: Failover, events: TransportEvents): Transport {
  const place = failover.choose();
  const dial = new WatchedDial(failover, place, events);
  let transport: Transport;
  try {
    transport = failover.inner.dial(place.endpoint, dial);
  } catch (thrown) {
    const { code, reason } = asMqttError(thrown);
    failover.failed(place, code, reason);
    throw thrown;
  }
  return {
    write: (bytes) => transport.write(bytes),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    close: () => transport.close(),
    abort() {
      dial.end('connect-timeout'); // Nobody waits any longer.
      transport.abort();
    },
  };
}

/**
 * The options of a client that dials its endpoints in their order, instead of in turn. What the client says of its endpoint is
 * the one that was dialled last.
 * @throws MqttError 'bad-option'
 * @example
 * const endpoints = [{ host, port: 443, roots: 'public' }, { host, port: 8883, roots: 'private' }];
 * new Client(failover({ adapter: trusted({ store, adapter }), endpoints, identity }))
 */
export function failover(options: ClientOptions, settings: FailoverOptions = {}): ClientOptions {
  const it = new Failover(options, settings);
  const { inner } = it;
  return {
    ...options,
    endpoints: [it.current],
    adapter: {
      security: inner.security,
      now: () => inner.now(),
      alarm: (ring) => inner.alarm(ring),
      random: () => inner.random(),
      report: (error) => inner.report(error),
      dial: (_, events) => watched(it, events),
    },
  };
}
