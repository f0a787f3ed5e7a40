// The framing, as it comes out of the bundler.

export { mqttPacketFraming } from '../../../src/index.ts';
