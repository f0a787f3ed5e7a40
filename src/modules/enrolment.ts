// A device that has to ask for its identity: asks, keeps the answer where it outlives a power cut, and only then has it used.
// Each attempt is a client of its own without reconnect; whatever interrupts it, the next start goes on or begins again.

import type { Adapter, Alarm, Endpoint, Warning } from '../adapters/adapter.ts';
import { type Backoff, type BackoffOptions, delayOf, isFinal } from '../client/backoff.ts';
import { Client } from '../client/client.ts';
import { type ClientOptions, inRange } from '../client/options.ts';
import type { DisconnectedEvent } from '../client/state.ts';
import { asMqttError, type MqttError, mqttError } from '../error.ts';
import type { EnrolmentMethod, Kept } from '../identity/enrolment.ts';
import type { Identity } from '../identity/identity.ts';
import { jsonOf, parseJson } from '../json.ts';
import { checkKey, type KeyValueStore } from '../storage/key-value.ts';
import { getSealed, putSealed } from '../storage/sealed.ts';
import type { Millis } from '../time.ts';

export interface EnrolOptions {
  /** The host's network; TLS, since the answer holds a secret. */
  readonly adapter: Adapter;
  /** Where to ask, tried in turn. */
  readonly endpoints: readonly Endpoint[];
  /** Where the identity is kept. */
  readonly store: KeyValueStore;
  /** Its key in the store, up to 12 small letters, digits and `-`; default `identity`. */
  readonly key?: string | undefined;
  /** How to ask: `register()`, `registerUnlisted()` or `x509()`. */
  readonly method: EnrolmentMethod;
  /** How long the answer may take after CONNACK, in milliseconds, 1 to 3,600,000; default 30,000. */
  readonly answerTimeoutMillis?: Millis | undefined;
  /** Delays between attempts, each of which asks anew, or false: one attempt. A refusal ends it, but for code 3. */
  readonly retry?: Pick<BackoffOptions, 'minMillis' | 'maxMillis'> | false | undefined;
  /** Hears of each attempt that failed, and when the next one begins; without a delay it was the last. */
  readonly attemptFailed?: ((error: MqttError, retryInMillis: Millis | undefined) => void) | undefined;
  /** Hears the warnings of the clients that ask. */
  readonly warning?: ((warning: Warning) => void) | undefined;
  /** Of the clients that ask: time-outs, framing, keep-alive. Plain TCP is not for them, whatever is allowed. */
  readonly client?:
    | Pick<ClientOptions, 'connectTimeoutMillis' | 'framing' | 'keepAliveSeconds' | 'production'>
    | undefined;
}

/** Called once: with the identity that was kept, or with why there is none. */
export type EnrolDone = (error?: MqttError, identity?: Identity) => void;

const HOUR: Millis = 3_600_000;
const KEY = 'identity';

/** No answer is nearly as long; small stores take 4,000 bytes. */
const MAX_ANSWER = 2_048;

const fail = (reason: string, message: string) => mqttError('enrolment-failed', message, { reason });

/** The texts that the method wants, of what was parsed. @throws MqttError 'enrolment-failed' */
function keep({ names, expected }: EnrolmentMethod, answer: unknown): Kept {
  const kept: Record<string, string> = {};
  for (const name of names) {
    const value = (answer as Record<string, unknown> | undefined | null)?.[name];
    if (typeof value !== 'string' || value === '') throw fail('bad-answer', `the platform's answer holds no ${name}`);
    if (expected[name] !== undefined && value !== expected[name]) {
      throw fail('wrong-device', `the platform's answer is for another ${name}`);
    }
    kept[name] = value;
  }
  return kept;
}

/** An identity that has proved able to log in, as far as that can be told here. @throws MqttError 'enrolment-failed' */
function identityOf(method: EnrolmentMethod, kept: Kept): Identity {
  try {
    const identity = method.login(kept);
    identity.credentials({ number: 1, secure: true });
    return identity;
  } catch (thrown) {
    throw fail('bad-answer', `the platform's answer makes no identity: ${asMqttError(thrown).message}`);
  }
}

/**
 * The identity that an earlier enrolment kept, or undefined where there is none, or only half of one, or that of another device.
 * @throws what the store throws
 */
export function storedIdentity(store: KeyValueStore, method: EnrolmentMethod, key = KEY): Identity | undefined {
  const record = getSealed(store, key);
  if (!record) return undefined;
  const stored = parseJson(record, MAX_ANSWER) as { readonly kind?: unknown } | undefined;
  try {
    return stored?.kind === method.kind ? identityOf(method, keep(method, stored)) : undefined;
  } catch {
    return undefined;
  }
}

/** Forgets the identity, for a device that is reset: the next enrol() asks again. @throws what the store throws */
export function forgetIdentity(store: KeyValueStore, key = KEY): void {
  store.remove(key);
}

const Stage = Object.freeze({ Waiting: 0, Asking: 1, Answered: 2, Over: 3 } as const);

class Enrolment {
  private readonly options: EnrolOptions;
  private readonly done: EnrolDone;
  private readonly backoff: Pick<Backoff, 'least' | 'most'>;
  private failures = 0;
  private readonly timer: Alarm;
  private stage: (typeof Stage)[keyof typeof Stage] = Stage.Waiting;
  private client: Client | undefined = undefined;
  private identity: Identity | undefined = undefined;
  /** Why the present attempt is given up, and whether another would end the same way. */
  private failure: MqttError | undefined = undefined;
  private isFinal = false;

  constructor(options: EnrolOptions, done: EnrolDone) {
    this.options = options;
    this.done = done;
    const { maxMillis = 120_000, minMillis = Math.min(2_000, maxMillis) } = options.retry || {};
    const most = inRange('retry.maxMillis', maxMillis, 1, 24 * HOUR);
    const least = inRange('retry.minMillis', minMillis, 1, maxMillis);
    this.backoff = { most, least };
    this.timer = options.adapter.alarm(() => this.ring());
  }

  /** @throws MqttError 'bad-option' */
  ask(): void {
    const { adapter, endpoints, method } = this.options;
    const client = new Client({
      ...this.options.client,
      adapter,
      // One endpoint for each attempt: the client itself must not dial again.
      endpoints: endpoints.length > 0 ? [endpoints[this.failures % endpoints.length]!] : [],
      identity: method.asker(() => adapter.random()),
      cleanSession: true,
      reconnect: false,
      allowPlaintext: false,
    });
    client.on('connected', () => this.timer.set(this.options.answerTimeoutMillis ?? 30_000));
    client.on('message', ({ topic, payload }) => topic === method.topic && this.answered(payload));
    client.on('disconnected', (event) => this.ended(event));
    if (this.options.warning) client.on('warning', this.options.warning);
    this.client = client;
    this.stage = Stage.Asking;
    client.connect();
  }

  stop(): void {
    this.stage = Stage.Over;
    this.timer.clear();
    this.client?.abort();
  }

  private answered(payload: Uint8Array): void {
    if (this.stage !== Stage.Asking) return; // It may come twice.
    const { method, store, key = KEY } = this.options;
    try {
      const kept = keep(method, parseJson(payload, MAX_ANSWER));
      const identity = identityOf(method, kept);
      const record = jsonOf({ ...kept, kind: method.kind });
      if (!record) throw fail('bad-answer', "the platform's answer holds a lone surrogate");
      putSealed(store, key, record);
      this.identity = identity; // Kept before it is used.
      this.stage = Stage.Answered;
      this.timer.set(0); // The acknowledgement of the answer goes first.
    } catch (thrown) {
      this.isFinal = true;
      this.giveUp(asMqttError(thrown));
    }
  }

  private ring(): void {
    const { client } = this;
    switch (this.stage) {
      case Stage.Waiting:
        try {
          return this.ask();
        } catch (thrown) {
          return this.finish(asMqttError(thrown));
        }
      case Stage.Asking:
        return this.giveUp(mqttError('timeout', 'the platform accepted the login, and sent no identity in time'));
      case Stage.Answered:
        return client?.close(() => this.finish(undefined));
    }
  }

  /** Drops the connection without an acknowledgement: the platform may send the answer again. */
  private giveUp(error: MqttError): void {
    this.failure = error;
    this.client?.abort();
  }

  private ended({ error: lost }: DisconnectedEvent): void {
    if (this.stage === Stage.Answered && !this.failure) this.finish(undefined); // Whoever closed first: it is kept.
    if (this.stage !== Stage.Asking) return;
    const error = this.failure ?? lost;
    this.failure = undefined;
    if (!error) return;
    const { adapter, retry } = this.options;
    this.failures++;
    // A refusal will be repeated, but for a server that is not available: the product's secret, or a device that is active.
    const stops = retry === false || this.isFinal || isFinal(error.code) || (error.returnCode ?? 3) !== 3;
    const retryInMillis = stops ? undefined : delayOf(this.backoff, this.failures, false, adapter.random());
    const told = error.returnCode === undefined ? error : refusal(error, error.returnCode);
    this.client?.guard(() => this.options.attemptFailed?.(told, retryInMillis));
    if (this.stage !== Stage.Asking) return; // Who heard of it may have stopped it.
    if (retryInMillis === undefined) return this.finish(told);
    this.stage = Stage.Waiting;
    this.timer.set(retryInMillis);
  }

  private finish(error: MqttError | undefined): void {
    if (this.stage === Stage.Over) return;
    this.stage = Stage.Over;
    this.timer.clear();
    this.client?.guard(() => this.done(error, this.identity));
  }
}

const refusal = (cause: MqttError, returnCode: number): MqttError =>
  mqttError('enrolment-failed', `the platform refused to tell this device its identity: ${cause.message}`, {
    reason: 'refused',
    returnCode,
    cause,
  });

/**
 * Finds the identity of this device in the store, or asks the platform for it and keeps the answer. `done` may be called before
 * this returns. When it is, no connection is left open.
 * @returns how to stop; `done` is not called then
 * @throws MqttError 'bad-option', or what the store throws
 * @example
 * enrol({ adapter, endpoints, store: nodeKeyValueStore('identity'), method: register(product) }, (error, identity) => {
 *   if (identity) new Client({ adapter, endpoints, identity }).connect();
 * });
 */
export function enrol(options: EnrolOptions, done: EnrolDone): () => void {
  if (typeof options !== 'object' || options === null) throw mqttError('bad-option', 'enrol() needs options');
  for (const name of ['get', 'put', 'remove'] as const) {
    if (typeof options.store?.[name] !== 'function') throw mqttError('bad-option', `store.${name} must be a function`);
  }
  checkKey(options.key ?? KEY);
  for (const name of ['attemptFailed', 'warning'] as const) {
    if (typeof (options[name] ?? done) !== 'function') throw mqttError('bad-option', `${name} must be a function`);
  }
  if (typeof options.method?.asker !== 'function')
    throw mqttError('bad-option', 'method must be register(), or another');
  if (typeof done !== 'function') throw mqttError('bad-option', 'done must be a function');
  inRange('answerTimeoutMillis', options.answerTimeoutMillis ?? 1, 1, HOUR);
  const identity = storedIdentity(options.store, options.method, options.key);
  if (identity) {
    done(undefined, identity);
    return () => {};
  }
  const enrolment = new Enrolment(options, done);
  enrolment.ask();
  return () => enrolment.stop();
}
