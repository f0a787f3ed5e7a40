// The end-to-end script for an engine that has nothing but the language: it answers what it is told, text for text.

import { ecma419Tcp } from '../../../src/ecma419.ts';
import { type EndToEndHost, endToEnd } from '../../../targets/end-to-end/script.ts';
import { guest } from '../xs/guest.ts';

/** One for each run of the script. */
export const session = (): ((commands: string) => string) =>
  guest({
    start: (parts, settings, print) =>
      endToEnd({ ...(settings as unknown as EndToEndHost), adapter: ecma419Tcp(parts), print }),
  });
