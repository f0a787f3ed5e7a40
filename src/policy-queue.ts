// mqtt-mote/policy-queue: a queue with a policy for each topic filter.

export { PolicyQueue, type QueuePolicy, type QueueRule } from './modules/policy-queue.ts';
