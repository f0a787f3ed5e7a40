// mqtt-mote/black-box: the last things that happened, in a ring of bytes.

export { BlackBox } from './modules/black-box.ts';
