// The CONNECT client id `${clientId}|k=v,k=v|` and the user name `${deviceName}&${productKey}`.
import type { Profile, SignMethod } from './profile.ts';

/** `secret`: signed by the device's own; `connwl`: its token; the others ask for one of these. */
export type AuthType = 'secret' | 'connwl' | 'register' | 'regnwl';

export interface ClientIdParts {
  readonly clientId: string;
  readonly authType: AuthType;
  readonly secureMode: string;
  /** Undefined where nothing is signed: of a token. */
  readonly signMethod: SignMethod | undefined;
  readonly timestamp: string | undefined;
  readonly extras: ReadonlyMap<string, string>;
}

const AUTH_TYPES: readonly AuthType[] = ['connwl', 'register', 'regnwl'];

/** Undefined when malformed: the platform answers CONNACK 2. */
export function parseClientId(text: string, profile: Profile): ClientIdParts | undefined {
  const match = /^([^|]*)\|([^|]*)\|$/u.exec(text);
  if (match === null) return undefined;
  const [, clientId = '', list = ''] = match;
  if ([...clientId].length > profile.clientIdMaximumCharacters) return undefined;
  const pairs = parsePairs(list);
  const secureMode = pairs?.get('securemode');
  const signMethod = profile.signMethods.find((method) => method === pairs?.get('signmethod'));
  const timestamp = pairs?.get('timestamp');
  const authType = authTypeOf(pairs?.get('authType'));
  if (pairs === undefined || secureMode === undefined || authType === undefined) return undefined;
  if (signMethod === undefined && authType !== 'connwl') return undefined;
  if (timestamp !== undefined && !/^[0-9]+$/.test(timestamp)) return undefined;
  if ((authType === 'register' || authType === 'regnwl') && !pairs.get('random')) return undefined;
  return { clientId, authType, secureMode, signMethod, timestamp, extras: pairs };
}

function authTypeOf(given: string | undefined): AuthType | undefined {
  return given === undefined ? 'secret' : AUTH_TYPES.find((it) => it === given);
}

function parsePairs(list: string): Map<string, string> | undefined {
  const pairs = new Map<string, string>();
  for (const item of list.split(',')) {
    if (item === '') continue; // the C SDK 4.x ends its list with a comma
    const equals = item.indexOf('=');
    const key = item.slice(0, equals);
    if (equals < 1 || pairs.has(key)) return undefined;
    pairs.set(key, item.slice(equals + 1));
  }
  return pairs;
}

/** Undefined when malformed: the platform answers CONNACK 4. */
export function parseUserName(text: string): { productKey: string; deviceName: string } | undefined {
  const match = /^([^&]+)&([^&]+)$/u.exec(text);
  if (match === null) return undefined;
  const [, deviceName = '', productKey = ''] = match;
  return { deviceName, productKey };
}
