// MQTT.js.

import mqtt from 'mqtt';
import type { MakePeer } from './peer.ts';

export const mqttjs: MakePeer = ({ open, clientId, keepAliveSeconds, reconnectMillis, onMessage }) => {
  const client = new mqtt.MqttClient(open, {
    clientId,
    keepalive: keepAliveSeconds,
    ...(reconnectMillis !== undefined && { reconnectPeriod: reconnectMillis }),
    protocolVersion: 4,
    clean: false,
    autoUseTopicAlias: false,
  });
  client.on('message', onMessage);
  client.on('error', () => {}); // Every lost connection is one.
  return {
    connect: () => new Promise((resolve) => client.once('connect', () => resolve())),
    subscribe: async (filter, qos) => void (await client.subscribeAsync(filter, { qos })),
    publish: (topic, payload, qos, done) => void client.publish(topic, payload, { qos }, () => done()),
  };
};
