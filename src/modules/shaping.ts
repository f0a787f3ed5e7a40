// Rates: what a platform would close the connection for waits in front of the transport instead, and the app is told. An
// adapter around an adapter, so that it holds for everything that is sent, and re-delivery too.

import type { Adapter, Alarm, Endpoint, Transport, TransportEvents } from '../adapters/adapter.ts';
import { inRange } from '../client/options.ts';
import { asMqttError } from '../error.ts';
import { PacketType } from '../framing/packet.ts';
import { type Instant, type Millis, since } from '../time.ts';

export interface Rates {
  /** Most PUBLISH packets of QoS 0 in a second, 1 to 100,000; default no limit. */
  readonly publishesPerSecond?: number | undefined;
  /** Most PUBLISH packets of QoS 1 and 2 in a second, 1 to 100,000; default no limit. */
  readonly acknowledgedPerSecond?: number | undefined;
  /** Most dials in a minute, 1 to 6,000; default no limit. */
  readonly connectsPerMinute?: number | undefined;
}

/** What has waited so far. */
export interface Shaping {
  /** PUBLISH packets that were held back. */
  publishes: number;
  /** Dials that were. */
  connects: number;
  /** How long all of them have waited, in milliseconds. */
  millis: number;
}

export interface ShapedAdapter extends Adapter {
  readonly shaping: Readonly<Shaping>;
}

/** So many in each interval, the first of them at once. */
class Bucket {
  private level = 0;
  private lastAt: Instant = 0;
  private readonly most: number;
  private readonly interval: Millis;

  constructor(most: number, interval: Millis) {
    this.most = most;
    this.interval = interval;
  }

  /** Takes one out, or says how long until there is one. */
  wait(now: Instant): Millis {
    this.level = Math.max(0, this.level - (since(this.lastAt, now) * this.most) / this.interval);
    this.lastAt = now;
    if (this.level + 1 <= this.most) {
      this.level++;
      return 0;
    }
    return Math.ceil(((this.level + 1 - this.most) * this.interval) / this.most);
  }
}

/** The bits of the QoS in the first byte of a PUBLISH (3.3.1.2). */
const QOS = 6;

const SECOND: Millis = 1_000;
const MINUTE: Millis = 60_000;

/** What the connections of one adapter share. */
class Shaper {
  readonly inner: Adapter;
  readonly shaping: Shaping = { publishes: 0, connects: 0, millis: 0 };
  private readonly buckets: Readonly<Record<keyof Rates, Bucket | undefined>>;

  constructor(inner: Adapter, rates: Rates) {
    this.inner = inner;
    const bucket = (name: keyof Rates, most: number, interval: Millis) =>
      rates[name] === undefined ? undefined : new Bucket(inRange(name, rates[name], 1, most), interval);
    this.buckets = {
      publishesPerSecond: bucket('publishesPerSecond', 100_000, SECOND),
      acknowledgedPerSecond: bucket('acknowledgedPerSecond', 100_000, SECOND),
      connectsPerMinute: bucket('connectsPerMinute', 6_000, MINUTE),
    };
  }

  wait(name: keyof Rates): Millis {
    const millis = this.buckets[name]?.wait(this.inner.now()) ?? 0;
    this.shaping.millis += millis;
    return millis;
  }
}

/** Follows the packets in a stream of bytes (2.2). */
class Packets {
  /** Bytes of the current packet behind its header. */
  private left = 0;
  private isInHeader = false;
  /** What the next byte of the length counts (2.2.3). */
  private place = 1;

  copy(): Packets {
    return Object.assign(new Packets(), this);
  }

  /** Whether the next byte begins a packet. */
  isBetween(): boolean {
    return this.left === 0 && !this.isInHeader;
  }

  /** Goes on, to the end of the current packet at most. @returns where that is */
  advance(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    if (at < to && this.isBetween()) {
      at++;
      this.isInHeader = true;
      this.place = 1;
    }
    while (at < to && this.isInHeader) {
      const byte = bytes[at++]!;
      this.left += (byte & 127) * this.place;
      this.place *= 128;
      this.isInHeader = byte > 127;
    }
    const gone = Math.min(this.left, to - at);
    if (!this.isInHeader) this.left -= gone;
    return this.isInHeader ? at : at + gone;
  }
}

class ShapedTransport implements Transport {
  private readonly shaper: Shaper;
  private readonly events: TransportEvents;
  private readonly timer: Alarm;
  private readonly endpoint: Endpoint;
  private transport: Transport | undefined = undefined;
  private readonly packets = new Packets();
  /** The packet that comes next may go. */
  private isPaid = false;
  /** A dial or a packet waits for its time. */
  private isHeld = false;
  private isPaused = false;
  private isTold = false;
  private isClosed = false;

  /** @throws what the adapter throws that dials */
  constructor(shaper: Shaper, endpoint: Endpoint, events: TransportEvents) {
    this.shaper = shaper;
    this.events = events;
    this.endpoint = endpoint;
    this.timer = shaper.inner.alarm(() => this.ring());
    const millis = shaper.wait('connectsPerMinute');
    if (millis === 0) {
      this.open();
    } else {
      shaper.shaping.connects++;
      this.hold(millis);
    }
  }

  private open(): void {
    const { events } = this;
    this.transport = this.shaper.inner.dial(this.endpoint, {
      opened: () => events.opened(),
      received: (bytes) => this.received(bytes),
      writable: () => this.isHeld || events.writable(),
      closed: (error) => {
        this.timer.clear();
        events.closed(error);
      },
      warning: (warning) => events.warning(warning),
    });
  }

  private hold(millis: Millis): void {
    this.isHeld = true;
    this.timer.set(millis);
  }

  private ring(): void {
    const { events, transport } = this;
    this.isHeld = false;
    if (this.isClosed) return events.closed();
    if (!this.isTold)
      events.warning({ code: 'rate-shaped', message: 'sending waits: the platform takes only so much' });
    this.isTold = true;
    if (!transport) return this.dialLate();
    events.writable();
    if (!this.isPaused) return;
    // Reading stops while something waits to be written. For a rate it may not stop for good: one piece each time.
    if (this.isHeld) transport.resume();
    else transport.pause();
  }

  private dialLate(): void {
    const millis = this.shaper.wait('connectsPerMinute');
    if (millis > 0) return this.hold(millis);
    try {
      this.open();
    } catch (thrown) {
      this.events.closed(asMqttError(thrown));
    }
  }

  private received(bytes: Uint8Array): void {
    if (this.isPaused) this.transport?.pause();
    this.events.received(bytes);
  }

  write(bytes: Uint8Array): number {
    const { transport } = this;
    let at = 0;
    while (transport && !this.isHeld && at < bytes.length) {
      if (!this.mayGo(bytes[at]!)) break;
      const end = this.packets.copy().advance(bytes, at, bytes.length);
      const taken = transport.write(bytes.subarray(at, end));
      this.packets.advance(bytes, at, at + taken);
      if (taken > 0) this.isPaid = false;
      at += taken;
      if (at < end) break; // It says when there is room again.
    }
    return at;
  }

  /** @param next the byte that is to be written, the first of a packet or a later one */
  private mayGo(next: number): boolean {
    if (this.isPaid || !this.packets.isBetween() || next >> 4 !== PacketType.Publish) return true;
    const millis = this.shaper.wait(next & QOS ? 'acknowledgedPerSecond' : 'publishesPerSecond');
    this.isPaid = millis === 0;
    if (this.isPaid) return true;
    this.shaper.shaping.publishes++;
    this.hold(millis);
    return false;
  }

  pause(): void {
    this.isPaused = true;
    if (!this.isHeld) this.transport?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.transport?.resume();
  }

  close(): void {
    if (this.transport) return this.transport.close();
    this.isClosed = true; // Before it was dialled at all.
    this.timer.set(0);
  }

  abort(): void {
    this.isHeld = true; // Nothing more is written.
    this.timer.clear();
    this.transport?.abort();
  }
}

/**
 * An adapter that sends no faster than a platform takes. What waits is held where a full network would hold it: the client's
 * queue fills, with its limits and policies, and the warning `rate-shaped` tells once for each connection. The first second's,
 * or minute's, packets go at once.
 * @throws MqttError 'bad-option'
 */
export function shaped(inner: Adapter, rates: Rates): ShapedAdapter {
  const shaper = new Shaper(inner, rates);
  return {
    security: inner.security,
    now: () => inner.now(),
    alarm: (ring) => inner.alarm(ring),
    random: () => inner.random(),
    report: (error) => inner.report(error),
    shaping: shaper.shaping,
    dial: (endpoint, events) => new ShapedTransport(shaper, endpoint, events),
  };
}
