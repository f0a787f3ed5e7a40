// The device of the three programs, on Espruino: connects, subscribes, publishes, shows a message that comes back, closes; and
// tells how many variables of the board it takes. Its settings lie in flash, beside it.

import { Client, type MqttError } from '../../src/index.ts';
import { deviceSecretBy } from '../../src/native-hash.ts';
import { adapter, hmacsha1, memory, print, settings } from './host.ts';

const ANSWER_MILLIS = 10_000;

const { productKey, deviceName, deviceSecret, host, port } = settings;
const update = `/${productKey}/${deviceName}/user/update`;
const get = `/${productKey}/${deviceName}/user/get`;

/** What the words of an error do not say is left to a PC: `mqtt-mote/explain`. */
const nameOf = ({ code, reason, returnCode }: MqttError): string =>
  [code, returnCode, reason].filter((it) => it).join(' ');

const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
};

const client = new Client({
  adapter,
  allowPlaintext: !settings.tls, // A device on the internet speaks TLS.
  endpoints: [{ host, port }],
  identity: deviceSecretBy(hmacsha1, { productKey, deviceName, deviceSecret, clientId: deviceName }),
  cleanSession: true, // A device leaves this out: it gets what it missed.
  reconnect: false, // And this: it connects again by itself.
});

const end = () => client.close();
const failed = (error: MqttError) => {
  if (error.code === 'closed') return; // The end was asked for.
  print(`error       ${nameOf(error)}`);
  end();
};
const late = client.alarm(() => {
  print(`nothing     came: publish to ${get} from the console of the platform`);
  end();
});

client.on('warning', ({ code }) => {
  print(`warning     ${code}`);
  if (code === 'unauthenticated-server') print('            Espruino checks no certificate: ANYONE may be this server');
});
client.on('disconnected', ({ error }) => {
  late.clear();
  if (error) print(`error       ${nameOf(error)}`);
  print('closed');
});
client.on('message', ({ topic, qos, payload }) => {
  print(`received    ${topic}, QoS ${qos}: ${textOf(payload)}`);
  print(`memory      ${memory()}`);
  end();
});
client.on('connected', () => {
  print(`connected   ${host}:${port}`);
  client.subscribe(get, { qos: 1 }, (refused) => {
    if (refused) return failed(refused);
    print(`subscribed  ${get}, QoS 1`);
    client.publish(update, `hello from ${deviceName}`, { qos: 1 }, (error) => {
      if (error) return failed(error);
      print(`published   ${update}, QoS 1`);
      late.set(ANSWER_MILLIS);
    });
  });
});
print(`memory      ${memory()}`);
client.connect();
