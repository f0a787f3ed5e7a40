// mqtt-mote/router: a handler for each topic filter.

export { type MessageHandler, Router, type Thenable } from './modules/router.ts';
export { matches } from './protocol/topic.ts';
