// Pings that leave early, right behind a packet that leaves anyway: one wake-up of host and radio in place of two. It matters
// to a device that only sends, QoS 0: what it sends puts no ping off, since the server's silence has to be asked about.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import type { Connection } from '../protocol/connection.ts';
import { KeepAlive } from '../protocol/keep-alive.ts';
import { type Instant, type Millis, until } from '../time.ts';

class EarlyKeepAlive extends KeepAlive {
  private readonly connection: Connection;
  private readonly slack: Millis;

  constructor(connection: Connection, slack: Millis) {
    super();
    this.connection = connection;
    this.slack = slack;
  }

  override next(): Instant | undefined {
    const due = super.next();
    // What awaits its acknowledgement is a question already.
    if (due === undefined || this.pingAt !== undefined || this.connection.deliveries.length > 0) return due;
    // From half an interval on a ping would follow upon every ping.
    const slack = Math.min(this.slack, this.interval / 2);
    return until(due, this.sentAt) <= slack ? this.sentAt : due;
  }
}

/**
 * Lets a ping leave up to `slackMillis` before it is due where something else has just left; it is never late, and never sent
 * where an acknowledgement is awaited. To be called before connect(). A trace of such a client does not play again.
 * @param slackMillis 0 to 3,600,000; more than half of the keep-alive is taken as that. As long as the app's own period: every
 * ping rides.
 * @throws MqttError 'bad-option'
 */
export function pingEarly({ connection }: Client, slackMillis: Millis): void {
  connection.keepAlive = new EarlyKeepAlive(connection, inRange('slackMillis', slackMillis, 0, 3_600_000));
}
