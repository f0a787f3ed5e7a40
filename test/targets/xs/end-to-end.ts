// The end-to-end script as a program inside XS.

import { ecma419Tcp } from '../../../src/ecma419.ts';
import { type EndToEndHost, endToEnd } from '../../../targets/end-to-end/script.ts';
import { serve } from './guest.ts';

serve({
  start(parts, settings, print) {
    endToEnd({ ...(settings as unknown as EndToEndHost), adapter: ecma419Tcp(parts), print });
  },
});
