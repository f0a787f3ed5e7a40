// What a client does at the moment, and what it tells its listeners.

import type { Endpoint, Warning } from '../adapters/adapter.ts';
import type { ErrorCode, MqttError } from '../error.ts';
import type { ReceivedMessage } from '../protocol/session.ts';
import type { Millis } from '../time.ts';

export const State = Object.freeze({ Idle: 0, Dialing: 1, Connected: 2, Waiting: 3, Closing: 4 } as const);
export type State = (typeof State)[keyof typeof State];

/** For people, by {@link State}. */
export const STATE_NAMES = Object.freeze(['idle', 'dialing', 'connected', 'waiting', 'closing'] as const);

export interface ConnectedEvent {
  readonly endpoint: Endpoint;
  /** The server kept the session of the last connection (3.2.2.2). */
  readonly sessionPresent: boolean;
}

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

export interface ClientEvents {
  connected: ConnectedEvent;
  disconnected: DisconnectedEvent;
  /** A message; acknowledged when every listener has returned, unless one has called hold(). */
  message: ReceivedMessage;
  warning: Warning;
  /** What the client does from now on. */
  state: (typeof STATE_NAMES)[number];
}
