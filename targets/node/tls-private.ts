// TLS with the self-signed certificate, port 8883: its root comes with the platform, in the file --ca.

import { Client, deviceSecret } from '../../src/index.ts';
import { nodeTls } from '../../src/node.ts';
import { run, talk } from './program.ts';

await run('tls-private', 'TLS with the self-signed certificate.', 8883, (settings) => {
  const client = new Client({
    adapter: nodeTls({ ca: settings.ca }),
    endpoints: [settings.endpoint],
    identity: deviceSecret({ ...settings, clientId: settings.deviceName, timestamp: Date.now }),
    keepAliveSeconds: settings.keepAliveSeconds,
    connectTimeoutMillis: settings.timeoutMillis,
    cleanSession: true, // A device leaves this out: it gets what it missed.
    reconnect: false, // And this: it connects again by itself.
  });
  return talk(client, settings);
});
