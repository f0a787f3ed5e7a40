// Devices that ask for their secret or token, signed with their product's secret. Nothing else happens on that connection.
import type { IConnectPacket } from 'mqtt-packet';
import { type ClientIdParts, parseUserName } from './client-id.ts';
import { type Decision, type Login, ReturnCode, refuse } from './decision.ts';
import { type DeviceIdentity, type Devices, deviceKey } from './devices.ts';
import type { Profile } from './profile.ts';
import { isWellFormedPassword, matches } from './sign.ts';

export function decideRegistration(
  packet: IConnectPacket,
  parts: ClientIdParts,
  profile: Profile,
  devices: Devices,
): Decision {
  const { signMethod } = parts;
  const device = parseUserName(packet.username ?? '');
  const password = packet.password?.toString('utf8') ?? '';
  if (device === undefined || signMethod === undefined || !isWellFormedPassword(signMethod, password)) {
    return refuse(ReturnCode.BadUserNameOrPassword, 'malformed user name or password');
  }
  const product = devices.product(device.productKey);
  if (product === undefined) return refuse(ReturnCode.NotAuthorized, 'the product lets no device register');
  const signed = { ...device, random: parts.extras.get('random') };
  if (!matches(signMethod, product.productSecret, signed, password)) {
    return refuse(ReturnCode.NotAuthorized, 'wrong signature');
  }
  if (parts.authType === 'register' && !devices.isListed(device)) {
    return refuse(ReturnCode.NotAuthorized, 'the device is not on the list');
  }
  if (devices.isActive(device)) return refuse(ReturnCode.NotAuthorized, 'the device is active: reset it first');
  return { login: makeLogin(device, parts, profile, answer(device, parts, devices)) };
}

function answer(device: DeviceIdentity, { authType }: ClientIdParts, devices: Devices): Login['push'] {
  if (authType === 'register') {
    return { topic: '/ext/register', payload: JSON.stringify(devices.issueSecret(device)) };
  }
  const { clientId, deviceToken } = devices.issueToken(device);
  return { topic: '/ext/regnwl', payload: JSON.stringify({ clientId, ...device, deviceToken }) };
}

function makeLogin(device: DeviceIdentity, parts: ClientIdParts, profile: Profile, push: Login['push']): Login {
  return {
    device: { ...device, deviceSecret: '' },
    purpose: 'registration',
    clientId: parts.clientId,
    sessionKey: `registration|${deviceKey(device)}`,
    cleanSession: true,
    keepAliveSeconds: 0, // Not looked at on this connection.
    wantsAutoSubscribe: false,
    push,
    profile,
  };
}
