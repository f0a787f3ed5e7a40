// mqtt-mote/patience: a longer keep-alive where links keep dying silently; pings that leave early with what leaves anyway.

export { pingEarly } from './modules/early-ping.ts';
export { lengthenKeepAlive, type PatienceOptions } from './modules/patience.ts';
