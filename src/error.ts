// The one error shape of the package. Told apart by `code`; never by instanceof, which ES5 output breaks.

/** Whose fault it was reads from the group: caller, server, time or network. */
export type ErrorCode =
  // The caller: thrown at once, nothing has changed.
  | 'bad-option'
  | 'bad-topic'
  | 'bad-filter'
  | 'bad-packet'
  | 'packet-too-large'
  | 'queue-full'
  | 'window-full'
  | 'not-connected'
  // What the app or its host handed in threw: an identity, an adapter, a store.
  | 'host-failed'
  // How an operation ended that was neither acknowledged nor refused by the server.
  | 'closed'
  | 'cancelled'
  | 'timeout'
  | 'dropped'
  | 'set-aside'
  // The server broke the protocol, or refused: the connection is closed.
  | 'malformed-packet'
  | 'unexpected-packet'
  | 'refused'
  | 'subscription-refused'
  // The platform gave the device no identity.
  | 'enrolment-failed'
  // The clock of the device is wrong.
  | 'clock'
  // Time ran out.
  | 'connect-timeout'
  | 'pingresp-timeout'
  // The network.
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'closed-by-peer';

export interface ErrorDetails {
  /** The clause of MQTT 3.1.1 that was broken, without brackets: `MQTT-3.2.2-4`. */
  readonly clause?: string;
  /** Of a CONNACK: 1 to 5 (3.2.2.3). */
  readonly returnCode?: number;
  /** What the host reported: a system error, a TLS alert. Never holds a secret of ours. */
  readonly cause?: unknown;
  /** Why, as one stable word, where the code leaves a choice: `ca-expired`, `host-name`, `untrusted`. */
  readonly reason?: string;
}

export interface MqttError extends Error, ErrorDetails {
  readonly code: ErrorCode;
  // Error declares its own cause as optional and writable.
  readonly cause?: unknown;
}

/**
 * Makes an error; the caller throws it or hands it on. A plain Error with fields, since not every engine can extend Error.
 * @param message empty in a bundle without texts: the code stands for it
 */
export function mqttError(code: ErrorCode, message: string, details?: ErrorDetails): MqttError {
  const error = Object.assign(new Error(message || code), { code }, details);
  // Not assigned: hosts that preload freeze Error.prototype, and a name that is inherited read-only cannot be set.
  return Object.defineProperty(error, 'name', { value: NAME, enumerable: true });
}

const NAME = 'MqttError';

/** The error as it is where it is one of ours; else `host-failed`, with what was thrown as its cause. */
export function asMqttError(thrown: unknown): MqttError {
  const error = thrown as MqttError | undefined | null;
  if (error?.name === NAME) return error;
  return mqttError('host-failed', `something that was handed in threw: ${String(thrown)}`, { cause: thrown });
}

/** A violation of the standard by the server [MQTT-4.8.0-1]. */
export const malformed = (message: string, clause: string): MqttError =>
  mqttError('malformed-packet', message, { clause });

/** A legal packet at the wrong moment [MQTT-4.8.0-1]. */
export const unexpected = (message: string, clause: string): MqttError =>
  mqttError('unexpected-packet', message, { clause });
