// Keep Alive (3.1.2.10) by two clocks: what was sent decides when PINGREQ is due, what came decides whether the server lives.

import { PacketType } from '../framing/packet.ts';
import { after, type Instant, type Millis, remaining, since, until } from '../time.ts';

/** A ping leaves this much before the interval ends: a tenth of it, at most so many milliseconds. */
const MAX_MARGIN: Millis = 5_000;

/** By packet type: 1 for those that the platform counts: PUBLISH, PUBACK, SUBSCRIBE, PINGREQ. Only these put a ping off. */
const COUNTED = Object.freeze([0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]);

export const Verdict = Object.freeze({ Idle: 0, Ping: 1, Dead: 2 } as const);

export class KeepAlive {
  /** The longest silence after which a ping is sent; 0 switches everything off. */
  interval: Millis = 0;
  pingTimeout: Millis = 0;
  sentAt: Instant = 0;
  receivedAt: Instant = 0;
  /** When the PINGREQ that is not answered yet was sent. */
  pingAt: Instant | undefined = undefined;

  /** @param keepAliveSeconds 0 to 65,535 @param pingTimeout how long PINGRESP may take, at most the interval */
  start(keepAliveSeconds: number, pingTimeout: Millis, now: Instant): void {
    const span = keepAliveSeconds * 1_000;
    this.interval = span - Math.min(MAX_MARGIN, span / 10);
    this.pingTimeout = Math.min(pingTimeout, this.interval);
    this.sentAt = now;
    this.receivedAt = now;
    this.pingAt = undefined;
  }

  /** A packet leaves. Sending costs one store: no timer is moved. */
  sent(packetType: number, now: Instant): void {
    if (COUNTED[packetType]) this.sentAt = now;
    if (packetType === PacketType.Pingreq) this.pingAt = now;
  }

  /** Any byte came: the server was alive then. */
  received(now: Instant): void {
    this.receivedAt = now;
  }

  /** The server's silence counts from the ping, as ours does: whichever decides, the next ping is due when it was to be. */
  answered(): void {
    this.receivedAt = this.pingAt ?? this.receivedAt;
    this.pingAt = undefined;
  }

  /** When {@link KeepAlive.check} has something to say, or undefined when keep-alive is off. */
  next(): Instant | undefined {
    if (this.interval === 0) return undefined;
    if (this.pingAt !== undefined) return after(this.pingAt, this.pingTimeout);
    // Sending alone proves nothing about the server: a silent one is asked as well.
    return after(until(this.sentAt, this.receivedAt) < 0 ? this.sentAt : this.receivedAt, this.interval);
  }

  check(now: Instant): 0 | 1 | 2 {
    const next = this.next();
    if (next === undefined || remaining(next, now, this.interval) > 0) return Verdict.Idle;
    if (this.pingAt === undefined) return Verdict.Ping;
    // Bytes came after the ping, or the machine slept through the answer's time: ask once more before judging.
    const alive = until(this.receivedAt, this.pingAt) >= 0;
    const overslept = since(next, now) > this.pingTimeout;
    return alive || overslept ? Verdict.Ping : Verdict.Dead;
  }
}
