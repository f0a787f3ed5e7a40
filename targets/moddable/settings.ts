// What build.ts puts into a device's module.

export interface Settings {
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
  readonly host: string;
  readonly port: number;
  readonly keepAliveSeconds: number | undefined;
  readonly timeoutMillis: number;
  /** Name servers, as addresses. */
  readonly nameServers: readonly string[];
}

declare global {
  const SETTINGS: Settings;
  /** Bytes of the root certificate in DER; undefined: those in the firmware. */
  const CERTIFICATE: readonly number[] | undefined;
}

/** Frozen, so that it stays in flash. */
export const settings: Settings = Object.freeze({ ...SETTINGS, nameServers: Object.freeze(SETTINGS.nameServers) });
