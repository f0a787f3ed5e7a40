// What the platform does with a device's PUBLISH: no QoS 2, no retained messages, own topics only.
import type { IPublishPacket } from 'mqtt-packet';
import type { DeviceIdentity } from './devices.ts';
import type { Profile, Unsupported } from './profile.ts';
import { mayPublish } from './topics.ts';

export interface Verdict {
  readonly action: 'forward' | 'ignore' | 'close';
  readonly reason: string;
}

const FORWARD: Verdict = Object.freeze({ action: 'forward', reason: '' });

export function judgePublish(packet: IPublishPacket, own: readonly DeviceIdentity[], profile: Profile): Verdict {
  if (packet.qos === 2 && profile.qos2Publish !== 'support') {
    return { action: profile.qos2Publish, reason: 'QoS 2 is not supported' };
  }
  if (packet.retain && profile.retain === 'close') {
    return { action: 'close', reason: 'retained messages are not supported' };
  }
  if (!own.some((device) => mayPublish(packet.topic, device, profile))) {
    return { action: profile.forbiddenPublish, reason: `publish to ${packet.topic} is forbidden` };
  }
  if (packet.payload.length > profile.payloadMaximumBytes) {
    return { action: profile.forbiddenPublish, reason: `payload of ${packet.payload.length} bytes is too long` };
  }
  return FORWARD;
}

/** The retain flag a message goes on with. */
export function keepsRetain(asked: boolean, retain: Unsupported): boolean {
  return asked && retain === 'support';
}
