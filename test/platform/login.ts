// Decides a CONNECT: the device and terms it logs in with, or the CONNACK code and reason it is refused with.
import type { IConnectPacket } from 'mqtt-packet';
import { type ClientIdParts, parseClientId, parseUserName } from './client-id.ts';
import {
  type Arrival,
  type Decision,
  isFarOff,
  type Login,
  type Refusal,
  ReturnCode,
  refuse,
  takenKeepAlive,
} from './decision.ts';
import { type Devices, type DeviceTriple, deviceKey } from './devices.ts';
import type { Profile } from './profile.ts';
import { decideRegistration } from './registration.ts';
import { isSignedBy, isWellFormedPassword } from './sign.ts';
import { decideTuyaLink, isTuyaLink } from './tuyalink.ts';

export function decide(packet: IConnectPacket, arrival: Arrival, profile: Profile, devices: Devices): Decision {
  if (!profile.protocolLevels.includes(packet.protocolVersion ?? 0)) {
    return refuse(ReturnCode.UnacceptableProtocolVersion, 'unacceptable protocol version');
  }
  if (isTuyaLink(packet)) return decideTuyaLink(packet, arrival, profile, devices);
  const parts = parseClientId(packet.clientId, profile);
  if (parts === undefined) return refuse(ReturnCode.IdentifierRejected, 'malformed client id');
  if (!secureModesOf(parts, arrival, profile).includes(parts.secureMode)) {
    return refuse(profile.secureModeReturnCode, `securemode ${parts.secureMode} does not fit this listener`);
  }
  if (parts.authType === 'register' || parts.authType === 'regnwl') {
    return decideRegistration(packet, parts, profile, devices);
  }
  const keepAliveSeconds = takenKeepAlive(packet.keepalive ?? 0, profile);
  if (keepAliveSeconds === undefined) {
    return refuse(ReturnCode.ServerUnavailable, `keep-alive ${packet.keepalive ?? 0} s is out of range`);
  }
  if (parts.timestamp !== undefined && isFarOff(Number(parts.timestamp), arrival, profile)) {
    return refuse(ReturnCode.NotAuthorized, 'the timestamp is too far from the time');
  }
  const checked = authenticate(packet, parts, arrival, profile, devices);
  if ('refusal' in checked) return checked;
  return { login: makeLogin(packet, parts, checked, keepAliveSeconds, profile) };
}

function secureModesOf({ authType }: ClientIdParts, { kind }: Arrival, profile: Profile): readonly string[] {
  if (authType === 'secret') return profile.secureModes[kind];
  if (kind === 'tcp') return []; // A secret comes back, or the token goes out: TLS only.
  return authType === 'register' ? ['2'] : authType === 'regnwl' ? ['2', '-2'] : ['-2'];
}

interface Authenticated {
  readonly device: DeviceTriple;
  readonly push?: Login['push'];
}

function authenticate(
  packet: IConnectPacket,
  parts: ClientIdParts,
  arrival: Arrival,
  profile: Profile,
  devices: Devices,
): Authenticated | { readonly refusal: Refusal } {
  const userName = packet.username ?? '';
  if (arrival.kind === 'x509') return authenticateCertificate(userName, arrival, devices);
  const name = parseUserName(userName);
  if (name === undefined) return refuse(ReturnCode.BadUserNameOrPassword, 'malformed user name');
  const password = packet.password?.toString('utf8') ?? '';
  const { signMethod } = parts;
  if (signMethod === undefined) return authenticateToken(deviceKey(name), parts, password, devices);
  if (!isWellFormedPassword(signMethod, password)) {
    return refuse(ReturnCode.BadUserNameOrPassword, 'malformed password');
  }
  const device = devices.find(deviceKey(name));
  if (device === undefined) return refuse(ReturnCode.NotAuthorized, 'unknown or disabled device');
  // Nobody signs with no secret: the device has a token, or a certificate.
  const isSigned = device.deviceSecret !== '' && isSignedBy(device, parts, signMethod, password, profile);
  return isSigned ? { device } : refuse(ReturnCode.NotAuthorized, 'wrong signature');
}

function authenticateToken(
  key: string,
  parts: ClientIdParts,
  password: string,
  devices: Devices,
): Authenticated | { readonly refusal: Refusal } {
  const device = devices.find(key);
  const token = devices.token(key);
  if (device === undefined || token === undefined) {
    return refuse(ReturnCode.NotAuthorized, 'unknown or disabled device');
  }
  const isSame = token.clientId === parts.clientId && token.deviceToken === password;
  return isSame ? { device } : refuse(ReturnCode.NotAuthorized, 'wrong client id or token');
}

/** The names may be left out the first time; the platform tells the device what they are. No password is looked at. */
function authenticateCertificate(
  userName: string,
  { fingerprint }: Arrival,
  devices: Devices,
): Authenticated | { readonly refusal: Refusal } {
  const device = devices.ofCertificate(fingerprint);
  if (device === undefined) return refuse(ReturnCode.NotAuthorized, 'unknown or disabled device');
  const { productKey, deviceName } = device;
  if (userName === deviceKey(device)) return { device };
  if (userName !== '&') return refuse(ReturnCode.NotAuthorized, 'the certificate is for another device');
  return {
    device,
    push: { topic: '/ext/auth/identity/response', payload: JSON.stringify({ productKey, deviceName }) },
  };
}

function makeLogin(
  packet: IConnectPacket,
  parts: ClientIdParts,
  { device, push }: Authenticated,
  keepAliveSeconds: number,
  profile: Profile,
): Login {
  const key = deviceKey(device);
  return {
    device,
    purpose: 'device',
    clientId: parts.clientId,
    sessionKey: profile.sessionKey === 'device' ? key : `${parts.clientId}|${key}`,
    cleanSession: packet.clean ?? true,
    keepAliveSeconds,
    wantsAutoSubscribe:
      profile.autoSubscribe === 'always' || (profile.autoSubscribe === 'asked' && parts.extras.get('_ss') === '1'),
    push,
    profile,
  };
}
