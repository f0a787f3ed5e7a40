// The end-to-end script on Espruino. With `tls` in its settings over TLS.

import { endToEnd } from '../end-to-end/script.ts';
import { adapter, hmacsha1, print, settings } from './host.ts';

endToEnd({
  ...settings,
  adapter,
  endpoint: { host: settings.host, port: settings.port },
  signMethod: hmacsha1,
  stepMillis: 60_000,
  print,
});
