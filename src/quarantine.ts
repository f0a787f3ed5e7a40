// mqtt-mote/quarantine: messages that get the connection closed each time are set aside.

export { type QuarantineOptions, quarantine } from './modules/quarantine.ts';
