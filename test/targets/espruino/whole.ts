// A signed device with every module in use on Espruino. For measuring memory.

import { BlackBox } from '../../../src/black-box.ts';
import { Client, deviceSecret, exactlyOnce } from '../../../src/index.ts';
import { PromiseClient } from '../../../src/promises.ts';
import { quarantine } from '../../../src/quarantine.ts';
import { Router } from '../../../src/router.ts';
import { persistSession } from '../../../src/store.ts';
import { adapter, settings } from '../../../targets/espruino/host.ts';
import { measure, watched } from './measured.ts';

const client = new Client({
  adapter: watched(adapter),
  allowPlaintext: !settings.tls,
  endpoints: [settings],
  identity: deviceSecret(settings),
  delivery: exactlyOnce,
});
persistSession(client, { put: () => {}, remove: () => {}, each: () => {} });
quarantine(client);
export const box = new BlackBox(client);
export const router = new Router(client);
export const promises = new PromiseClient(client);
measure(client);
