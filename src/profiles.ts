// mqtt-mote/profiles: what each platform takes, one object each.

export {
  alibabaCloudIot,
  anyBroker,
  type PlatformLimits,
  type PlatformProfile,
  type RefusalPolicy,
  tuyaLinkPlatform,
  tuyaOnAlibabaCloud,
} from './identity/profiles.ts';
