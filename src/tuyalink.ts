// mqtt-mote/tuyalink: devices on Tuya's own cloud.

export { tuyaLinkCloud } from './identity/profile.ts';
export { type TuyaLinkOptions, tuyaLink, tuyaLinkChannel } from './identity/tuyalink.ts';
export { openTuyaLinkChannel, type TuyaLinkChannelOptions } from './modules/tuyalink-channel.ts';
