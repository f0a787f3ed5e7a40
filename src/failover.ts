// mqtt-mote/failover: endpoints in an order, with a patient return to the first.

export { type FailoverOptions, failover } from './modules/failover.ts';
