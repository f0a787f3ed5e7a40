// mqtt-mote/black-box-decoder: reads the bytes of a black box.

export { type BlackBoxEntry, decodeBlackBox } from './modules/black-box-decoder.ts';
