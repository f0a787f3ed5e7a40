// The least that a client is for, in as little memory as it is given: connects, publishes once. Arguments: the client, the port.

import { CLIENTS } from './clients.ts';

const [name = '', port = ''] = process.argv.slice(2);
const connect = await CLIENTS[name]!();
const client = (await connect(Number(port), 'device')) as {
  publish(topic: string, payload: Buffer, options: unknown, done: () => void): void;
};
const options = name.startsWith('mqtt-mote') ? { qos: 1 } : 1;
client.publish('from/device', Buffer.from('hello'), options, () => {
  process.stdout.write('{}\n', () => process.exit());
});
