// The example for a bare engine: the device of the three programs, over sockets that its host gives.

import { Client, deviceSecret } from '../../src/index.ts';
import { adapter } from './host.ts';
import { talk } from './talk.ts';

const { settings } = host;

const client = new Client({
  adapter,
  allowPlaintext: !host.tls, // A device on the internet leaves this out, and its host speaks TLS.
  endpoints: [{ host: settings.host, port: settings.port }],
  identity: deviceSecret({
    productKey: settings.productKey,
    deviceName: settings.deviceName,
    deviceSecret: settings.deviceSecret,
    clientId: settings.deviceName,
    timestamp: Date.now,
  }),
  cleanSession: true, // A device leaves this out: it gets what it missed.
  reconnect: false, // And this: it connects again by itself.
});
talk(client, host);
