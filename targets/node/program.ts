// What the three programs have in common: one conversation with the platform, and an end that people and scripts understand.

import { setTimeout as delay } from 'node:timers/promises';
import { explain } from '../../src/explain.ts';
import type { Client, Done, Endpoint, MqttError, ReceivedMessage } from '../../src/index.ts';
import { readSettings, type Settings } from './settings.ts';

const say = (what: string, text: string): void => console.log(`${what.padEnd(12)}${text}`);

const nameOf = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** In quotes, on one line, harmless to a terminal. */
const quote = (payload: Uint8Array): string => JSON.stringify(new TextDecoder().decode(payload));

/** Calls `start`, and waits for the server's answer. */
function answer(packet: string, millis: number, start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = `no ${packet} within ${millis / 1_000} s: try again, or with a longer --timeout`;
    const timer = setTimeout(() => reject(new Error(late)), millis);
    start((error) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve();
    });
  });
}

async function converse(client: Client, { productKey, deviceName, timeoutMillis }: Settings): Promise<void> {
  const update = `/${productKey}/${deviceName}/user/update`;
  const get = `/${productKey}/${deviceName}/user/get`;
  const payload = new TextEncoder().encode(`hello from ${deviceName}`);
  const message = new Promise<ReceivedMessage>((resolve) => client.on('message', resolve));

  await answer('SUBACK', timeoutMillis, (done) => client.subscribe(get, { qos: 1 }, done));
  say('subscribed', `${get}, QoS 1`);
  await answer('PUBACK', timeoutMillis, (done) => client.publish(update, payload, { qos: 1 }, done));
  say('published', `${update}, QoS 1: ${quote(payload)}`);

  const received = await Promise.race([message, delay(timeoutMillis, undefined, { ref: false })]);
  if (received) say('received', `${received.topic}, QoS ${received.qos}: ${quote(received.payload)}`);
  else say('nothing', `came within ${timeoutMillis / 1_000} s: publish to ${get} from the console of the platform`);
}

/**
 * Connects, subscribes, publishes, waits for a message and closes.
 * @throws MqttError what ended the connection, or which step the server refused
 */
export async function talk(client: Client, settings: Settings): Promise<void> {
  const lost = new Promise<never>((_, reject) => client.on('disconnected', ({ error }) => error && reject(error)));
  const connected = new Promise<void>((resolve) => client.on('connected', () => resolve()));
  client.on('warning', ({ message }) => say('warning', message));
  client.connect();
  try {
    await Promise.race([lost, connected]);
    say('connected', nameOf(settings.endpoint));
    await Promise.race([lost, converse(client, settings)]);
  } finally {
    await new Promise<void>((resolve) => client.close(resolve));
  }
  say('closed', 'in order');
}

/** Runs a program to its end. Exit code 0, or 1 after one line on stderr that says what to do. */
export async function run(
  name: string,
  description: string,
  port: number,
  program: (settings: Settings) => Promise<void>,
): Promise<void> {
  const settings = readSettings(name, description, port);
  try {
    await program(settings);
  } catch (error) {
    console.error(`error: ${explain(error as MqttError, nameOf(settings.endpoint))}`);
    process.exitCode = 1;
  }
}
