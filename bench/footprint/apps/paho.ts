// With Eclipse Paho's client, which speaks to WebSockets alone: what makes one of a socket is not counted.

import Paho from 'paho-mqtt';

const client = new Paho.Client('127.0.0.1', Number(process.argv[2]), '/', 'device');
client.onMessageDelivered = () => client.disconnect();
client.connect({
  onSuccess() {
    client.subscribe('to/device', { qos: 1 });
    client.send('from/device', 'hello', 1, false);
  },
});
