// What the driver and the client tell each other: the states of a client, and how a connection ends.

import type { Warning } from '../adapters/adapter.ts';
import type { ErrorCode, MqttError } from '../error.ts';
import type { Operation, ReceivedMessage } from '../protocol/session.ts';
import type { Instant, Millis } from '../time.ts';

export const State = Object.freeze({ Idle: 0, Dialing: 1, Connected: 2, Waiting: 3, Closing: 4 } as const);
export type DriverState = (typeof State)[keyof typeof State];

/** The end of a connection, of an attempt at one, or of trying: the last one before `idle` has no retryInMillis. */
export interface DisconnectedEvent {
  /** `closed` when the app asked for it. */
  readonly code: ErrorCode;
  /** Why; undefined when the app asked for it. */
  readonly error: MqttError | undefined;
  /** When the next dial begins; undefined when there is none until connect() is called. */
  readonly retryInMillis: Millis | undefined;
  /** Whether this ends a connection, or only an attempt at one. */
  readonly wasConnected: boolean;
}

/** What the driver tells, and asks, the client. None of these may throw. */
export interface DriverOwner {
  connected(sessionPresent: boolean): void;
  disconnected(event: DisconnectedEvent): void;
  message(message: ReceivedMessage): void;
  settled(operation: Operation, granted: readonly number[] | undefined, error: MqttError | undefined): void;
  warning(warning: Warning): void;
  state(state: DriverState): void;
  /** There is room: sends one thing through the machine, or says false. */
  sendMore(): boolean;
  /** No further dial will follow: nobody may be left waiting. */
  givenUp(error: MqttError): void;
  /** When something that waits in the owner has to be looked at, connected or not. */
  nextDeadline(): Instant | undefined;
  /** Looks at it. */
  timeout(now: Instant): void;
}
