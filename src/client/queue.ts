// Messages that wait for a connection or for room in the in-flight window, in the order they were published.

import { mqttError } from '../error.ts';
import type { PublishOperation } from './operation.ts';

export interface QueueLimits {
  /** Most messages, 0 to 1,000,000; default 100. 0: nothing waits, publish() throws instead. */
  readonly messages?: number | undefined;
  /** Most bytes of topics and payloads together, 0 to 2^31 - 1; default 65,536. */
  readonly bytes?: number | undefined;
}

/** Characters of the topic count as bytes: a bound on memory, not a sum of the wire. */
const sizeOf = (it: PublishOperation): number => it.topic.length + it.payload.length;

export class Queue {
  maxMessages: number;
  maxBytes: number;
  waiting: PublishOperation[] = [];
  bytes = 0;

  constructor(limits: QueueLimits) {
    this.maxMessages = limits.messages ?? 100;
    this.maxBytes = limits.bytes ?? 65_536;
  }

  /** @throws MqttError 'queue-full': nothing was taken */
  add(operation: PublishOperation): void {
    const bytes = this.bytes + sizeOf(operation);
    if (this.waiting.length >= this.maxMessages || bytes > this.maxBytes) {
      throw mqttError('queue-full', `${this.waiting.length} messages of ${this.bytes} bytes wait`);
    }
    this.waiting.push(operation);
    this.bytes = bytes;
  }

  first(): PublishOperation | undefined {
    return this.waiting[0];
  }

  removeFirst(): void {
    const first = this.waiting.shift();
    if (first) this.bytes -= sizeOf(first);
  }
}
