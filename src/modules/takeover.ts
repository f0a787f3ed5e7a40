// A second device with the same identity: each login throws the other one out [MQTT-3.1.4-2]. A server that closes one
// connection after the other soon after accepting it looks like that; a bad network does not close in order.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import { type Millis, since } from '../time.ts';

export interface TakeoverOptions {
  /** So many connections in a row that the server closed soon are suspect, 2 to 100; default 3. */
  readonly times?: number | undefined;
  /** What soon is, in milliseconds after CONNACK, 1 to 86,400,000; default 60,000. */
  readonly soonMillis?: Millis | undefined;
}

/** What the warning's `cause` tells. */
export interface TakeoverEvidence {
  /** Connections in a row that the server closed soon. */
  readonly times: number;
  /** How long the last one lasted, in milliseconds. */
  readonly lastedMillis: Millis;
}

/**
 * Warns of `takeover-suspected`, with {@link TakeoverEvidence}, each time once there are enough of them. The client slows down
 * by itself: only a connection that lasted lets its delays fall back.
 * @throws MqttError 'bad-option'
 */
export function watchTakeover(client: Client, options: TakeoverOptions = {}): void {
  const enough = inRange('times', options.times ?? 3, 2, 100);
  const soon = inRange('soonMillis', options.soonMillis ?? 60_000, 1, 86_400_000);
  let connectedAt = 0;
  let times = 0;
  client.on('connected', () => {
    connectedAt = client.now();
  });
  client.on('disconnected', ({ wasConnected, code }) => {
    if (!wasConnected || code === 'closed') return;
    const lastedMillis = since(connectedAt, client.now());
    times = lastedMillis < soon && (code === 'closed-by-peer' || code === 'tcp') ? times + 1 : 0;
    if (times < enough) return;
    const message = `closed soon after login ${times} times: is this identity used twice?`;
    const evidence: TakeoverEvidence = { times, lastedMillis };
    client.warn('takeover-suspected', message, evidence);
  });
}
