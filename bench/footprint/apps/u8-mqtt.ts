// With u8-mqtt.

import { connect } from 'node:net';
import mqtt_v4 from 'u8-mqtt';

const client = mqtt_v4({ keep_alive: 300 });
const socket = connect({ host: '127.0.0.1', port: Number(process.argv[2]) });
client.with_stream(socket);
await client.connect({ client_id: 'device', keep_alive: 300 });
await client.subscribe([['to/device', 1]]);
await client.publish({ topic: 'from/device', payload: new TextEncoder().encode('hello'), qos: 1 });
socket.end();
