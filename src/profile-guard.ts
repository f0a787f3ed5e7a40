// mqtt-mote/profile-guard: an app that keeps within what its platform takes, and rates that are shaped.

export { type GuardOptions, guarded, limitsOf } from './modules/profile-guard.ts';
export { type Rates, type ShapedAdapter, type Shaping, shaped } from './modules/shaping.ts';
