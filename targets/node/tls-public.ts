// TLS with the standard certificate, port 443: its root is one of those that Node.js ships.

import { Client, deviceSecret } from '../../src/index.ts';
import { nodeTls } from '../../src/node.ts';
import { run, talk } from './program.ts';

await run('tls-public', 'TLS with the standard certificate.', 443, (settings) => {
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
