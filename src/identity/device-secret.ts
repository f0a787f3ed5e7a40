// One secret per device: ProductKey, DeviceName and DeviceSecret, signed anew for every CONNECT.

import { type MqttError, mqttError } from '../error.ts';
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

const MAX_CLIENT_ID = 64;

const bad = (name: string, message: string): MqttError =>
  mqttError('bad-option', `${name} ${message}`, { reason: name });

/** Pairs for the client id. The identity sends securemode, signmethod and timestamp itself. */
function pairsOf(extras: Readonly<Record<string, string>>): string {
  let pairs = '';
  for (const name of Object.keys(extras)) {
    const value = extras[name];
    if (!name || /^(securemode|signmethod|timestamp)$/.test(name)) throw bad('extras', `must not contain "${name}"`);
    // What would end the pair, or the list of pairs.
    if (typeof value !== 'string' || /[|,=]/.test(name) || /[|,]/.test(value)) {
      throw bad(`extras.${name}`, 'must be a string without | or , (nor = in its name)');
    }
    pairs += `,${name}=${value}`;
  }
  return pairs;
}

function timestampOf(source: DeviceSecretOptions['timestamp']): string | undefined {
  const value = typeof source === 'function' ? source() : source;
  if (value === undefined) return undefined;
  if (value >= 0 && value % 1 === 0) return String(value);
  throw bad('timestamp', 'must be a whole number of milliseconds');
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
  if (typeof signMethod?.hmac !== 'function') {
    throw bad('signMethod', 'must be hmacsha1, hmacsha256 or hmacmd5, imported from mqtt-mote');
  }
  for (const name of ['productKey', 'deviceName', 'deviceSecret'] as const) {
    if (!options?.[name] || typeof options[name] !== 'string') throw bad(name, 'is missing');
  }
  const { productKey, deviceName, clientId, timestamp, extras = {} } = options;
  if (productKey.indexOf('&') >= 0) throw bad('productKey', 'must not contain &');
  if (
    clientId !== undefined &&
    (typeof clientId !== 'string' || clientId.length > MAX_CLIENT_ID || clientId.indexOf('|') >= 0)
  ) {
    throw bad('clientId', `must be a string of at most ${MAX_CLIENT_ID} characters without |`);
  }
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
      clientId: `${clientId ?? ''}|${pairs}${extraPairs}|`,
      userName: `${deviceName}&${productKey}`,
      password: sign(signMethod, options.deviceSecret, signed),
    };
  };
  return { profile: options.profile ?? alibabaCloud, credentials };
}
