// What the platforms ask of a device, one frozen object each. An app can hand in its own: `{ ...alibabaCloud, ... }`.

import type { Profile } from './identity.ts';

/** Alibaba Cloud IoT Platform, and the Tuya IoT platform offered on Alibaba Cloud. */
export const alibabaCloud: Profile = Object.freeze({
  name: 'Alibaba Cloud IoT Platform',
  minKeepAliveSeconds: 30,
  maxKeepAliveSeconds: 1_200,
});

/** Tuya's own cloud, as its open protocol is documented. */
export const tuyaLinkCloud: Profile = /* @__PURE__ */ Object.freeze({
  name: 'TuyaLink',
  minKeepAliveSeconds: 30,
  maxKeepAliveSeconds: 1_200,
});
