// What each of these apps does: connects over TCP, subscribes, publishes, ends. Ours as the package gives it to a bundler for Node.

import { Client, plainIdentity } from 'mqtt-mote';
import { nodeTcp } from 'mqtt-mote/node';

const client = new Client({
  adapter: nodeTcp(),
  allowPlaintext: true,
  endpoints: [{ host: '127.0.0.1', port: Number(process.argv[2]) }],
  identity: plainIdentity({ clientId: 'device' }),
});
client.subscribe('to/device', { qos: 1 });
client.publish('from/device', 'hello', { qos: 1 }, () => client.close());
client.connect();
