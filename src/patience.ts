// mqtt-mote/patience: a longer keep-alive where links keep dying silently.

export { lengthenKeepAlive, type PatienceOptions } from './modules/patience.ts';
