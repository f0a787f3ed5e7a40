// A device with a token of its own, from a registration that knew no list of devices: ProductKey, DeviceName, ClientID and
// DeviceToken (`authType=connwl`).

import { clientIdPart, pairsOf, text, tlsOnly } from './check.ts';
import type { Credentials, Identity, Profile } from './identity.ts';
import { alibabaCloud } from './profile.ts';

export interface DeviceTokenOptions {
  readonly productKey: string;
  readonly deviceName: string;
  /** As the platform gave it, together with the token. */
  readonly clientId: string;
  /** An opaque text, sent as it is. */
  readonly deviceToken: string;
  /** Pairs that are sent in the client id and not signed, such as `_v` or `_ss`. */
  readonly extras?: Readonly<Record<string, string>> | undefined;
  /** The platform's limits; default {@link alibabaCloud}. */
  readonly profile?: Profile | undefined;
}

/**
 * The identity of a device that logs in with a token. TLS only: there is nothing to sign, the token itself is sent.
 * @throws MqttError 'bad-option', before any socket is opened
 * @example new Client({ identity: deviceToken({ productKey, deviceName, clientId, deviceToken }), adapter, endpoints })
 */
export function deviceToken(options: DeviceTokenOptions): Identity {
  const { profile = alibabaCloud } = options;
  const productKey = text('productKey', options.productKey, /&/);
  const deviceName = text('deviceName', options.deviceName, /&/);
  const credentials: Credentials = {
    clientId: `${clientIdPart(text('clientId', options.clientId))}|securemode=-2,authType=connwl${pairsOf(options.extras ?? {})}|`,
    userName: `${deviceName}&${productKey}`,
    password: text('deviceToken', options.deviceToken),
  };
  return {
    profile,
    credentials(attempt) {
      tlsOnly('a login with a token', attempt);
      return credentials;
    },
  };
}
