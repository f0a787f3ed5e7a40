// One secret per device: ProductKey, DeviceName and DeviceSecret, signed anew for every CONNECT.

import { mqttError } from '../error.ts';
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

/** These are sent by the identity itself. */
const RESERVED = Object.freeze(['securemode', 'signmethod', 'timestamp']);

const bad = (message: string) => mqttError('bad-option', message);

/** Parts that would end a pair or the list of pairs. */
const breaksPair = (text: string): boolean => text.indexOf('|') >= 0 || text.indexOf(',') >= 0;

function check(signMethod: SignMethod, options: DeviceSecretOptions): void {
  if (typeof options !== 'object' || options === null)
    throw bad('deviceSecret() needs productKey, deviceName, deviceSecret');
  if (typeof signMethod?.hmac !== 'function') {
    throw bad('signMethod must be hmacsha1, hmacsha256 or hmacmd5, imported from mqtt-mote');
  }
  for (const name of ['productKey', 'deviceName', 'deviceSecret'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') throw bad(`${name} is missing`);
  }
  if (options.productKey.indexOf('&') >= 0) throw bad('productKey must not contain &');
  const { clientId, extras = {} } = options;
  if (clientId !== undefined && (typeof clientId !== 'string' || clientId.length > MAX_CLIENT_ID)) {
    throw bad('clientId must be a string of at most 64 characters');
  }
  if (clientId !== undefined && clientId.indexOf('|') >= 0) throw bad('clientId must not contain |');
  for (const name of Object.keys(extras)) {
    if (RESERVED.indexOf(name) >= 0 || name === '') throw bad(`extras must not contain ${name || 'an empty name'}`);
    if (typeof extras[name] !== 'string') throw bad(`extras.${name} must be a string`);
    if (name.indexOf('=') >= 0 || breaksPair(name) || breaksPair(extras[name]!)) {
      throw bad(`extras.${name} must not contain | or , (nor = in its name)`);
    }
  }
}

function timestampOf(source: DeviceSecretOptions['timestamp']): string | undefined {
  const value = typeof source === 'function' ? source() : source;
  if (value === undefined) return undefined;
  if (!(value >= 0 && value % 1 === 0)) throw bad('timestamp must be a whole number of milliseconds');
  return String(value);
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
  check(signMethod, options);
  const { productKey, deviceName, clientId, timestamp, extras = {} } = options;
  if (typeof timestamp !== 'function') timestampOf(timestamp);
  const credentials = ({ secure }: Attempt): Credentials => {
    const time = timestampOf(timestamp);
    const signed: Record<string, string> = { deviceName, productKey };
    if (clientId !== undefined) signed.clientId = clientId;
    if (time !== undefined) signed.timestamp = time;
    let pairs = `securemode=${secure ? 2 : 3},signmethod=${signMethod.name}`;
    if (time !== undefined) pairs += `,timestamp=${time}`;
    for (const name of Object.keys(extras)) pairs += `,${name}=${extras[name]}`;
    return {
      clientId: `${clientId ?? ''}|${pairs}|`,
      userName: `${deviceName}&${productKey}`,
      password: sign(signMethod, options.deviceSecret, signed),
    };
  };
  return { profile: options.profile ?? alibabaCloud, credentials };
}
