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

/** @throws MqttError 'bad-filter' or 'bad-option' */
function makeRoute(filter: string, handler: MessageHandler): Route {
  topicFilter(filter);
  if (typeof handler !== 'function') throw mqttError('bad-option', 'handler must be a function');
  return { filter, levels: filter.split('/'), handler };
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
   * @throws MqttError 'bad-filter', 'bad-packet' or 'bad-option': then nothing has changed
   */
  subscribe(filter: string, options: SubscribeOptions, handler: MessageHandler, done?: SubscribeDone): void {
    const route = makeRoute(filter, handler);
    this.client.subscribe(filter, options, done);
    this.routes = this.routes.concat([route]);
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
    const route = makeRoute(filter, handler);
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
      let isPending = true; // Not every thenable keeps to calling one of the two, once.
      const end = () => {
        if (isPending) settle();
        isPending = false;
      };
      const failed = (error: unknown) => {
        end();
        this.client.report(error);
      };
      try {
        result.then(end, failed);
      } catch (thrown) {
        failed(thrown);
      }
    }
    if (!matched) this.otherwise(message);
    if (isHeld) settle(); // One more than there are handlers, lest they end before all were called.
  }
}
