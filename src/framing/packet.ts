// The control packets of MQTT 3.1.1 (section 3) that a client sends or receives, as a discriminated union.

/** Control packet types (2.2.1). */
export const PacketType = Object.freeze({
  Connect: 1,
  Connack: 2,
  Publish: 3,
  Puback: 4,
  Pubrec: 5,
  Pubrel: 6,
  Pubcomp: 7,
  Subscribe: 8,
  Suback: 9,
  Unsubscribe: 10,
  Unsuback: 11,
  Pingreq: 12,
  Pingresp: 13,
  Disconnect: 14,
} as const);

/** 1 to 65535; 0 stands for none, which is what a QoS 0 PUBLISH carries [MQTT-2.3.1-5]. */
export type PacketId = number;

export type QoS = 0 | 1 | 2;

/** An application message (1.2). */
export interface Message {
  /** A topic name: 1 to 65,535 bytes of UTF-8, no wildcards (4.7). */
  readonly topic: string;
  /** Received: perhaps a part of more memory, which it keeps alive. Copy what is kept for long, or handed to another thread. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** Sent: keep this message for later subscribers. Received: it was kept, and came because of a new subscription. */
  readonly retain: boolean;
}

/** A topic filter and the QoS asked for (3.8.3). */
export interface Filter {
  readonly filter: string;
  readonly qos: QoS;
}

export interface Connect {
  readonly type: typeof PacketType.Connect;
  readonly clientId: string;
  readonly cleanSession: boolean;
  /** 0 (off) to 65,535 (3.1.2.10). */
  readonly keepAliveSeconds: number;
  readonly will?: Message | undefined;
  readonly userName?: string | undefined;
  readonly password?: string | Uint8Array | undefined;
}

export interface Connack {
  readonly type: typeof PacketType.Connack;
  readonly sessionPresent: boolean;
  readonly returnCode: number;
}

export interface Publish extends Message {
  readonly type: typeof PacketType.Publish;
  readonly packetId: PacketId;
  readonly dup: boolean;
}

/** @param packetId 0 where the QoS is 0 */
export const publishPacket = ({ topic, payload, qos, retain }: Message, packetId: PacketId, dup = false): Publish => ({
  type: PacketType.Publish,
  topic,
  payload,
  qos,
  retain,
  packetId,
  dup,
});

/** The packets that carry a packet identifier and nothing else. */
export interface Acknowledgement {
  readonly type:
    | typeof PacketType.Puback
    | typeof PacketType.Pubrec
    | typeof PacketType.Pubrel
    | typeof PacketType.Pubcomp
    | typeof PacketType.Unsuback;
  readonly packetId: PacketId;
}

export interface Subscribe {
  readonly type: typeof PacketType.Subscribe;
  readonly packetId: PacketId;
  readonly filters: readonly Filter[];
}

export interface Suback {
  readonly type: typeof PacketType.Suback;
  readonly packetId: PacketId;
  /** One return code for each filter of the SUBSCRIBE, in its order: 0 to 2 granted, 128 refused [MQTT-3.9.3-1]. */
  readonly granted: readonly number[];
}

export interface Unsubscribe {
  readonly type: typeof PacketType.Unsubscribe;
  readonly packetId: PacketId;
  readonly filters: readonly string[];
}

/** The packets that are a fixed header and nothing else. */
export interface Bare {
  readonly type: typeof PacketType.Pingreq | typeof PacketType.Pingresp | typeof PacketType.Disconnect;
}

/** What a client sends. */
export type Outgoing = Connect | Publish | Acknowledgement | Subscribe | Unsubscribe | Bare;

/** What a client receives. */
export type Incoming = Connack | Publish | Acknowledgement | Suback | Bare;
