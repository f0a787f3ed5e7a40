// Time over MQTT, from platforms that give it: the device says when it asked, the platform when it heard and answered.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';
import { type MqttError, mqttError } from '../error.ts';
import { text } from '../identity/check.ts';
import { jsonOf, parseJson } from '../json.ts';
import type { ReceivedMessage } from '../protocol/session.ts';
import type { Millis } from '../time.ts';
import type { DeviceClock } from './device-clock.ts';

/** When a platform heard and answered, and what it was asked with, all in milliseconds since 1970. */
interface Stamps {
  readonly asked: number;
  readonly heard: number;
  readonly answered: number;
}

/** Where a platform gives the time, and how it speaks of it. */
export interface TimeService {
  readonly request: string;
  readonly response: string;
  /** Whether the answer comes only to those who have subscribed to it. */
  readonly subscribes: boolean;
  question(now: number): unknown;
  stamps(answer: Readonly<Record<string, unknown>>): Stamps;
}

const number = (value: unknown): number =>
  typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;

/** What a name that stands in a topic must not hold. */
const IN_TOPIC = /[/+#]/;

/** Of Alibaba Cloud IoT Platform, and of the Tuya platform on Alibaba Cloud. @throws MqttError 'bad-option' */
export function alibabaTime(device: { readonly productKey: string; readonly deviceName: string }): TimeService {
  const own = `${text('productKey', device.productKey, IN_TOPIC)}/${text('deviceName', device.deviceName, IN_TOPIC)}`;
  return {
    request: `/ext/ntp/${own}/request`,
    response: `/ext/ntp/${own}/response`,
    subscribes: true,
    question: (now) => ({ deviceSendTime: String(now) }),
    stamps: ({ deviceSendTime, serverRecvTime, serverSendTime }) => ({
      asked: number(deviceSendTime),
      heard: number(serverRecvTime),
      answered: number(serverSendTime),
    }),
  };
}

/** Of Tuya's own cloud. The answer comes by the channel that is open already. @throws MqttError 'bad-option' */
export function tuyaLinkTime(deviceId: string): TimeService {
  const own = text('deviceId', deviceId, IN_TOPIC);
  return {
    request: `tylink/${own}/ext/time/request`,
    response: `tylink/${own}/ext/time/response`,
    subscribes: false,
    question: (now) => ({ msgId: String(now), time: now, data: { bizType: 'NTP', dst: now } }),
    stamps: ({ data }) => {
      const { dst, srt, sst } = (data ?? {}) as Readonly<Record<string, unknown>>;
      return { asked: number(dst), heard: number(srt), answered: number(sst) };
    },
  };
}

export interface AskTimeOptions {
  /** How long the answer may take, in milliseconds, 1 to 3,600,000; default 10,000. */
  readonly timeoutMillis?: Millis | undefined;
}

const HOUR: Millis = 3_600_000;
const MAX_ANSWER = 1_024;

/**
 * Asks a platform for the time, over a client that is connected. The journey there is taken to be as long as the journey back.
 * @param done called once: with milliseconds since 1970, or with 'timeout' or 'closed'
 * @throws MqttError 'bad-option', or as publish() does
 */
export function askTime(
  client: Client,
  service: TimeService,
  clock: DeviceClock,
  done: (error?: MqttError, millis?: number) => void,
  options: AskTimeOptions = {},
): void {
  const timeout = inRange('timeoutMillis', options.timeoutMillis ?? 10_000, 1, HOUR);
  const asked = clock.now();
  const end = (error: MqttError | undefined, millis?: number) => {
    timer.clear();
    client.off('message', heard);
    client.off('disconnected', lost);
    client.guard(() => done(error, millis));
  };
  const timer = client.alarm(() => end(mqttError('timeout', 'the platform did not tell the time')));
  const heard = ({ topic, payload }: ReceivedMessage) => {
    if (topic !== service.response) return;
    const answer = parseJson(payload, MAX_ANSWER) as Readonly<Record<string, unknown>> | undefined | null;
    const stamps = service.stamps(answer ?? {});
    const millis = (stamps.heard + stamps.answered + clock.now() - asked) / 2;
    // An answer to somebody else's question, or to one that was given up, says nothing.
    if (stamps.asked === asked && millis >= 0 && millis < Number.MAX_SAFE_INTEGER) end(undefined, Math.round(millis));
  };
  const lost = () => end(mqttError('closed', 'the connection was lost'));
  if (service.subscribes && !client.wishes.isWanted(service.response)) client.subscribe(service.response);
  client.publish(service.request, jsonOf(service.question(asked))!);
  client.on('message', heard);
  client.on('disconnected', lost);
  timer.set(timeout);
}

export interface KeepTimeOptions extends AskTimeOptions {
  /** Hears by how much the clock was off before it was set, in milliseconds: negative where it was behind. */
  readonly wasOff?: ((millis: Millis) => void) | undefined;
}

/** A clock that is off by less is left alone: the journey of a message is not known better. */
const NEAR: Millis = 1_000;

/** Asks for the time with every connection, and sets the clock by it. @throws MqttError 'bad-option' */
export function keepTime(
  client: Client,
  service: TimeService,
  clock: DeviceClock,
  options: KeepTimeOptions = {},
): void {
  inRange('timeoutMillis', options.timeoutMillis ?? 1, 1, HOUR);
  if (typeof (options.wasOff ?? keepTime) !== 'function') throw mqttError('bad-option', 'wasOff must be a function');
  if (service.subscribes) client.subscribe(service.response);
  client.on('connected', () =>
    askTime(
      client,
      service,
      clock,
      (_, millis) => {
        if (millis === undefined) return;
        const skew = clock.now() - millis;
        if (Math.abs(skew) < NEAR) return;
        clock.set(millis);
        options.wasOff?.(skew);
      },
      options,
    ),
  );
}
