// mqtt-mote/takeover: a warning when a second device uses the same identity.

export { type TakeoverEvidence, type TakeoverOptions, watchTakeover } from './modules/takeover.ts';
