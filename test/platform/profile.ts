// Everything about the platform that is uncertain or adjustable, in one frozen object.

/** `x509`: TLS on which the device presents a certificate of its own. */
export type ListenerKind = 'tcp' | 'private' | 'public' | 'x509';
export type SignMethod = 'hmacmd5' | 'hmacsha1' | 'hmacsha256';
export type ResettingPacket = 'publish' | 'subscribe' | 'unsubscribe' | 'pingreq' | 'puback';

/** What happens to something the platform does not offer; `support` gives plain MQTT behaviour. */
export type Unsupported = 'close' | 'ignore' | 'support';

export interface Profile {
  readonly protocolLevels: readonly number[];
  readonly secureModes: Readonly<Record<ListenerKind, readonly string[]>>;
  readonly secureModeReturnCode: number;
  readonly signMethods: readonly SignMethod[];
  readonly clientIdMaximumCharacters: number;
  /** How an empty clientId part may be signed: its name with no value, left out, or either. */
  readonly emptyClientId: 'signed' | 'leftOut' | 'either';
  /** `device`: one session for each device, whatever its client id; `clientId`: one for each clientId part too. */
  readonly sessionKey: 'device' | 'clientId';
  /** How far a signed timestamp may be from the platform's time; undefined: not looked at, as far as anybody has seen. */
  readonly skewMaximumMillis: number | undefined;
  /** Of what is pushed without SUBSCRIBE. */
  readonly pushQos: 0 | 1;

  readonly keepAliveMinimumSeconds: number;
  readonly keepAliveMaximumSeconds: number;
  /** Take a longer keep-alive as the maximum instead of refusing it. */
  readonly clampLongKeepAlive: boolean;
  readonly keepAliveFactor: number;
  readonly keepAliveTickSeconds: number;
  /** w: seconds from CONNACK to the first check, above 0, at most the tick. */
  readonly firstTickSeconds: number | 'random';
  readonly keepAliveResetBy: readonly ResettingPacket[];

  readonly connectTimeoutMillis: number;
  readonly connackDelayMillis: number;

  readonly topicMaximumBytes: number;
  /** Holds for custom topics only: the platform's own go deeper. */
  readonly customTopicMaximumSlashes: number;
  readonly payloadMaximumBytes: number;
  readonly subscriptionsPerPacket: number;
  readonly subscriptionsPerDevice: number;
  readonly grantedQosMaximum: 0 | 1 | 2;
  readonly forbiddenPublish: 'close' | 'ignore';
  readonly qos2Publish: Unsupported;
  readonly retain: Unsupported;
  readonly will: Unsupported;

  /** Filters with {pk} and {dn}: where a device may publish, and what it may subscribe to. */
  readonly publishTopics: readonly string[];
  readonly subscribeTopics: readonly string[];
  /** `asked`: when the client id holds _ss=1. */
  readonly autoSubscribe: 'never' | 'asked' | 'always';
  readonly autoSubscribeTopics: readonly string[];
  /** Whether a device's subscription also matches what it publishes itself, as with a plain broker. */
  readonly upstreamReachesSubscribers: boolean;
  /** The rule that sends what came on one custom topic back on another; undefined for no rule. */
  readonly echo: { readonly from: string; readonly to: string } | undefined;
}

const OWN_TOPICS = ['/{pk}/{dn}/user/#', '/sys/{pk}/{dn}/#', '/ext/session/{pk}/{dn}/#'];
const RRPC_TOPICS = ['/ext/rrpc/+/{pk}/{dn}/#', '/ext/rrpc/+/sys/{pk}/{dn}/#'];
const AUTO_SUBSCRIBED = [
  'thing/model/down_raw',
  'thing/model/up_raw_reply',
  'thing/event/+/post_reply',
  'thing/event/property/history/post_reply',
  'thing/deviceinfo/update_reply',
  'thing/deviceinfo/delete_reply',
  'thing/dynamicTsl/get_reply',
  'rrpc/request/+',
  'thing/service/property/set',
  'thing/service/+',
  'thing/topo/change',
  'thing/sub/register_reply',
];

export const defaultProfile: Profile = freezeDeep({
  protocolLevels: [3, 4],
  secureModes: { tcp: ['3'], private: ['2'], public: ['2'], x509: ['2'] },
  secureModeReturnCode: 2,
  signMethods: ['hmacmd5', 'hmacsha1', 'hmacsha256'],
  clientIdMaximumCharacters: 64,
  emptyClientId: 'either',
  sessionKey: 'device',
  skewMaximumMillis: undefined,
  pushQos: 0,

  keepAliveMinimumSeconds: 30,
  keepAliveMaximumSeconds: 1200,
  clampLongKeepAlive: false,
  keepAliveFactor: 1.5,
  keepAliveTickSeconds: 30,
  firstTickSeconds: 'random',
  keepAliveResetBy: ['publish', 'subscribe', 'pingreq', 'puback'],

  connectTimeoutMillis: 30_000,
  connackDelayMillis: 0,

  topicMaximumBytes: 128,
  customTopicMaximumSlashes: 7,
  payloadMaximumBytes: 262_144,
  subscriptionsPerPacket: 100,
  subscriptionsPerDevice: 100,
  grantedQosMaximum: 1,
  forbiddenPublish: 'close',
  qos2Publish: 'close',
  retain: 'ignore',
  will: 'ignore',

  publishTopics: [
    ...OWN_TOPICS,
    ...RRPC_TOPICS,
    '/ext/ntp/{pk}/{dn}/request',
    '/shadow/update/{pk}/{dn}',
    '/ota/device/inform/{pk}/{dn}',
    '/ota/device/progress/{pk}/{dn}',
    '/ota/device/request/{pk}/{dn}',
  ],
  subscribeTopics: [
    ...OWN_TOPICS,
    ...RRPC_TOPICS,
    '/broadcast/{pk}/#',
    '/ext/ntp/{pk}/{dn}/response',
    '/ext/error/{pk}/{dn}',
    '/shadow/get/{pk}/{dn}',
    '/ota/device/upgrade/{pk}/{dn}',
    '/ota/device/request/{pk}/{dn}',
  ],
  autoSubscribe: 'asked',
  autoSubscribeTopics: AUTO_SUBSCRIBED.map((topic) => `/sys/{pk}/{dn}/${topic}`),
  upstreamReachesSubscribers: true,
  echo: { from: '/{pk}/{dn}/user/update', to: '/{pk}/{dn}/user/get' },
});

export function makeProfile(overrides: Partial<Profile> = {}): Profile {
  return freezeDeep({ ...defaultProfile, ...overrides });
}

function freezeDeep<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) freezeDeep(part);
  }
  return Object.freeze(value);
}
