// Splits a SUBSCRIBE into what aedes may grant and what is refused, and puts the whole SUBACK together again.
// aedes is always asked for the highest QoS: the platform delivers at the publisher's QoS, not the subscription's.
import type { ISubackPacket, ISubscribePacket, QoS } from 'mqtt-packet';
import type { DeviceIdentity } from './devices.ts';
import type { Profile } from './profile.ts';
import { maySubscribe } from './topics.ts';

export const SUBSCRIBE_FAILED = 0x80;

export class SubscribeGate {
  private readonly own: () => readonly DeviceIdentity[];
  private readonly profile: Profile;
  private readonly filters = new Set<string>();
  private readonly answers = new Map<number, number[]>();

  /** @param own the devices whose topics may be subscribed to */
  constructor(own: () => readonly DeviceIdentity[], profile: Profile) {
    this.own = own;
    this.profile = profile;
  }

  /** Whether aedes has a SUBSCRIBE still to answer. */
  get isBusy(): boolean {
    return this.answers.size > 0;
  }

  /** The SUBACK that the device gets, and the SUBSCRIBE for aedes, if any filter may pass. */
  take(packet: ISubscribePacket): { readonly answer: ISubackPacket; readonly forward: ISubscribePacket | undefined } {
    const granted = packet.subscriptions.map(({ topic, qos }, index) => this.grant(topic, qos, index));
    const passing = packet.subscriptions.filter((_, index) => granted[index] !== SUBSCRIBE_FAILED);
    const packetId = packet.messageId ?? 0;
    const answer: ISubackPacket = { cmd: 'suback', messageId: packetId, granted };
    if (passing.length === 0) return { answer, forward: undefined };
    this.answers.set(packetId, granted);
    const subscriptions = passing.map(({ topic }) => ({ topic, qos: deliveryQos(this.profile) }));
    return { answer, forward: { cmd: 'subscribe', messageId: packetId, subscriptions } };
  }

  /** aedes has subscribed: the SUBACK for the device. */
  settle(packetId: number): ISubackPacket | undefined {
    const granted = this.answers.get(packetId);
    this.answers.delete(packetId);
    return granted === undefined ? undefined : { cmd: 'suback', messageId: packetId, granted };
  }

  forget(filters: readonly string[]): void {
    for (const filter of filters) this.filters.delete(filter);
  }

  private grant(filter: string, asked: QoS, index: number): number {
    if (index >= this.profile.subscriptionsPerPacket) return SUBSCRIBE_FAILED;
    if (!this.own().some((device) => maySubscribe(filter, device, this.profile))) return SUBSCRIBE_FAILED;
    if (!this.filters.has(filter) && this.filters.size >= this.profile.subscriptionsPerDevice) return SUBSCRIBE_FAILED;
    this.filters.add(filter);
    return Math.min(asked, this.profile.grantedQosMaximum);
  }
}

export function deliveryQos(profile: Profile): QoS {
  return profile.qos2Publish === 'support' ? 2 : 1;
}
