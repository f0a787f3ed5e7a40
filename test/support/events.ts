// Waiting for what a client says, without clocks.

import type { Client, ClientEvents } from '../../src/index.ts';

/** The next event of a kind, or the next that fits. */
export function nextEvent<Name extends keyof ClientEvents>(
  client: Client,
  name: Name,
  fits: (event: ClientEvents[Name]) => boolean = () => true,
): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => {
    const listener = (event: ClientEvents[Name]) => {
      if (!fits(event)) return;
      client.off(name, listener);
      resolve(event);
    };
    client.on(name, listener);
  });
}

export const closed = (client: Client): Promise<void> => new Promise((resolve) => client.close(resolve));
