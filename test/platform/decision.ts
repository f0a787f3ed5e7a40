// What a decision about a CONNECT consists of, and the checks that every kind of login shares.
import type { DeviceTriple } from './devices.ts';
import type { ListenerKind, Profile } from './profile.ts';

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
  /** `registration`: nothing but the answer is sent, and nobody else is thrown out. */
  readonly purpose: 'device' | 'registration';
  readonly clientId: string;
  readonly sessionKey: string;
  readonly cleanSession: boolean;
  /** Already clamped where the profile says so; 0 where it is not checked. */
  readonly keepAliveSeconds: number;
  readonly wantsAutoSubscribe: boolean;
  /** Sent right after CONNACK, without SUBSCRIBE. */
  readonly push: { readonly topic: string; readonly payload: string } | undefined;
  /** The rules that hold on this connection. */
  readonly profile: Profile;
}

export interface Refusal {
  readonly code: number;
  readonly reason: string;
}

export type Decision = { readonly login: Login } | { readonly refusal: Refusal };

/** How a CONNECT came in. */
export interface Arrival {
  readonly kind: ListenerKind;
  /** SHA-256 of the certificate that the device presented. */
  readonly fingerprint: string | undefined;
  /** Milliseconds since 1970, as the platform sees it. */
  readonly now: number;
}

export function isFarOff(timestamp: number, { now }: Arrival, profile: Profile): boolean {
  return profile.skewMaximumMillis !== undefined && Math.abs(timestamp - now) > profile.skewMaximumMillis;
}

export function takenKeepAlive(asked: number, profile: Profile): number | undefined {
  if (asked < profile.keepAliveMinimumSeconds) return undefined;
  if (asked <= profile.keepAliveMaximumSeconds) return asked;
  return profile.clampLongKeepAlive ? profile.keepAliveMaximumSeconds : undefined;
}

export function refuse(code: number, reason: string): { readonly refusal: Refusal } {
  return { refusal: { code, reason } };
}
