// mqtt-mote/tuya-legacy: devices of Tuya's own cloud from before TuyaLink.

export { type TuyaLegacyOptions, tuyaLegacy } from './identity/tuya-legacy.ts';
