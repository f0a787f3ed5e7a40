// What each platform takes and does not take, one plain frozen object each: the guard keeps an app within it. An app can hand
// in its own: `{ ...tuyaOnAlibabaCloud, maxTopicBytes: 100 }`. Each fact has its source in a comment; what nobody has verified
// stands under `unverified`, and is off until it is asked for.

import type { Profile } from './identity.ts';
import { alibabaCloud, tuyaLinkCloud } from './profile.ts';

/** Limits of what a device may send. What is left out is not limited. */
export interface PlatformLimits {
  /** Highest QoS of a PUBLISH, and in a SUBSCRIBE, 0 to 2. */
  readonly maxQos?: 0 | 1 | 2 | undefined;
  /** Whether CONNECT may hold a will. */
  readonly will?: boolean | undefined;
  /** Whether a PUBLISH may ask to be retained. */
  readonly retain?: boolean | undefined;
  /** Longest topic or filter, in bytes of UTF-8, 1 to 65,535. */
  readonly maxTopicBytes?: number | undefined;
  /** Most slashes in a topic with `customPart`, 1 to 65,535. */
  readonly maxCustomSlashes?: number | undefined;
  /** What every topic begins with. */
  readonly topicPrefix?: string | undefined;
  /** Behind this part of a topic, levels are letters, digits and `_`; no level of any topic is empty. */
  readonly customPart?: string | undefined;
  /** Longest payload of a PUBLISH, in bytes, 0 to 268,435,455. */
  readonly maxPayloadBytes?: number | undefined;
  /** Most filters in one SUBSCRIBE or UNSUBSCRIBE, 1 to 1,000. */
  readonly maxFilters?: number | undefined;
  /** Most PUBLISH packets of QoS 0 in a second, 1 to 100,000. */
  readonly publishesPerSecond?: number | undefined;
  /** Most PUBLISH packets of QoS 1 and 2 in a second, 1 to 100,000. */
  readonly acknowledgedPerSecond?: number | undefined;
  /** Most CONNECT packets in a minute, 1 to 6,000. */
  readonly connectsPerMinute?: number | undefined;
}

/** What follows a CONNACK that refuses: `retry`, `patient` (with the longest delay) or `stop`. */
export type RefusalPolicy = 'retry' | 'patient' | 'stop';

export interface PlatformProfile extends Profile, PlatformLimits {
  /** The packets that restart the server's keep-alive timer. The client counts no others, whatever the platform. */
  readonly countedPackets: readonly string[];
  /** By the return codes 1 to 5, in their order (3.2.2.3). */
  readonly refusals: readonly RefusalPolicy[];
  /** Believed, and not verified: counts only where the guard is asked for it. */
  readonly unverified: PlatformLimits;
}

/** Of 1 and 2 version and client id, of 4 the form of user name and password: none will be taken as it is. */
const REFUSALS: readonly RefusalPolicy[] = /* @__PURE__ */ Object.freeze(['stop', 'stop', 'retry', 'stop', 'patient']);

/** What the standard counts (3.1.2.10), as far as a client of QoS 0 and 1 sends it. */
const COUNTED: readonly string[] = /* @__PURE__ */ Object.freeze([
  'publish',
  'subscribe',
  'unsubscribe',
  'pingreq',
  'puback',
]);

/** Alibaba Cloud IoT Platform. */
export const alibabaCloudIot: PlatformProfile = /* @__PURE__ */ Object.freeze({
  ...alibabaCloud, // Keep-alive of 30 to 1,200 s: "Device Connection Authentication".
  countedPackets: /* @__PURE__ */ Object.freeze(['publish', 'subscribe', 'pingreq', 'puback']), // The same page; UNSUBSCRIBE is not named.
  maxQos: 1 as const, // "MQTT protocol specifications": no QoS 2, will or retained messages.
  will: false,
  retain: false,
  maxTopicBytes: 128, // Link SDK C 4.x.
  topicPrefix: '/', // Link SDK C 4.x.
  customPart: '/user/', // CreateProductTopic.
  refusals: REFUSALS, // "Troubleshooting": what each code means.
  unverified: /* @__PURE__ */ Object.freeze({
    maxCustomSlashes: 7,
    maxPayloadBytes: 262_144, // Verified for what the server sends only.
    maxFilters: 8,
    publishesPerSecond: 30,
    acknowledgedPerSecond: 10,
    connectsPerMinute: 5,
  }),
});

/** The Tuya IoT platform offered on Alibaba Cloud: the same protocol. */
export const tuyaOnAlibabaCloud: PlatformProfile = /* @__PURE__ */ Object.freeze({
  ...alibabaCloudIot,
  name: 'Tuya on Alibaba Cloud',
});

/** TuyaLink, on Tuya's own cloud. */
export const tuyaLinkPlatform: PlatformProfile = /* @__PURE__ */ Object.freeze({
  ...tuyaLinkCloud, // Keep-alive of 30 to 1,200 s: "Open MQTT Protocol".
  countedPackets: COUNTED,
  topicPrefix: 'tylink/', // Every topic of "MQTT Topic".
  refusals: REFUSALS,
  unverified: /* @__PURE__ */ Object.freeze({ maxQos: 1 as const, will: false, retain: false }),
});

/** Any server that keeps to MQTT 3.1.1. */
export const anyBroker: PlatformProfile = /* @__PURE__ */ Object.freeze({
  name: 'MQTT 3.1.1',
  minKeepAliveSeconds: 0,
  maxKeepAliveSeconds: 65_535,
  countedPackets: COUNTED,
  refusals: /* @__PURE__ */ Object.freeze(['stop', 'stop', 'retry', 'patient', 'patient'] as const),
  unverified: /* @__PURE__ */ Object.freeze({}),
});
