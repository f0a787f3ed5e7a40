// What the programs for Espruino have in common: the settings in its flash, an adapter, and its own SHA-1.

import { type EspruinoFiles, espruinoTcp, espruinoTls } from '../../src/espruino.ts';
import { hmacOver } from '../../src/native-hash.ts';

/** In flash, in the file `mote.json`. */
export interface EspruinoSettings {
  readonly host: string;
  readonly port: number;
  /** Whether to speak TLS. */
  readonly tls: boolean;
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
}

/** Espruino's own, as far as the programs use it. */
interface Espruino {
  print(...values: unknown[]): void;
  readonly process: { memory(): { readonly usage: number; readonly total: number } };
  require(name: 'crypto'): { SHA1(content: Uint8Array): ArrayBuffer };
  require(name: 'Storage'): EspruinoFiles & { readJSON(name: string): unknown };
}

const espruino = globalThis as unknown as Espruino;

export const storage = espruino.require('Storage');

export const settings = storage.readJSON('mote.json') as EspruinoSettings;

export const adapter = settings.tls ? espruinoTls() : espruinoTcp();

/** A tenth of a second where the package's own takes seconds. */
export const hmacsha1 = hmacOver((content) => espruino.require('crypto').SHA1(content));

export const print = (line: string): void => espruino.print(line);

/** Variables in use, the garbage collected. */
export const variables = (): number => espruino.process.memory().usage;

/** The same in words. */
export function memory(): string {
  const { usage, total } = espruino.process.memory();
  return `${usage} of ${total} variables`;
}
