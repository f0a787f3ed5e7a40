// mqtt-mote: everything that knows no host.

export type { Adapter, Alarm, Endpoint, Security, Transport, TransportEvents, Warning } from './adapters/adapter.ts';
export { type BackoffOptions, defaultRefusal, type Refusal } from './client/backoff.ts';
export { Client, type PublishOptions, type Stats, type SubscribeOptions } from './client/client.ts';
export type { Done, PublishOperation, SubscribeDone } from './client/operation.ts';
export type { ClientOptions } from './client/options.ts';
export type { MessageQueue, QueueLimits } from './client/queue.ts';
export type { ClientEvents, ConnectedEvent, DisconnectedEvent } from './client/state.ts';
export type { ErrorCode, ErrorDetails, MqttError } from './error.ts';
export type { Framing } from './framing/framing.ts';
export { mqttPacketFraming } from './framing/mqtt-packet.ts';
export type { Filter, Message, PacketId, QoS } from './framing/packet.ts';
export { type DeviceSecretOptions, deviceSecret } from './identity/device-secret.ts';
export { type Attempt, type Credentials, type Identity, type Profile, plainIdentity } from './identity/identity.ts';
export { alibabaCloud } from './identity/profile.ts';
export { hmacmd5, hmacsha1, hmacsha256, type SignMethod } from './identity/signing.ts';
export { atLeastOnce, type Rules } from './protocol/delivery.ts';
export { exactlyOnce } from './protocol/exactly-once.ts';
export type {
  Operation,
  Publication,
  ReceivedMessage,
  Subscription,
  Unsubscription,
} from './protocol/session.ts';
export { type Instant, type Millis, until } from './time.ts';
