// A handler for each filter: messages find their way by topic, wildcards are captured, asynchronous handlers delay the
// acknowledgement. For apps that hand it a client; others do not carry it.

import type { Client, SubscribeOptions } from '../client/client.ts';
import type { Done, SubscribeDone } from '../client/operation.ts';
import { mqttError } from '../error.ts';
import { topicFilter } from '../framing/check.ts';
import type { ReceivedMessage } from '../protocol/session.ts';
import { matchLevels } from '../protocol/topic.ts';

/** Something that will be done later: a promise, where the host has them. */
export interface Thenable {
  then(done: () => void, failed: (error: unknown) => void): unknown;
}

/**
 * @param captured what the wildcards of the filter stood for, in their order
 * @returns nothing, or a promise: the message is acknowledged when it is settled
 */
export type MessageHandler = (message: ReceivedMessage, captured: readonly string[]) => unknown;

interface Route {
  readonly filter: string;
  readonly levels: readonly string[];
  readonly handler: MessageHandler;
}

const isThenable = (it: unknown): it is Thenable => typeof (it as Thenable | undefined)?.then === 'function';

export class Router {
  private readonly client: Client;
  private routes: Route[] = [];
  /** Called for messages that no filter matches, such as those that a platform subscribed the device to by itself. */
  otherwise: (message: ReceivedMessage) => void = () => {};

  constructor(client: Client) {
    this.client = client;
    client.on('message', (message) => this.deliver(message));
  }

  /**
   * Subscribes to a filter and calls `handler` for each message that matches it. Several handlers may match one message;
   * copies that a server sends because filters overlap are each handled [MQTT-3.3.5-1].
   * @throws MqttError 'bad-filter' or 'bad-packet'
   */
  subscribe(filter: string, options: SubscribeOptions, handler: MessageHandler, done?: SubscribeDone): void {
    this.client.subscribe(filter, options, done);
    this.handle(filter, handler);
  }

  /** Takes the handlers of this very filter away, and unsubscribes. @throws MqttError 'bad-filter' */
  unsubscribe(filter: string, done?: Done): void {
    this.client.unsubscribe(filter, done);
    this.routes = this.routes.filter((it) => it.filter !== filter);
  }

  /**
   * Adds a handler without subscribing: for what comes without being asked for.
   * @returns how to take it away
   * @throws MqttError 'bad-filter' or 'bad-option'
   */
  handle(filter: string, handler: MessageHandler): () => void {
    topicFilter(filter);
    if (typeof handler !== 'function') throw mqttError('bad-option', 'handler must be a function');
    const route = { filter, levels: filter.split('/'), handler };
    this.routes = this.routes.concat([route]);
    return () => {
      this.routes = this.routes.filter((it) => it !== route);
    };
  }

  private deliver(message: ReceivedMessage): void {
    const topic = message.topic.split('/');
    let pending = 1;
    let matched = false;
    let isHeld = false;
    const settle = () => {
      if (--pending === 0) this.client.acknowledge(message);
    };
    for (const { levels, handler } of this.routes) {
      const captured: string[] = [];
      if (!matchLevels(levels, topic, captured)) continue;
      matched = true;
      const result = this.client.guard(() => handler(message, captured));
      if (!isThenable(result)) continue;
      if (!isHeld) this.client.hold(message);
      isHeld = true;
      pending++;
      const failed = (error: unknown) => {
        settle();
        this.client.report(error);
      };
      this.client.guard(() => result.then(settle, failed));
    }
    if (!matched) this.otherwise(message);
    if (isHeld) settle(); // One more than there are handlers, lest they end before all were called.
  }
}
