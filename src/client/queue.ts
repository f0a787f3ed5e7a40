// Messages that wait for a connection or for room in the in-flight window, in the order they were published.

import { type MqttError, mqttError } from '../error.ts';
import type { Instant } from '../time.ts';
import type { PublishOperation } from './operation.ts';

export interface QueueLimits {
  /** Most messages, 0 to 1,000,000; default 100. 0: nothing waits, publish() throws instead. */
  readonly messages?: number | undefined;
  /** Most bytes of topics and payloads together, 0 to 2^31 - 1; default 65,536. */
  readonly bytes?: number | undefined;
}

/** What holds messages until they can be sent. An app can hand in its own, or a PolicyQueue. */
export interface MessageQueue {
  /** Takes a message, or refuses it, or drops one. @throws MqttError 'queue-full': nothing has changed */
  add(operation: PublishOperation, now: Instant): void;
  /** The next to be sent; what has expired meanwhile is dropped first. */
  first(now: Instant): PublishOperation | undefined;
  /** Forgets a message; one that is not there is ignored. */
  remove(operation: PublishOperation): void;
  /** Messages. */
  size(): number;
  bytes(): number;
  /** When first() will drop something, where messages expire. */
  nextDeadline?(): Instant | undefined;
  /** Set by the client: how a message ends that is dropped. */
  dropped?: (operation: PublishOperation, error: MqttError) => void;
}

/** Characters of the topic count as bytes: a bound on memory, not a sum of the wire. */
export const sizeOf = (it: PublishOperation): number => it.topic.length + it.payload.length;

export const queueFull = (queue: MessageQueue): MqttError =>
  mqttError('queue-full', `${queue.size()} messages of ${queue.bytes()} bytes wait`);

/** A message that no waiting will make room for. */
export const neverFits = (operation: PublishOperation, maxBytes: number): MqttError =>
  mqttError(
    'packet-too-large',
    `a message of ${sizeOf(operation)} bytes never fits into the queue.bytes of ${maxBytes}`,
  );

/** First in, first out; full is full. */
export class Queue implements MessageQueue {
  private readonly maxMessages: number;
  private readonly maxBytes: number;
  private readonly waiting: PublishOperation[] = [];
  private held = 0;

  constructor(limits: QueueLimits) {
    this.maxMessages = limits.messages ?? 100;
    this.maxBytes = limits.bytes ?? 65_536;
  }

  add(operation: PublishOperation): void {
    const held = this.held + sizeOf(operation);
    if (sizeOf(operation) > this.maxBytes && this.maxMessages > 0) throw neverFits(operation, this.maxBytes);
    if (this.waiting.length >= this.maxMessages || held > this.maxBytes) throw queueFull(this);
    this.waiting.push(operation);
    this.held = held;
  }

  first(): PublishOperation | undefined {
    return this.waiting[0];
  }

  remove(operation: PublishOperation): void {
    const index = this.waiting.indexOf(operation);
    if (index < 0) return;
    if (index) this.waiting.splice(index, 1);
    else this.waiting.shift();
    this.held -= sizeOf(operation);
  }

  size(): number {
    return this.waiting.length;
  }

  bytes(): number {
    return this.held;
  }
}
