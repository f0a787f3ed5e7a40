// A keep-alive that grows where a network keeps losing links without a word: the platform recommends a longer one there.

import type { Client } from '../client/client.ts';
import { inRange } from '../client/options.ts';

export interface PatienceOptions {
  /** Longest keep-alive in seconds, from the client's own up to what its platform allows, else 65,535; default that. */
  readonly maxSeconds?: number | undefined;
}

/** Connections in a row that died silently before the keep-alive is doubled. */
const SILENT_LOSSES = 2;

/** Warns of `keep-alive-lengthened` each time. @throws MqttError 'bad-option' */
export function lengthenKeepAlive(client: Client, options: PatienceOptions = {}): void {
  const allowed = client.options.identity.profile?.maxKeepAliveSeconds ?? 65_535;
  const most = inRange('maxSeconds', options.maxSeconds ?? allowed, client.keepAliveSeconds, allowed);
  let losses = 0;
  client.on('disconnected', ({ wasConnected, code }) => {
    if (!wasConnected) return;
    losses = code === 'pingresp-timeout' ? losses + 1 : 0;
    if (losses < SILENT_LOSSES || client.keepAliveSeconds === most) return;
    losses = 0;
    client.keepAliveSeconds = Math.min(most, client.keepAliveSeconds * 2);
    client.warn('keep-alive-lengthened', `links keep dying: keep-alive is now ${client.keepAliveSeconds} s`);
  });
}
