// The CONNECT client id `${clientId}|k=v,k=v|` and the user name `${deviceName}&${productKey}`.
import type { Profile, SignMethod } from './profile.ts';

export interface ClientIdParts {
  readonly clientId: string;
  readonly secureMode: string;
  readonly signMethod: SignMethod;
  readonly timestamp: string | undefined;
  readonly extras: ReadonlyMap<string, string>;
}

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
  if (pairs === undefined || secureMode === undefined || signMethod === undefined) return undefined;
  if (timestamp !== undefined && !/^[0-9]+$/.test(timestamp)) return undefined;
  return { clientId, secureMode, signMethod, timestamp, extras: pairs };
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
