// Decides a CONNECT: the device and terms it logs in with, or the CONNACK code and reason it is refused with.
import type { IConnectPacket } from 'mqtt-packet';
import { type ClientIdParts, parseClientId, parseUserName } from './client-id.ts';
import { type Devices, type DeviceTriple, deviceKey } from './devices.ts';
import type { ListenerKind, Profile } from './profile.ts';
import { isSignedBy, isWellFormedPassword } from './sign.ts';

/** CONNACK return codes of MQTT 3.1.1, section 3.2.2.3. */
export const ReturnCode = Object.freeze({
  Accepted: 0,
  UnacceptableProtocolVersion: 1,
  IdentifierRejected: 2,
  ServerUnavailable: 3,
  BadUserNameOrPassword: 4,
  NotAuthorized: 5,
} as const);

export interface Login {
  readonly device: DeviceTriple;
  readonly clientId: string;
  readonly sessionKey: string;
  readonly cleanSession: boolean;
  /** Already clamped where the profile says so. */
  readonly keepAliveSeconds: number;
  readonly wantsAutoSubscribe: boolean;
}

export interface Refusal {
  readonly code: number;
  readonly reason: string;
}

export type Decision = { readonly login: Login } | { readonly refusal: Refusal };

export function decide(packet: IConnectPacket, kind: ListenerKind, profile: Profile, devices: Devices): Decision {
  if (!profile.protocolLevels.includes(packet.protocolVersion ?? 0)) {
    return refuse(ReturnCode.UnacceptableProtocolVersion, 'unacceptable protocol version');
  }
  const parts = parseClientId(packet.clientId, profile);
  if (parts === undefined) return refuse(ReturnCode.IdentifierRejected, 'malformed client id');
  if (!profile.secureModes[kind].includes(parts.secureMode)) {
    return refuse(profile.secureModeReturnCode, `securemode ${parts.secureMode} does not fit this listener`);
  }
  const keepAliveSeconds = takenKeepAlive(packet.keepalive ?? 0, profile);
  if (keepAliveSeconds === undefined) {
    return refuse(ReturnCode.ServerUnavailable, `keep-alive ${packet.keepalive ?? 0} s is out of range`);
  }
  const checked = authenticate(packet, parts, profile, devices);
  if ('refusal' in checked) return checked;
  return { login: makeLogin(packet, parts, checked.device, keepAliveSeconds, profile) };
}

function authenticate(
  packet: IConnectPacket,
  parts: ClientIdParts,
  profile: Profile,
  devices: Devices,
): { readonly device: DeviceTriple } | { readonly refusal: Refusal } {
  const name = parseUserName(packet.username ?? '');
  if (name === undefined) return refuse(ReturnCode.BadUserNameOrPassword, 'malformed user name');
  const password = packet.password?.toString('utf8') ?? '';
  if (!isWellFormedPassword(parts.signMethod, password)) {
    return refuse(ReturnCode.BadUserNameOrPassword, 'malformed password');
  }
  const device = devices.find(deviceKey(name));
  if (device === undefined) return refuse(ReturnCode.NotAuthorized, 'unknown or disabled device');
  if (!isSignedBy(device, parts, password, profile)) return refuse(ReturnCode.NotAuthorized, 'wrong signature');
  return { device };
}

function takenKeepAlive(asked: number, profile: Profile): number | undefined {
  if (asked < profile.keepAliveMinimumSeconds) return undefined;
  if (asked <= profile.keepAliveMaximumSeconds) return asked;
  return profile.clampLongKeepAlive ? profile.keepAliveMaximumSeconds : undefined;
}

function makeLogin(
  packet: IConnectPacket,
  parts: ClientIdParts,
  device: DeviceTriple,
  keepAliveSeconds: number,
  profile: Profile,
): Login {
  const key = deviceKey(device);
  return {
    device,
    clientId: parts.clientId,
    sessionKey: profile.sessionKey === 'device' ? key : `${parts.clientId}|${key}`,
    cleanSession: packet.clean ?? true,
    keepAliveSeconds,
    wantsAutoSubscribe:
      profile.autoSubscribe === 'always' || (profile.autoSubscribe === 'asked' && parts.extras.get('_ss') === '1'),
  };
}

function refuse(code: number, reason: string): { readonly refusal: Refusal } {
  return { refusal: { code, reason } };
}
