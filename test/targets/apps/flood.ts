// A device that publishes more than any socket takes at once, for tests of back-pressure.

import { Client, plainIdentity } from '../../../src/index.ts';
import { adapter } from '../../../targets/bare/host.ts';

const COUNT = 40;

const client = new Client({
  adapter,
  allowPlaintext: true,
  endpoints: [{ host: host.settings.host, port: host.settings.port }],
  identity: plainIdentity({ clientId: 'flood' }),
  maxInFlight: COUNT,
  queue: { messages: COUNT, bytes: 1e6 },
});
client.on('disconnected', ({ code }) => code !== 'closed' && host.print(`disconnected ${code}`));
client.on('connected', () => {
  let done = 0;
  for (let i = 0; i < COUNT; i++) {
    const payload = new Uint8Array(16_384);
    for (let j = 0; j < payload.length; j++) payload[j] = (i * 31 + j * 7) & 255;
    client.publish('flood', payload, { qos: 1 }, (error) => {
      if (error) host.print(error.code);
      if (++done === COUNT) client.close(() => host.exit(0));
    });
  }
  host.print('published');
});
client.connect();
