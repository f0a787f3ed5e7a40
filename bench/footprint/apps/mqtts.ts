// With mqtts.

import { MqttClient, TcpTransport } from 'mqtts';

const transport = new TcpTransport({ host: '127.0.0.1', port: Number(process.argv[2]) });
const client = new MqttClient({ transport });
await client.connect({ clientId: 'device' });
await client.subscribe({ topic: 'to/device', qosLevel: 1 });
await client.publish({ topic: 'from/device', payload: 'hello', qosLevel: 1 });
await client.disconnect();
