// A signed device with every module: QoS 2, routes, queue policies, promises, a stored session, quarantine, a black box.

import { BlackBox } from '../../../src/black-box.ts';
import { type Adapter, Client, deviceSecret, type Endpoint, exactlyOnce } from '../../../src/index.ts';
import { PolicyQueue } from '../../../src/policy-queue.ts';
import { PromiseClient } from '../../../src/promises.ts';
import { quarantine } from '../../../src/quarantine.ts';
import { Router } from '../../../src/router.ts';
import { persistSession } from '../../../src/store.ts';

export { BlackBox, PolicyQueue, PromiseClient, persistSession, quarantine, Router };

export function device(adapter: Adapter, endpoint: Endpoint): Client {
  const identity = deviceSecret({ productKey: 'pk', deviceName: 'device', deviceSecret: 'secret' });
  return new Client({ adapter, endpoints: [endpoint], identity, delivery: exactlyOnce });
}
