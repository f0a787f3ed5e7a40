// Poison messages: one that gets the connection closed each time it is sent would keep everything else from being sent. It is
// tried alone on a connection that has proved itself, and set aside when that closes too.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import type { Publication } from '../protocol/session.ts';
import { abandon, limitSending } from '../protocol/set-aside.ts';
import { type Instant, type Millis, since } from '../time.ts';

export interface QuarantineOptions {
  /** Connections in a row that end soon after the same message was sent again, 1 to 1,000; default 3. */
  readonly strikes?: number | undefined;
  /** How long a connection must hold without the suspect, in milliseconds, 1 to 3,600,000; default 10,000. */
  readonly probationMillis?: Millis | undefined;
  /** How soon after sending a closed connection counts against the message, in milliseconds, as above; default 5,000. */
  readonly verdictMillis?: Millis | undefined;
  /** Called with each message that is set aside. Its publish() ends with 'set-aside'. */
  readonly setAside?: ((message: Publication) => void) | undefined;
}

const Stage = Object.freeze({ Watching: 0, Probation: 1, Trial: 2 } as const);

const HOUR: Millis = 3_600_000;

interface Settings {
  readonly strikes: number;
  readonly probationMillis: Millis;
  readonly verdictMillis: Millis;
  readonly setAside: (message: Publication) => void;
}

class Quarantine {
  private readonly client: Client;
  private readonly options: Settings;
  private readonly timer: ReturnType<Client['alarm']>;
  private stage: (typeof Stage)[keyof typeof Stage] = Stage.Watching;
  private suspect: Publication | undefined = undefined;
  private strikes = 0;
  private connectedAt: Instant = 0;

  constructor(client: Client, options: Settings) {
    this.client = client;
    this.options = options;
    this.timer = client.alarm(() => this.ring());
    client.on('connected', () => this.connected());
    client.on('disconnected', ({ wasConnected, code }) => wasConnected && this.disconnected(code === 'closed'));
  }

  private connected(): void {
    this.connectedAt = this.client.now();
    if (this.strikes >= this.options.strikes) this.enter(Stage.Probation, 0, this.options.probationMillis);
  }

  private disconnected(byApp: boolean): void {
    const { stage, suspect } = this;
    this.enter(Stage.Watching, Number.POSITIVE_INFINITY, undefined);
    if (byApp) return;
    const first = this.client.connection.deliveries[0];
    const isSame = first !== undefined && first.message === suspect;
    if (stage === Stage.Probation || !first?.sent) return this.acquit(); // It was not sent, and cannot be the cause.
    if (stage === Stage.Trial && isSame) return this.condemn(first.message);
    const lasted = since(this.connectedAt, this.client.now());
    if (lasted > this.options.verdictMillis) return this.acquit();
    this.strikes = isSame ? this.strikes + 1 : 1;
    this.suspect = first.message;
  }

  private ring(): void {
    if (this.stage === Stage.Probation) this.enter(Stage.Trial, 1, this.options.verdictMillis);
    else this.acquit();
    this.client.poke();
  }

  private enter(stage: (typeof Stage)[keyof typeof Stage], limit: number, millis: Millis | undefined): void {
    this.stage = stage;
    limitSending(this.client.connection, limit);
    if (millis === undefined) this.timer.clear();
    else this.timer.set(millis);
  }

  private acquit(): void {
    this.strikes = 0;
    this.suspect = undefined;
    this.enter(Stage.Watching, Number.POSITIVE_INFINITY, undefined);
  }

  private condemn(message: Publication): void {
    this.acquit();
    abandon(this.client.connection, message, this.client.now());
    this.client.guard(() => this.options.setAside(message));
    this.client.poke();
  }
}

/** Watches a client for messages that get its connection closed. @throws MqttError 'bad-option' */
export function quarantine(client: Client, options: QuarantineOptions = {}): void {
  new Quarantine(client, {
    strikes: inRange('strikes', options.strikes ?? 3, 1, 1_000),
    probationMillis: inRange('probationMillis', options.probationMillis ?? 10_000, 1, HOUR),
    verdictMillis: inRange('verdictMillis', options.verdictMillis ?? 5_000, 1, HOUR),
    setAside: options.setAside ?? (() => {}),
  });
}
