// mqtt-mote/bundled: the whole client for Node with everything that an app puts on top. In the built package it is one file
// that needs no other, made by targets/node/bundle.ts: for Linux boards on which loading many modules takes long.

export * from './black-box.ts';
export * from './clock.ts';
export * from './enrolment.ts';
export * from './explain.ts';
export * from './failover.ts';
export * from './gateway.ts';
export * from './index.ts';
export * from './node.ts';
export * from './patience.ts';
export * from './policy-queue.ts';
export * from './profile-guard.ts';
export * from './profiles.ts';
export * from './promises.ts';
export * from './quarantine.ts';
export * from './router.ts';
export * from './store.ts';
export * from './takeover.ts';
export * from './trust.ts';
export * from './tuya-legacy.ts';
export * from './tuyalink.ts';
