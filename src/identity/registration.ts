// Dynamic registration over MQTT: a device that knows its product's secret only asks for one of its own. Pre-registered
// (`authType=register`) the answer is a DeviceSecret, else (`regnwl`) a ClientID and a DeviceToken.

import { clientIdPart, pairsOf, signMethodOf, text, tlsOnly } from './check.ts';
import { type DeviceSecretOptions, deviceSecret } from './device-secret.ts';
import { type DeviceTokenOptions, deviceToken } from './device-token.ts';
import type { EnrolmentMethod } from './enrolment.ts';
import type { Identity } from './identity.ts';
import { hmacsha1, type SignMethod, sign } from './signing.ts';

interface AskOptions {
  readonly productKey: string;
  readonly deviceName: string;
  /** The secret that all devices of a product share. */
  readonly productSecret: string;
  /** Names the device while it asks, up to 64 characters without `|`; default `deviceName.productKey`. */
  readonly clientId?: string | undefined;
  /** Signs what it asks; default `hmacsha1`. */
  readonly signMethod?: SignMethod | undefined;
}

export interface RegisterOptions extends AskOptions {
  /** Of the login that follows: everything that `deviceSecret` takes but the names and the secret. */
  readonly login?: Omit<DeviceSecretOptions, 'productKey' | 'deviceName' | 'deviceSecret'> | undefined;
}

export interface RegisterUnlistedOptions extends AskOptions {
  /** Of an Enterprise or new public instance: sent as `instanceId`. */
  readonly instanceId?: string | undefined;
  /** Of the login that follows. */
  readonly login?: Pick<DeviceTokenOptions, 'extras' | 'profile'> | undefined;
}

/** Asks with a new number for every CONNECT: what was seen once cannot be sent again. */
function asking(options: AskOptions, authType: string, secureMode: number, extras: string) {
  const signMethod = signMethodOf(options.signMethod ?? hmacsha1);
  const productKey = text('productKey', options.productKey, /&/);
  const deviceName = text('deviceName', options.deviceName, /&/);
  const secret = text('productSecret', options.productSecret);
  const clientId = clientIdPart(options.clientId ?? `${deviceName}.${productKey}`);
  return (random: () => number): Identity => ({
    credentials(attempt) {
      tlsOnly('registration', attempt);
      const number = String(Math.floor(random() * 4_294_967_296));
      const pairs = `securemode=${secureMode},authType=${authType},random=${number},signmethod=${signMethod.name}`;
      return {
        clientId: `${clientId}|${pairs}${extras}|`,
        userName: `${deviceName}&${productKey}`,
        password: sign(signMethod, secret, { deviceName, productKey, random: number }),
      };
    },
  });
}

/**
 * Asks for the DeviceSecret of a device that is on the platform's list. It may be asked for again until the device has
 * logged in with it; only the newest counts.
 * @throws MqttError 'bad-option', before any socket is opened
 * @example enrol({ adapter, endpoints, store, method: register({ productKey, deviceName, productSecret }) }, done)
 */
export function register(options: RegisterOptions): EnrolmentMethod {
  const { productKey, deviceName } = options;
  return {
    kind: 'register',
    topic: '/ext/register',
    names: ['productKey', 'deviceName', 'deviceSecret'],
    expected: { productKey, deviceName },
    asker: asking(options, 'register', 2, ''),
    login: (kept) => deviceSecret({ ...options.login, productKey, deviceName, deviceSecret: kept.deviceSecret! }),
  };
}

/**
 * Asks for a ClientID and a DeviceToken for a device that is on no list.
 * @throws MqttError 'bad-option', before any socket is opened
 */
export function registerUnlisted(options: RegisterUnlistedOptions): EnrolmentMethod {
  const { productKey, deviceName, instanceId } = options;
  return {
    kind: 'regnwl',
    topic: '/ext/regnwl',
    names: ['productKey', 'deviceName', 'clientId', 'deviceToken'],
    expected: { productKey, deviceName },
    asker: asking(options, 'regnwl', -2, instanceId === undefined ? '' : pairsOf({ instanceId })),
    login: ({ clientId, deviceToken: token }) =>
      deviceToken({ ...options.login, productKey, deviceName, clientId: clientId!, deviceToken: token! }),
  };
}
