// One secret per device: ProductKey, DeviceName and DeviceSecret, signed anew for every CONNECT.

import { clientIdPart, pairsOf, signMethodOf, text, timestampOf } from './check.ts';
import type { Attempt, Credentials, Identity, Profile } from './identity.ts';
import { alibabaCloud } from './profile.ts';
import { hmacsha1, type SignMethod, sign } from './signing.ts';

export interface DeviceSecretOptions {
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  /** Free choice, up to 64 characters without `|`, such as the MAC address. Left out: neither sent nor signed. */
  readonly clientId?: string | undefined;
  /** Milliseconds, or a function that is called for every CONNECT (`Date.now`). Left out: neither sent nor signed. */
  readonly timestamp?: number | (() => number) | undefined;
  /** `hmacsha1` (default), `hmacsha256` or `hmacmd5`, or a host's own with one of these names. */
  readonly signMethod?: SignMethod | undefined;
  /** Pairs that are sent in the client id and not signed, such as `_v` or `lan`. */
  readonly extras?: Readonly<Record<string, string>> | undefined;
  /** The platform's limits; default {@link alibabaCloud}. */
  readonly profile?: Profile | undefined;
}

/**
 * The identity of a device with a secret of its own. The parameters that are signed are exactly those that are sent.
 * @throws MqttError 'bad-option', before any socket is opened
 * @example new Client({ identity: deviceSecret({ productKey, deviceName, deviceSecret }), adapter, endpoints })
 */
export function deviceSecret(options: DeviceSecretOptions): Identity {
  return deviceSecretBy(options?.signMethod ?? hmacsha1, options);
}

/**
 * {@link deviceSecret} without a hash of ours: for a host that has one, by `hmacOver`. `options.signMethod` is ignored.
 * @throws MqttError 'bad-option', before any socket is opened
 */
export function deviceSecretBy(signMethod: SignMethod, options: DeviceSecretOptions): Identity {
  signMethodOf(signMethod);
  const { clientId, timestamp, extras = {} } = options ?? {};
  const productKey = text('productKey', options?.productKey, /&/);
  const deviceName = text('deviceName', options.deviceName, /&/);
  const secret = text('deviceSecret', options.deviceSecret);
  const name = clientId === undefined ? '' : clientIdPart(clientId);
  const extraPairs = pairsOf(extras);
  if (typeof timestamp !== 'function') timestampOf(timestamp);
  const credentials = ({ secure }: Attempt): Credentials => {
    const time = timestampOf(timestamp);
    const signed: Record<string, string> = { deviceName, productKey };
    let pairs = `securemode=${secure ? 2 : 3},signmethod=${signMethod.name}`;
    if (clientId !== undefined) signed.clientId = clientId;
    if (time !== undefined) {
      signed.timestamp = time;
      pairs += `,timestamp=${time}`;
    }
    return {
      clientId: `${name}|${pairs}${extraPairs}|`,
      userName: `${deviceName}&${productKey}`,
      password: sign(signMethod, secret, signed),
    };
  };
  return { profile: options.profile ?? alibabaCloud, credentials };
}
