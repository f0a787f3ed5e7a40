// What the three programs of targets/node do, for engines without promises: one conversation with the platform, and an end.

import { explain } from '../../src/explain.ts';
import type { Client, MqttError } from '../../src/index.ts';
import type { BareHost } from './host.ts';

const ANSWER_MILLIS = 10_000;

function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return JSON.stringify(text);
}

/** Connects, subscribes, publishes, waits for a message and closes; then ends the program. */
export function talk(client: Client, { settings, print, exit }: BareHost): void {
  const { productKey, deviceName } = settings;
  const update = `/${productKey}/${deviceName}/user/update`;
  const get = `/${productKey}/${deviceName}/user/get`;
  const payload = `hello from ${deviceName}`;
  const timer = client.alarm(() => end('nothing comes: publish to the topic from the console of the platform'));
  let published = false;
  let received = false;
  const end = (fault?: string) => {
    timer.clear();
    if (fault) print(`error: ${fault}`);
    client.close(() => {
      if (!fault) print('closed      in order');
      exit(fault ? 1 : 0);
    });
  };
  const fail = (error: MqttError) => end(explain(error, `${settings.host}:${settings.port}`));
  const check = () => {
    if (published && received) end();
  };

  client.on('warning', ({ code, message }) => print(`warning     ${message || code}`));
  client.on('disconnected', ({ error }) => error && fail(error));
  client.on('message', ({ topic, qos, payload: bytes }) => {
    print(`received    ${topic}, QoS ${qos}: ${textOf(bytes)}`);
    received = true;
    check();
  });
  client.on('connected', () => {
    print(`connected   ${settings.host}:${settings.port}`);
    client.subscribe(get, { qos: 1 }, (refused) => {
      if (refused) return fail(refused);
      print(`subscribed  ${get}, QoS 1`);
      client.publish(update, payload, { qos: 1 }, (error) => {
        if (error) return; // The connection is lost: 'disconnected' says why.
        print(`published   ${update}, QoS 1: ${JSON.stringify(payload)}`);
        published = true;
        check();
      });
    });
  });
  timer.set(ANSWER_MILLIS);
  client.connect();
}
