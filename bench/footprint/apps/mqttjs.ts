// With MQTT.js.

import mqtt from 'mqtt';

const client = mqtt.connect(`mqtt://127.0.0.1:${process.argv[2]}`, { clientId: 'device', protocolVersion: 4 });
client.subscribe('to/device', { qos: 1 });
client.publish('from/device', 'hello', { qos: 1 }, () => client.end());
