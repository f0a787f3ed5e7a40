// What each of these apps does: connects over TCP, subscribes, publishes, ends. Ours with the modules of the package as they are.

import { Client, plainIdentity } from '../../../src/index.ts';
import { nodeTcp } from '../../../src/node.ts';

const client = new Client({
  adapter: nodeTcp(),
  allowPlaintext: true,
  endpoints: [{ host: '127.0.0.1', port: Number(process.argv[2]) }],
  identity: plainIdentity({ clientId: 'device' }),
});
client.subscribe('to/device', { qos: 1 });
client.publish('from/device', 'hello', { qos: 1 }, () => client.close());
client.connect();
