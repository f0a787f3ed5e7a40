// Who the device is. Credentials are made anew for every CONNECT, since a signature may hold a time.

import { type ErrorCode, mqttError } from '../error.ts';

/** The limits of a platform that a client has to keep, so that a silent disconnect becomes a local error. */
export interface Profile {
  readonly name: string;
  readonly minKeepAliveSeconds: number;
  readonly maxKeepAliveSeconds: number;
}

/** What is known when credentials are asked for. */
export interface Attempt {
  /** Dials since the last connection that lasted, from 1. */
  readonly number: number;
  /** Whether the link is encrypted. */
  readonly secure: boolean;
  /** How the last connection ended, if it failed. */
  readonly lastError?: ErrorCode | undefined;
  /** Of the CONNACK that refused the last attempt: 1 to 5. */
  readonly lastReturnCode?: number | undefined;
}

/** What CONNECT carries (3.1.3). */
export interface Credentials {
  /** Names the session at the server [MQTT-3.1.3-2]: the same for every attempt, but for what the platform strips off. */
  readonly clientId: string;
  readonly userName?: string | undefined;
  /** A text is sent as UTF-8. */
  readonly password?: string | Uint8Array | undefined;
}

export interface Identity {
  readonly profile?: Profile | undefined;
  credentials(attempt: Attempt): Credentials;
}

/** A fixed client id, user name and password, for any MQTT 3.1.1 server. @throws MqttError 'bad-option' */
export function plainIdentity(credentials: Credentials): Identity {
  if (typeof credentials?.clientId !== 'string') throw mqttError('bad-option', 'plainIdentity() needs a clientId');
  return { credentials: () => credentials };
}
