// A device that proves itself by its own certificate, in the TLS handshake. Who that is, the platform tells it the first
// time: ProductKey and DeviceName.

import { clientIdPart, pairsOf, text, timestampOf, tlsOnly } from './check.ts';
import type { EnrolmentMethod } from './enrolment.ts';
import type { Identity, Profile } from './identity.ts';
import { alibabaCloud } from './profile.ts';

export interface X509Options {
  /** Names the device's connection, up to 64 characters without `|`; default none. */
  readonly clientId?: string | undefined;
  /** Milliseconds, or a function that is called for every CONNECT (`Date.now`). Left out: not sent. Nothing is signed. */
  readonly timestamp?: number | (() => number) | undefined;
  /** Pairs that are sent in the client id, such as `_v`. */
  readonly extras?: Readonly<Record<string, string>> | undefined;
  /** The platform's limits; default {@link alibabaCloud}. */
  readonly profile?: Profile | undefined;
}

export interface X509LoginOptions extends X509Options {
  readonly productKey: string;
  readonly deviceName: string;
}

function identityOf(options: X509Options, userName: string): Identity {
  const { clientId = '', timestamp, extras = {}, profile = alibabaCloud } = options;
  const name = clientIdPart(clientId);
  const pairs = pairsOf(extras);
  if (typeof timestamp !== 'function') timestampOf(timestamp);
  return {
    profile,
    credentials(attempt) {
      tlsOnly('a login by certificate', attempt);
      const time = timestampOf(timestamp);
      const timed = time === undefined ? '' : `,timestamp=${time}`;
      // The platform asks for an empty password: the certificate was the proof.
      return { clientId: `${name}|securemode=2,signmethod=hmacsha1${timed}${pairs}|`, userName, password: '' };
    },
  };
}

/**
 * The identity of a device whose adapter presents its certificate, and that knows its names.
 * @throws MqttError 'bad-option', before any socket is opened
 */
export function x509Login(options: X509LoginOptions): Identity {
  return identityOf(
    options,
    `${text('deviceName', options.deviceName, /&/)}&${text('productKey', options.productKey, /&/)}`,
  );
}

/**
 * Asks the platform who the certificate is for.
 * @example
 * const adapter = nodeTls({ ca, certificate, privateKey });
 * enrol({ adapter, endpoints, store, method: x509() }, (error, identity) => { ... });
 */
export function x509(options: X509Options = {}): EnrolmentMethod {
  const asker = identityOf(options, '&');
  return {
    kind: 'x509',
    topic: '/ext/auth/identity/response',
    names: ['productKey', 'deviceName'],
    expected: {},
    asker: () => asker,
    login: ({ productKey, deviceName }) => x509Login({ ...options, productKey: productKey!, deviceName: deviceName! }),
  };
}
