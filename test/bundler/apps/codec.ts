// mqtt-packet and the framing, as they come out of the bundler.

export { parser, writeToStream } from 'mqtt-packet';
export { mqttPacketFraming } from '../../../src/index.ts';
