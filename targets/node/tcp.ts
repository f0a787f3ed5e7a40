// Plain TCP, port 1883. For tests only: anyone on the way can read and change everything.

import { Client, deviceSecret } from '../../src/index.ts';
import { nodeTcp } from '../../src/node.ts';
import { run, talk } from './program.ts';

await run('tcp', 'Plain TCP, for tests only.', 1883, (settings) => {
  const client = new Client({
    adapter: nodeTcp(),
    allowPlaintext: true,
    endpoints: [settings.endpoint],
    identity: deviceSecret({ ...settings, clientId: settings.deviceName, timestamp: Date.now }),
    keepAliveSeconds: settings.keepAliveSeconds,
    connectTimeoutMillis: settings.timeoutMillis,
    cleanSession: true, // A device leaves this out: it gets what it missed.
    reconnect: false, // And this: it connects again by itself.
  });
  return talk(client, settings);
});
