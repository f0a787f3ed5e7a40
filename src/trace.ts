// mqtt-mote/trace: records a client in the field, and replays it bit for bit.

export { recordTrace, replayTrace } from './modules/trace.ts';
