// Promises, AbortSignal and asynchronous iteration over a client, for hosts that have them. A layer: the client beneath stays
// usable as it is.

import type { Client, ConnectedEvent, PublishOptions, SubscribeOptions } from '../client/client.ts';
import type { DisconnectedEvent } from '../client/state.ts';
import { type MqttError, mqttError } from '../error.ts';
import type { QoS } from '../framing/packet.ts';
import type { ReceivedMessage } from '../protocol/session.ts';
import type { Millis } from '../time.ts';
import { Router } from './router.ts';

export interface Cancellable {
  /** Rejects with 'cancelled' when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Rejects with 'timeout' after so many milliseconds on the client's clock, 1 to 2^31 - 1; default: never. */
  readonly timeoutMillis?: Millis | undefined;
}

/** A message, and what the wildcards of the filter stood for. */
export interface RoutedMessage extends ReceivedMessage {
  readonly captured: readonly string[];
}

type Fail = (error: MqttError) => void;

/** An operation as a promise that ends early on a signal or a time-out, and always takes its listeners away. */
function settleable<T>(
  client: Client,
  { signal, timeoutMillis }: Cancellable,
  begin: (resolve: (value: T) => void, reject: Fail) => void,
  giveUp: (reason: string) => void = () => {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) return reject(mqttError('cancelled', 'cancelled before it began', { cause: signal.reason }));
    const timer = client.alarm(() => end('timeout', `not done within ${timeoutMillis} ms`));
    const abort = () => end('cancelled', 'cancelled by its signal', signal?.reason);
    const cleanUp = () => {
      timer.clear();
      signal?.removeEventListener('abort', abort);
    };
    const end = (code: 'timeout' | 'cancelled', message: string, cause?: unknown) => {
      fail(mqttError(code, message, { cause }));
      giveUp(code);
    };
    const fail: Fail = (error) => {
      cleanUp();
      reject(error);
    };
    const succeed = (value: T) => {
      cleanUp();
      resolve(value);
    };
    signal?.addEventListener('abort', abort);
    if (timeoutMillis !== undefined) timer.set(timeoutMillis);
    try {
      begin(succeed, fail);
    } catch (error) {
      fail(error as MqttError);
    }
  });
}

/** Resolves where there is no error, else rejects with it. */
const settler =
  <T>(resolve: (value: T) => void, reject: Fail) =>
  (error?: MqttError, value?: T): void => {
    if (error) reject(error);
    else resolve(value as T);
  };

/**
 * @example
 * const device = new PromiseClient(client);
 * await device.connect({ timeoutMillis: 30_000 });
 * await device.publish('/pk/device/user/update', 'on', { qos: 1, signal });
 * for await (const { payload } of device.messages('/pk/device/user/get', { qos: 1 })) await handle(payload);
 */
export class PromiseClient {
  readonly client: Client;
  private readonly router: Router;

  constructor(client: Client) {
    this.client = client;
    this.router = new Router(client);
  }

  /**
   * Resolves at the first connection. Dials that will be tried again do not end it: only a time-out, a signal, or the end of
   * trying does. The client is closed when it is given up.
   */
  connect(options: Cancellable = {}): Promise<ConnectedEvent> {
    const { client } = this;
    let forget = () => {};
    return settleable<ConnectedEvent>(
      client,
      options,
      (resolve, reject) => {
        const connected = (event: ConnectedEvent) => {
          forget();
          resolve(event);
        };
        const disconnected = ({ error, retryInMillis }: DisconnectedEvent) => {
          if (retryInMillis !== undefined) return;
          forget();
          reject(error ?? mqttError('closed', 'the client was closed'));
        };
        forget = () => {
          client.off('connected', connected);
          client.off('disconnected', disconnected);
        };
        client.on('connected', connected);
        client.on('disconnected', disconnected);
        client.connect();
      },
      () => {
        forget();
        client.close();
      },
    );
  }

  /**
   * Resolves as publish() of the client is done. Given up, the message is taken back where it still waits.
   * Rejects with the errors of the client's publish(), 'closed', 'dropped', 'cancelled' or 'timeout'.
   */
  publish(topic: string, payload: Uint8Array | string, options: PublishOptions & Cancellable = {}): Promise<void> {
    let takeBack: (reason: string) => void = () => {};
    return settleable<void>(
      this.client,
      options,
      (resolve, reject) => {
        const operation = this.client.publish(topic, payload, options, settler(resolve, reject));
        takeBack = (reason) => this.client.cancel(operation, reason);
      },
      (reason) => takeBack(reason),
    );
  }

  /** Resolves with the granted QoS, which may be lower than the one asked for. Given up, the filter is unsubscribed. */
  subscribe(filter: string, options: SubscribeOptions & Cancellable = {}): Promise<QoS> {
    return settleable<QoS>(
      this.client,
      options,
      (resolve, reject) => this.client.subscribe(filter, options, settler(resolve, reject)),
      () => this.client.unsubscribe(filter),
    );
  }

  unsubscribe(filter: string, options: Cancellable = {}): Promise<void> {
    return settleable<void>(this.client, options, (resolve, reject) =>
      this.client.unsubscribe(filter, settler(resolve, reject)),
    );
  }

  /** Resolves when everything is closed. Never rejects. */
  close(): Promise<void> {
    return new Promise((resolve) => this.client.close(() => resolve()));
  }

  /**
   * Subscribes, and iterates over what comes. A message is acknowledged when the next one is asked for, so what the loop
   * does not keep up with stays with the server: reading stops at `maxHeld`. Leaving the loop unsubscribes.
   * The iteration ends when its signal fires or the client is closed; it throws 'subscription-refused' where the server refuses the filter.
   */
  messages(filter: string, options: SubscribeOptions & Cancellable = {}): AsyncIterableIterator<RoutedMessage> {
    return new MessageStream(this.client, this.router, filter, options);
  }
}

interface Waiter {
  readonly resolve: (result: IteratorResult<RoutedMessage, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const END: IteratorResult<RoutedMessage, undefined> = Object.freeze({ done: true, value: undefined });

class MessageStream implements AsyncIterableIterator<RoutedMessage> {
  private readonly router: Router;
  private readonly filter: string;
  private readonly stop: () => void;
  private waiting: { message: RoutedMessage; acknowledge: () => void }[] = [];
  private waiters: Waiter[] = [];
  private acknowledge: () => void = () => {};
  private ended = false;
  private error: MqttError | undefined = undefined;

  constructor(client: Client, router: Router, filter: string, options: SubscribeOptions & Cancellable) {
    this.router = router;
    this.filter = filter;
    const { signal } = options;
    const handle = (message: ReceivedMessage, captured: readonly string[]): PromiseLike<void> =>
      new Promise((acknowledge) => this.take({ ...message, captured }, acknowledge));
    const stopHandling = router.handle(filter, handle);
    const abort = () => void this.return();
    const disconnected = ({ error, retryInMillis }: DisconnectedEvent) => {
      if (retryInMillis !== undefined) return;
      if (error) this.fail(error);
      else this.end();
    };
    client.on('disconnected', disconnected);
    this.stop = () => {
      stopHandling();
      client.off('disconnected', disconnected);
      signal?.removeEventListener('abort', abort);
    };
    client.subscribe(filter, options, (error) => {
      if (error?.code === 'subscription-refused') this.fail(error);
    });
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RoutedMessage, undefined>> {
    this.acknowledge();
    this.acknowledge = () => {};
    const next = this.waiting.shift();
    if (next) {
      this.acknowledge = next.acknowledge;
      return Promise.resolve({ done: false, value: next.message });
    }
    const { error } = this;
    this.error = undefined;
    if (error) return Promise.reject(error);
    if (this.ended) return Promise.resolve(END);
    return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
  }

  /** Ends the iteration and unsubscribes. What has come and was not looked at is acknowledged: it was delivered here. */
  return(): Promise<IteratorResult<RoutedMessage, undefined>> {
    if (!this.ended) {
      this.end();
      this.router.unsubscribe(this.filter);
    }
    return Promise.resolve(END);
  }

  private take(message: RoutedMessage, acknowledge: () => void): void {
    const waiter = this.waiters.shift();
    if (!waiter) {
      this.waiting.push({ message, acknowledge });
      return;
    }
    this.acknowledge = acknowledge;
    waiter.resolve({ done: false, value: message });
  }

  /** The subscription has failed: the loop hears of it once, wherever it stands. */
  private fail(error: MqttError): void {
    if (this.ended) return;
    const first = this.waiters.shift();
    if (first) first.reject(error);
    else this.error = error;
    this.end();
  }

  private end(): void {
    this.ended = true;
    this.stop();
    this.acknowledge();
    for (const { acknowledge } of this.waiting) acknowledge();
    this.waiting = [];
    for (const { resolve } of this.waiters) resolve(END);
    this.waiters = [];
  }
}
