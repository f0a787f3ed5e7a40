// Promises, AbortSignal and asynchronous iteration over a client, for hosts that have them. A layer: the client beneath stays
// usable as it is.

import type { Client, PublishOptions, SubscribeOptions } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import type { ConnectedEvent, DisconnectedEvent } from '../client/state.ts';
import { type MqttError, mqttError } from '../error.ts';
import type { QoS } from '../framing/packet.ts';
import type { ReceivedMessage } from '../protocol/session.ts';
import { MAX_AHEAD, type Millis } from '../time.ts';
import { Router } from './router.ts';

export interface Cancellable {
  /** Rejects with 'cancelled' when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Rejects with 'timeout' after so many milliseconds on the client's clock, 1 to 2^30; default: never. */
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
  giveUp?: (reason: string) => unknown,
  why?: () => unknown,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (timeoutMillis !== undefined) inRange('timeoutMillis', timeoutMillis, 1, MAX_AHEAD);
    if (signal?.aborted) return reject(mqttError('cancelled', 'cancelled before it began', { cause: signal.reason }));
    const timer = client.alarm(() => end('timeout', why?.(), `not done within ${timeoutMillis} ms`));
    const abort = () => end('cancelled', signal?.reason, 'cancelled by its signal');
    const cleanUp = () => {
      timer.clear();
      signal?.removeEventListener('abort', abort);
    };
    const end = (code: 'timeout' | 'cancelled', cause: unknown, message: string) => {
      fail(mqttError(code, message, { cause }));
      giveUp?.(code);
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
  /** Those that have not ended. */
  private streams: readonly MessageStream[] = [];

  constructor(client: Client) {
    this.client = client;
    this.router = new Router(client);
  }

  /**
   * Resolves at the first connection, at once where there is one. Dials that will be tried again do not end it: only a
   * time-out, a signal, or the end of trying does; how the last dial failed is then the cause. What this call has begun is
   * closed when it is given up.
   */
  connect(options: Cancellable = {}): Promise<ConnectedEvent> {
    const { client } = this;
    if (client.connected) return Promise.resolve(client.connected);
    const { state } = client.stats();
    let isClosing = state === 'closing';
    let lastError: MqttError | undefined;
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
          lastError = error;
          if (retryInMillis !== undefined) return;
          if (isClosing && !error) {
            isClosing = false; // The end of what was before. Whether anything follows shows once all have heard of it.
            Promise.resolve().then(() => client.stats().state === 'idle' && end());
          } else {
            end(error);
          }
        };
        const end = (error: MqttError = mqttError('closed', 'the client was closed')) => {
          forget();
          reject(error);
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
        if (state === 'idle' || state === 'closing') client.close();
      },
      () => lastError,
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

  /**
   * Resolves with the granted QoS, which may be lower than the one asked for. Given up, a filter that was not wanted before
   * is unsubscribed.
   */
  subscribe(filter: string, options: SubscribeOptions & Cancellable = {}): Promise<QoS> {
    const wasWanted = this.client.wishes.isWanted(filter);
    return settleable<QoS>(
      this.client,
      options,
      (resolve, reject) => this.client.subscribe(filter, options, settler(resolve, reject)),
      () => wasWanted || this.client.unsubscribe(filter),
    );
  }

  unsubscribe(filter: string, options: Cancellable = {}): Promise<void> {
    return settleable<void>(this.client, options, (resolve, reject) =>
      this.client.unsubscribe(filter, settler(resolve, reject)),
    );
  }

  /** Resolves when everything is closed, iterations included. Never rejects. */
  close(): Promise<void> {
    const { streams } = this;
    return new Promise((resolve) =>
      this.client.close(() => {
        for (const it of streams) it.end(undefined); // Where the client was idle it has told them nothing.
        resolve();
      }),
    );
  }

  /**
   * Subscribes, and iterates over what comes. A message of QoS 1 or 2 is acknowledged when the next one is asked for, so what
   * the loop does not keep up with stays with the server: reading stops at `maxHeld`. QoS 0 cannot be held back: beyond
   * `maxBuffered` the oldest is dropped, and counted. Leaving the loop acknowledges what has come, and unsubscribes with the
   * last loop over the filter. The iteration ends when its signal fires or the client is closed, after what has come by then;
   * it throws where the server refuses the filter.
   * @throws MqttError 'bad-filter', 'bad-packet' or 'bad-option'
   */
  messages(filter: string, options: MessagesOptions = {}): MessageStream {
    const others = () => this.streams.filter((it) => it !== stream && it.filter === filter);
    const stream: MessageStream = new MessageStream(this.client, this.router, filter, options, (error) => {
      const left = others();
      this.streams = this.streams.filter((it) => it !== stream);
      if (left.length === 0) this.client.unsubscribe(filter);
      // The server answers for the filter: to the last who has asked.
      if (error?.code === 'subscription-refused') for (const it of left) it.end(error);
    });
    this.streams = this.streams.concat([stream]);
    if (options.signal?.aborted) void stream.return();
    return stream;
  }
}

export interface MessagesOptions extends SubscribeOptions {
  /** Ends the iteration when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Messages that may wait for the loop, 1 to 1,000,000; default 1,000. */
  readonly maxBuffered?: number | undefined;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<RoutedMessage, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

interface Buffered {
  readonly message: RoutedMessage;
  readonly acknowledge: () => void;
  /** It came on a connection or in a session that is gone: it will come again, or never counted. */
  isStale: boolean;
}

const END: IteratorResult<RoutedMessage, undefined> = Object.freeze({ done: true, value: undefined });

/** The messages of one filter, for one loop. */
export class MessageStream implements AsyncIterableIterator<RoutedMessage> {
  /** Messages of QoS 0, or of lost connections, that were dropped because the loop did not keep up. */
  dropped = 0;
  /** @internal */
  readonly filter: string;
  private readonly leave: (error: MqttError | undefined) => void;
  private readonly stop: () => void;
  private readonly maxBuffered: number;
  private waiting: Buffered[] = [];
  private waiters: Waiter[] = [];
  private acknowledge: () => void = () => {};
  private ended = false;
  private error: MqttError | undefined = undefined;

  /** Made by {@link PromiseClient.messages}. @param leave called once, when it has ended */
  constructor(client: Client, router: Router, filter: string, options: MessagesOptions, leave: MessageStream['leave']) {
    this.filter = filter;
    this.leave = leave;
    this.maxBuffered = inRange('maxBuffered', options.maxBuffered ?? 1_000, 1, 1_000_000);
    const { signal } = options;
    client.subscribe(filter, options, (error) => {
      if (error?.code === 'subscription-refused') this.end(error);
    });
    const stopHandling = router.handle(
      filter,
      (message, captured): PromiseLike<void> =>
        new Promise((acknowledge) => this.take({ ...message, captured }, acknowledge)),
    );
    const abort = () => void this.return();
    const connected = ({ sessionPresent }: ConnectedEvent) => {
      if (!sessionPresent) for (const it of this.waiting) it.isStale = true;
    };
    const disconnected = ({ error, retryInMillis }: DisconnectedEvent) => {
      // What has come of QoS 2 will not come again, as long as there is the session.
      for (const it of this.waiting) if (it.message.qos < 2) it.isStale = true;
      if (retryInMillis === undefined) this.end(error);
    };
    client.on('connected', connected);
    client.on('disconnected', disconnected);
    this.stop = () => {
      stopHandling();
      client.off('connected', connected);
      client.off('disconnected', disconnected);
      signal?.removeEventListener('abort', abort);
    };
    signal?.addEventListener('abort', abort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<RoutedMessage, undefined>> {
    this.moveOn(() => {});
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

  /** Ends the iteration. What has come and was not looked at is acknowledged: it was delivered here. */
  return(): Promise<IteratorResult<RoutedMessage, undefined>> {
    this.end(undefined);
    this.error = undefined;
    this.moveOn(() => {});
    for (const { acknowledge } of this.waiting) acknowledge();
    this.waiting = [];
    return Promise.resolve(END);
  }

  /** The loop is done with the message before. */
  private moveOn(next: () => void): void {
    const { acknowledge } = this;
    this.acknowledge = next;
    acknowledge();
  }

  private take(message: RoutedMessage, acknowledge: () => void): void {
    const waiter = this.waiters.shift();
    if (waiter) {
      this.moveOn(acknowledge);
      return waiter.resolve({ done: false, value: message });
    }
    this.waiting.push({ message, acknowledge, isStale: false });
    if (this.waiting.length <= this.maxBuffered) return;
    // Those that the server still owes an acknowledgement for are bounded by maxHeld.
    const [gone] = this.waiting.filter((it) => it.isStale || it.message.qos === 0);
    if (!gone) return;
    this.waiting = this.waiting.filter((it) => it !== gone);
    gone.acknowledge();
    this.dropped++;
  }

  /** @internal Nothing more will come. What has come is still handed out, then the error, once. */
  end(error: MqttError | undefined): void {
    if (this.ended) return;
    this.ended = true;
    this.stop();
    this.leave(error);
    const [first, ...others] = this.waiters;
    this.waiters = [];
    if (first && error) first.reject(error);
    else this.error = error;
    if (first && !error) first.resolve(END);
    for (const { resolve } of others) resolve(END);
  }
}
