// A device whose session lies in flash: it publishes, unless something is in flight since before the power went.

import { storageSession } from '../../../src/espruino.ts';
import { Client, deviceSecret } from '../../../src/index.ts';
import { persistSession } from '../../../src/store.ts';
import { adapter, hmacsha1, print, settings, storage } from '../../../targets/espruino/host.ts';

const { productKey, deviceName } = settings;
const client = new Client({
  adapter,
  allowPlaintext: true,
  endpoints: [settings],
  identity: deviceSecret({ ...settings, signMethod: hmacsha1 }),
});
const kept = persistSession(client, storageSession(storage, 'session'));
print(`kept ${kept}`);
client.on('connected', () => {
  if (kept === 0) client.publish(`/${productKey}/${deviceName}/user/update`, new Uint8Array(1_500).fill(7), { qos: 1 });
});
client.connect();
