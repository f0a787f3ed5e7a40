// TuyaLink, the protocol of Tuya's own cloud: DeviceID and DeviceSecret, HMAC-SHA256, TLS only. Another protocol than that of
// the Tuya platform on Alibaba Cloud.

import { mqttError } from '../error.ts';
import { text, tlsOnly } from './check.ts';
import type { Identity, Profile } from './identity.ts';
import { tuyaLinkCloud } from './profile.ts';
import { hmacsha256, type SignMethod, sign } from './signing.ts';

export interface TuyaLinkOptions {
  readonly deviceId: string;
  readonly deviceSecret: string;
  /** Milliseconds since 1970, called for every CONNECT: `Date.now`. It is signed, so it has to be right. */
  readonly wallClock: () => number;
  /** A host's own HMAC-SHA256; default the package's. */
  readonly signMethod?: SignMethod | undefined;
  /** The platform's limits; default {@link tuyaLinkCloud}. */
  readonly profile?: Profile | undefined;
}

/** Sent once after CONNACK: from its SUBACK on, everything for the device comes by itself. */
export const tuyaLinkChannel = (deviceId: string): string => `tylink/${deviceId}/channel/downlink/auto_subscribe`;

/**
 * The identity of a device on Tuya's cloud. Use it with `cleanSession: true`, as Tuya's own SDK does.
 * @throws MqttError 'bad-option', before any socket is opened
 */
export function tuyaLink(options: TuyaLinkOptions): Identity {
  const { wallClock, signMethod = hmacsha256, profile = tuyaLinkCloud } = options;
  const deviceId = text('deviceId', options.deviceId, /[|,/+#]/);
  const secret = text('deviceSecret', options.deviceSecret);
  if (typeof wallClock !== 'function') throw mqttError('bad-option', 'wallClock must be a function, such as Date.now');
  if (signMethod?.name !== 'hmacsha256') throw mqttError('bad-option', 'TuyaLink signs with hmacsha256 only');
  return {
    profile,
    credentials(attempt) {
      tlsOnly('TuyaLink', attempt);
      const seconds = Math.floor(wallClock() / 1_000);
      if (!(seconds >= 0)) throw mqttError('bad-option', 'wallClock must return milliseconds since 1970');
      const terms = `timestamp=${seconds},secureMode=1,accessType=1`;
      // In this order, with commas and equal signs: one name without a value.
      const content: Record<string, string> = {};
      content[`deviceId=${deviceId},${terms}`] = '';
      return {
        clientId: `tuyalink_${deviceId}`,
        userName: `${deviceId}|signMethod=hmacSha256,${terms}`,
        password: sign(signMethod, secret, content).toLowerCase(),
      };
    },
  };
}
