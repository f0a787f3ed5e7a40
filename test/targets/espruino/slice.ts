// The smallest signed device on Espruino. For measuring memory.

import { Client, deviceSecret } from '../../../src/index.ts';
import { adapter, settings } from '../../../targets/espruino/host.ts';
import { measure, watched } from './measured.ts';

measure(
  new Client({
    adapter: watched(adapter),
    allowPlaintext: !settings.tls,
    endpoints: [settings],
    identity: deviceSecret(settings),
  }),
);
