// mqtt-mote/tuyalink: devices on Tuya's own cloud.

export { type TuyaLinkOptions, tuyaLink, tuyaLinkChannel, tuyaLinkCloud } from './identity/tuyalink.ts';
export { openTuyaLinkChannel, type TuyaLinkChannelOptions } from './modules/tuyalink-channel.ts';
