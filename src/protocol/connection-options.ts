// What a connection is made of, and what each CONNECT says.

import type { Framing } from '../framing/framing.ts';
import type { Connect } from '../framing/packet.ts';
import type { Millis } from '../time.ts';
import type { Rules } from './delivery.ts';

export interface ConnectionOptions {
  readonly framing: Framing;
  /** What the app can do: `atLeastOnce` (default) or `exactlyOnce`. */
  readonly delivery?: Rules | undefined;
  /** Messages of QoS 1 and 2 that may await their acknowledgement at once, 1 to 65,535; default 20. */
  readonly maxInFlight?: number | undefined;
  /** How long a PINGRESP may take, in milliseconds; default 20,000. */
  readonly pingTimeoutMillis?: Millis | undefined;
}

/** What CONNECT says, made anew for each network connection (3.1). */
export type ConnectFields = Omit<Connect, 'type'>;
