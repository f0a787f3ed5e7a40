// What a bare engine's host puts into the global variable `host`, whatever it is written in: the five functions of raw
// sockets, a line of output, the device's values, and the end. QuickJS and Duktape are run this way.

import { type RawSocketHost, rawSocketAdapter } from '../../src/raw-socket.ts';

export interface BareSettings {
  readonly host: string;
  readonly port: number;
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
}

export interface BareHost extends RawSocketHost {
  /** Prints one line. */
  print(line: string): void;
  /** Ends the program after this turn. @param code 0 when all went well */
  exit(code: number): void;
  readonly settings: BareSettings;
  /** Whether the host's connections are TLS with the server verified. */
  readonly tls: boolean;
  /** Uniform in [0, 1), where the host knows better than the engine. */
  readonly random?: () => number;
  /** Set by the program when it starts: what the host's loop calls. */
  event?: (kind: number, handle: number, detail?: unknown) => void;
}

declare global {
  var host: BareHost;
}

export const adapter = rawSocketAdapter(host, {
  security: host.tls ? 'authenticated' : 'plaintext',
  random: host.random,
  report: (error) => host.print(`error: ${String(error)}`),
});
host.event = (kind, handle, detail) => adapter.event(kind, handle, detail);
