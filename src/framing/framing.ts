// What the protocol asks of a codec: bytes to control packets and back. It never sees how.

import type { Incoming, Outgoing } from './packet.ts';

export interface Framing {
  /**
   * Says whether a packet may be sent, without building it.
   * @throws MqttError 'bad-topic', 'bad-filter', 'bad-packet' or 'packet-too-large'
   */
  check(packet: Outgoing): void;
  /** Whether a packet whose parts may be sent is small enough. */
  fits(packet: Outgoing): boolean;
  /**
   * Serialises one packet that {@link Framing.check} allows.
   * @throws MqttError as check does
   */
  encode(packet: Outgoing): Uint8Array;
  /** Told that the bytes of a packet, as encode() gave them, are not needed any more: the next packet may have their memory. */
  reuse?(bytes: Uint8Array): void;
  /**
   * Absorbs bytes cut anywhere and calls `each` once per whole packet. After a throw nothing more is read until
   * {@link Framing.reset}. A PUBLISH payload may alias `bytes`.
   * @throws MqttError 'malformed-packet' or 'unexpected-packet'
   */
  decode(bytes: Uint8Array, each: (packet: Incoming) => void): void;
  /** Forgets a packet that has not arrived whole: for the next network connection. */
  reset(): void;
}
