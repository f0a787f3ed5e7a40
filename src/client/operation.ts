// What the app has asked for and waits on. Each settles exactly once.

import type { MqttError } from '../error.ts';
import type { QoS } from '../framing/packet.ts';
import type { Publication } from '../protocol/session.ts';

/** Called once: without an error when the operation is complete. */
export type Done = (error?: MqttError) => void;

/** Called once: `granted` is the QoS that the server granted. */
export type SubscribeDone = (error?: MqttError, granted?: QoS) => void;

export interface PublishOperation extends Publication {
  done: Done | undefined;
}
