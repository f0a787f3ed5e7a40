// The end-to-end script on a bare engine.

import { endToEnd } from '../end-to-end/script.ts';
import { adapter } from './host.ts';

const { settings } = host;

endToEnd({
  adapter,
  endpoint: { host: settings.host, port: settings.port },
  productKey: settings.productKey,
  deviceName: settings.deviceName,
  deviceSecret: settings.deviceSecret,
  print: (line) => host.print(line),
  done: (ok) => host.exit(ok ? 0 : 1),
});
