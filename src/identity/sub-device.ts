// Devices behind a gateway: the gateway signs for each of them with that device's own secret.

import { clientIdPart, signMethodOf, text, timestampOf } from './check.ts';
import { hmacsha1, type SignMethod, sign } from './signing.ts';

export interface SubDeviceOptions {
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  /** Free choice, up to 64 characters without `|`; default `productKey&deviceName`. */
  readonly clientId?: string | undefined;
  /** Milliseconds. */
  readonly timestamp: number;
  /** `hmacsha1` (default), `hmacsha256` or `hmacmd5`. */
  readonly signMethod?: SignMethod | undefined;
  /** Whether the platform forgets the sub-device's session; default true. Of a login only. */
  readonly cleanSession?: boolean | undefined;
}

/** `params` of `/ext/session/${gateway}/combine/login`, or one of `deviceList` in `batch_login`. */
export interface SubDeviceLogin {
  readonly productKey: string;
  readonly deviceName: string;
  readonly clientId: string;
  readonly timestamp: string;
  /** `hmacMd5`, `hmacSha1` or `hmacSha256`: spelled unlike in a CONNECT. */
  readonly signMethod: string;
  readonly sign: string;
  readonly cleanSession: string;
}

/** One of `params` of `/sys/${gateway}/thing/topo/add`. */
export interface SubDeviceTopology {
  readonly productKey: string;
  readonly deviceName: string;
  readonly clientId: string;
  readonly timestamp: string;
  readonly signmethod: string;
  readonly sign: string;
}

function signed(options: SubDeviceOptions) {
  const signMethod = signMethodOf(options.signMethod ?? hmacsha1);
  const productKey = text('productKey', options.productKey, /&/);
  const deviceName = text('deviceName', options.deviceName, /&/);
  const secret = text('deviceSecret', options.deviceSecret);
  const clientId = clientIdPart(options.clientId ?? `${productKey}&${deviceName}`);
  const parameters = { productKey, deviceName, clientId, timestamp: text('timestamp', timestampOf(options.timestamp)) };
  return { parameters, method: signMethod.name, signature: sign(signMethod, secret, parameters) };
}

/** `hmacsha1` as `hmacSha1`. */
const spelled = (method: string): string => `hmac${method.charAt(4).toUpperCase()}${method.slice(5)}`;

/** The parameters with which a gateway logs a sub-device in. @throws MqttError 'bad-option' */
export function subDeviceLogin(options: SubDeviceOptions): SubDeviceLogin {
  const { parameters, method, signature } = signed(options);
  const cleanSession = String(options.cleanSession ?? true);
  return { ...parameters, signMethod: spelled(method), sign: signature, cleanSession };
}

/** The parameters with which a gateway puts a sub-device under itself. @throws MqttError 'bad-option' */
export function subDeviceTopology(options: SubDeviceOptions): SubDeviceTopology {
  const { parameters, method, signature } = signed(options);
  return { ...parameters, signmethod: method, sign: signature };
}
