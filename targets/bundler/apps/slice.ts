// The smallest signed device: QoS 0 and 1, reconnect, keep-alive, a bounded queue, HMAC-SHA1. For the size table and tests.

import { type Adapter, Client, deviceSecret, type Endpoint } from '../../../src/index.ts';

export function device(adapter: Adapter, endpoint: Endpoint): Client {
  const identity = deviceSecret({ productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' });
  return new Client({ adapter, endpoints: [endpoint], identity });
}
