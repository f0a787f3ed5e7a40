// u8-mqtt: promises; QoS 0 and 1 only. Version 0.6.7 rejects every QoS 0 publish() by a fault: it takes the key that it set to
// null for one that is there. What it would do without the fault is called here instead.

import mqtt_v4 from 'u8-mqtt';
import type { MakePeer } from './peer.ts';

export const u8mqtt: MakePeer = ({ open, clientId, keepAliveSeconds, reconnectMillis, onMessage }) => {
  const client = mqtt_v4({ keep_alive: keepAliveSeconds });
  client.log_conn = () => {};
  return {
    async connect() {
      client._use_conn(() => client.with_stream(open()));
      client.with_autoreconnect({ ...(reconnectMillis !== undefined && { delay: reconnectMillis }) });
      await client.connect({ client_id: clientId, keep_alive: keepAliveSeconds });
    },
    async subscribe(filter, qos) {
      client.on_topic(filter, onMessage);
      await client.subscribe([[filter, qos]]);
    },
    publish(topic, payload, qos, done) {
      const packet = { topic, payload, qos };
      const sent = qos === 0 ? client._send('publish', packet) : client.publish(packet);
      void sent.then(done);
    },
  };
};
