// What the tests of this folder share: a client with a connection, a bare machine that is fed bytes, servers with sessions.

import assert from 'node:assert/strict';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import {
  type ClientOptions,
  exactlyOnce,
  type Filter,
  type Message,
  type MqttError,
  mqttPacketFraming,
  type ReceivedMessage,
  type Subscription,
  type Unsubscription,
} from '../../src/index.ts';
import type { MemoryAdapterOptions, VirtualTime } from '../../src/memory.ts';
import type { Action } from '../../src/protocol/action.ts';
import { Connection } from '../../src/protocol/connection.ts';
import type { ConnectFields, ConnectionOptions } from '../../src/protocol/connection-options.ts';
import { bytewise, hex, unhex } from '../framing/bytes.ts';
import { politely, type ServerConnection } from '../support/scripted-server.ts';
import { type World, world } from '../support/world.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

// A client and a server.

type Respond = (packet: Packet, connection: ServerConnection) => void;

const silently: Respond = () => {};

/** Accepts CONNECT, with or without a session; then does as `next` does. */
export const accepting =
  (sessionPresent: boolean, next: Respond = silently): Respond =>
  (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 0, sessionPresent });
    else next(packet, connection);
  };

/** A server that refuses every CONNECT. */
export const refusing =
  (returnCode: number): Respond =>
  (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode, sessionPresent: false });
  };

/** A client of all qualities of service, connected. */
export function online(
  options: Partial<ClientOptions> = {},
  respond: Respond = politely,
  network: Partial<MemoryAdapterOptions> = {},
  time?: VirtualTime,
): World {
  const it = world({ delivery: exactlyOnce, ...options }, network, time);
  it.server.respond = respond;
  it.connect();
  return it;
}

/** A PUBLISH of the server. */
export const publish = (fields: Partial<IPublishPacket> = {}): IPublishPacket => ({
  ...{ cmd: 'publish', topic: 't', payload: 'x', qos: 0, dup: false, retain: false },
  ...fields,
});

/** The client gets packets, or bytes as they are, on its newest connection. */
export function receive(it: World, ...packets: (Packet | Uint8Array)[]): void {
  for (const packet of packets) it.server.current.send(packet);
  it.settle();
}

/** The link drops, and the client finds the server again, with or without its session. */
export function reconnect(it: World, sessionPresent: boolean, next?: Respond): void {
  it.server.respond = accepting(sessionPresent, next);
  it.server.current.peer.close();
  it.time.advance(MINUTE);
}

/** What the client has sent on its newest connection, CONNECT left out: `publish 1 dup`, `pubrel 2`. */
export const sent = (it: World): string[] =>
  it.server.current.received.slice(1).map((packet) => {
    const { cmd, messageId = '' } = packet;
    return `${cmd} ${messageId}${cmd === 'publish' && packet.dup ? ' dup' : ''}`.trim();
  });

/** How connections and attempts ended: `refused`, `unexpected-packet MQTT-3.2.0-1`. */
export const ends = (it: World): string[] => it.disconnects.map(({ code, error }) => naming(code, error?.clause));

const naming = (...words: (string | undefined)[]): string => words.filter(Boolean).join(' ');

/** Code and clause of what a call throws. */
export function faultOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return naming((error as MqttError).code, (error as MqttError).clause);
  }
  return 'none';
}

export const message = (fields: Partial<Message> = {}): Message => ({
  ...{ topic: 't', payload: new Uint8Array(), qos: 1, retain: false },
  ...fields,
});

// The machine alone.

export interface Bench {
  readonly connection: Connection;
  readonly messages: ReceivedMessage[];
  /** What the machine wants done: packets in hexadecimal digits, everything else in words. */
  drain(): string[];
  /** Hands the machine bytes in hexadecimal digits, and drains it. */
  feed(digits: string): string[];
  /** Publishes to `t` at QoS 1 unless told otherwise, and drains. */
  publish(fields?: Partial<Message>): string[];
  subscribe(filter: string): string[];
  unsubscribe(filter: string): string[];
}

const CONNECT: ConnectFields = { clientId: 'c', cleanSession: false, keepAliveSeconds: 0 };

function inWords(action: Action): string {
  switch (action.kind) {
    case 'transmit':
      return hex(action.bytes);
    case 'close':
      return naming('close', action.error?.code, action.error?.clause);
    case 'settled':
      return naming('settled', action.error?.code, action.granted?.join());
    case 'message':
      return `message ${action.message.topic}`;
    default:
      return action.kind;
  }
}

/** A machine without a network connection. */
export function bench(options: Partial<ConnectionOptions> = {}): Bench {
  const connection = new Connection({ framing: mqttPacketFraming(), delivery: exactlyOnce, ...options });
  const messages: ReceivedMessage[] = [];
  const drain = () => {
    const words: string[] = [];
    for (let action = connection.poll(); action; action = connection.poll()) {
      if (action.kind === 'message') messages.push(action.message);
      words.push(inWords(action));
    }
    return words;
  };
  const feed = (digits: string) => {
    connection.input(unhex(digits), 0);
    return drain();
  };
  const publish = (fields?: Partial<Message>) => {
    connection.publish(message(fields), 0);
    return drain();
  };
  const request = (filters: readonly string[] | readonly Filter[]) => {
    connection.request({ filters } as Subscription | Unsubscription, 0);
    return drain();
  };
  const subscribe = (filter: string) => request([{ filter, qos: 0 }]);
  const unsubscribe = (filter: string) => request([filter]);
  return { connection, messages, drain, feed, publish, subscribe, unsubscribe };
}

/** A machine that the server has accepted. */
export function connected(options?: Partial<ConnectionOptions>): Bench {
  const it = bench(options);
  it.connection.opened(CONNECT, 0);
  it.drain();
  assert.deepEqual(it.feed('20020000'), ['connected']);
  return it;
}

/** The bytes of a CONNECT. */
export function connectBytes(fields: Partial<ConnectFields> = {}): string {
  const it = bench();
  it.connection.opened({ ...CONNECT, ...fields }, 0);
  return it.drain().join();
}

/** Why a CONNECT is refused; nothing of it is sent. */
export function faultInConnect(fields: Partial<ConnectFields>): string {
  const it = bench();
  const fault = faultOf(() => it.connection.opened({ ...CONNECT, ...fields }, 0));
  if (fault !== 'none') assert.deepEqual(it.drain(), []);
  return fault;
}

/** The bytes close the connection, whole or one by one, and neither they nor what follows has any other effect. */
export function assertRefused(digits: string, fault: string): void {
  const publishAfter = '3003000161';
  assert.deepEqual(connected().feed(digits + publishAfter), [`close ${fault}`], digits);
  const slow = connected();
  const words = bytewise(unhex(digits + publishAfter)).flatMap((byte) => slow.feed(hex(byte)));
  assert.deepEqual(words, [`close ${fault}`], `${digits}, byte by byte`);
}
