// TuyaLink: the login of Tuya's own cloud, and the channel whose SUBSCRIBE opens everything that comes down.
import { createHmac } from 'node:crypto';
import type { IConnectPacket } from 'mqtt-packet';
import { type Arrival, type Decision, isFarOff, ReturnCode, refuse, takenKeepAlive } from './decision.ts';
import { type Devices, deviceKey, tuyaLinkTriple } from './devices.ts';
import type { Profile } from './profile.ts';

const PREFIX = 'tuyalink_';
const TERMS = /^signMethod=hmacSha256,timestamp=([0-9]{10}|[0-9]{13}),secureMode=1,accessType=1$/;

const OWN_TOPICS = Object.freeze(['tylink/{dn}/#']);

/** What comes down once the channel is open. */
const DOWNLINKS = [
  'thing/model/get_response',
  'thing/property/set',
  'thing/property/report_response',
  'thing/property/desired/get_response',
  'thing/property/desired/delete_response',
  'thing/event/trigger_response',
  'thing/action/execute',
  'thing/data/batch_report_response',
  'device/sub/bind_response',
  'device/topo/add_response',
  'device/topo/delete_response',
  'device/topo/get_response',
  'ota/issue',
  'ota/get_response',
  'ext/time/response',
  'ext/file/upload/response',
  'ext/file/download/response',
  'ext/config/get_response',
  'channel/raw/down',
  'channel/rpc/request',
  'device/tag/get_response',
];

export function isTuyaLink(packet: IConnectPacket): boolean {
  return packet.clientId.startsWith(PREFIX);
}

export const isChannel = (filter: string): boolean => /^tylink\/[^/]+\/channel\/downlink\/auto_subscribe$/.test(filter);

export function decideTuyaLink(
  packet: IConnectPacket,
  arrival: Arrival,
  platformProfile: Profile,
  devices: Devices,
): Decision {
  if (arrival.kind === 'tcp') return refuse(ReturnCode.NotAuthorized, 'TLS only');
  const keepAliveSeconds = takenKeepAlive(packet.keepalive ?? 0, platformProfile);
  if (keepAliveSeconds === undefined) return refuse(ReturnCode.ServerUnavailable, 'keep-alive out of range');
  const deviceId = packet.clientId.slice(PREFIX.length);
  const [name, terms = '', ...rest] = (packet.username ?? '').split('|');
  const timestamp = TERMS.exec(terms)?.[1];
  if (name !== deviceId || timestamp === undefined || rest.length > 0) {
    return refuse(ReturnCode.BadUserNameOrPassword, 'malformed user name');
  }
  const millis = Number(timestamp) * (timestamp.length === 10 ? 1_000 : 1);
  if (isFarOff(millis, arrival, platformProfile)) {
    return refuse(ReturnCode.NotAuthorized, 'the timestamp is too far from the time');
  }
  const device = devices.find(deviceKey(tuyaLinkTriple(deviceId, '')));
  if (device === undefined) return refuse(ReturnCode.NotAuthorized, 'unknown or disabled device');
  const content = `deviceId=${deviceId},timestamp=${timestamp},secureMode=1,accessType=1`;
  const expected = createHmac('sha256', device.deviceSecret).update(content).digest('hex');
  if (packet.password?.toString() !== expected) return refuse(ReturnCode.NotAuthorized, 'wrong signature');
  return {
    login: {
      device,
      purpose: 'device',
      clientId: packet.clientId,
      sessionKey: packet.clientId,
      cleanSession: packet.clean ?? true,
      keepAliveSeconds,
      wantsAutoSubscribe: false,
      push: undefined,
      profile: {
        ...platformProfile,
        publishTopics: OWN_TOPICS,
        subscribeTopics: OWN_TOPICS,
        autoSubscribeTopics: DOWNLINKS.map((topic) => `tylink/{dn}/${topic}`),
      },
    },
  };
}
