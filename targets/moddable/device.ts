// The device of the three programs, for Moddable: connects, subscribes, publishes, shows a message that comes back, closes.

import { Digest } from 'crypt';
import Timer from 'timer';
import { type Adapter, Client, type MqttError, type ReceivedMessage } from '../../src/index.ts';
import { deviceSecretBy, hmacOver } from '../../src/native-hash.ts';
import type { Settings } from './settings.ts';

/** The host's SHA-1, so that the device carries none of its own. */
const hmacsha1 = hmacOver((bytes) => new Digest('SHA1').process(bytes));

const textOf = (bytes: Uint8Array): string => {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
};

/** @param print gets one line for each thing that happens @param done called at the end: whether everything went well */
export function runDevice(
  adapter: Adapter,
  settings: Settings,
  print: (line: string) => void,
  done: (ok: boolean) => void = () => {},
): Client {
  const { productKey, deviceName, deviceSecret, host, port, keepAliveSeconds, timeoutMillis } = settings;
  const update = `/${productKey}/${deviceName}/user/update`;
  const get = `/${productKey}/${deviceName}/user/get`;
  const client = new Client({
    adapter,
    allowPlaintext: adapter.security === 'plaintext',
    endpoints: [{ host, port }],
    identity: deviceSecretBy(hmacsha1, {
      productKey,
      deviceName,
      deviceSecret,
      clientId: deviceName,
      timestamp: Date.now,
    }),
    keepAliveSeconds,
    connectTimeoutMillis: timeoutMillis,
    cleanSession: true, // A device leaves this out: it gets what it missed.
    reconnect: false, // And this: it connects again by itself.
  });
  let ok = false;
  const end = () => client.close(() => print('closed'));
  const failed = ({ code, message }: MqttError) => {
    if (code === 'closed') return; // The end was asked for.
    print(`error ${code}: ${message}`);
    end();
  };
  const late = client.alarm(() => {
    print(`nothing came within ${timeoutMillis / 1_000} s: publish to ${get} from the console of the platform`);
    ok = true;
    end();
  });
  client.on('warning', ({ code, message }) => print(`warning ${message || code}`));
  client.on('disconnected', ({ error }) => {
    late.clear();
    if (error) print(`error ${error.code}: ${error.message}`);
    Timer.set(() => done(ok && !error), 0);
  });
  client.on('message', ({ topic, payload }: ReceivedMessage) => {
    print(`received ${topic}: ${textOf(payload)}`);
    ok = true;
    end();
  });
  client.on('connected', () => {
    print(`connected ${host}:${port}`);
    client.subscribe(get, { qos: 1 }, (refused) => {
      if (refused) return failed(refused);
      print(`subscribed ${get}`);
      client.publish(update, `hello from ${deviceName}`, { qos: 1 }, (error) => {
        if (error) return failed(error);
        print(`published ${update}`);
        late.set(timeoutMillis);
      });
    });
  });
  client.connect();
  return client;
}
