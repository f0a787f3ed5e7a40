// The device triples the platform knows; they can be added and disabled while it runs.

export interface DeviceTriple {
  readonly productKey: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
}

/** Also the platform's user name, and the key of a device's session and of its newest link. */
export function deviceKey(device: { productKey: string; deviceName: string }): string {
  return `${device.deviceName}&${device.productKey}`;
}

export class Devices {
  private readonly known = new Map<string, DeviceTriple>();
  private readonly disabled = new Set<string>();

  constructor(triples: readonly DeviceTriple[]) {
    for (const triple of triples) this.add(triple);
  }

  add(triple: DeviceTriple): void {
    this.known.set(deviceKey(triple), triple);
    this.disabled.delete(deviceKey(triple));
  }

  disable(key: string): void {
    this.disabled.add(key);
  }

  enable(key: string): void {
    this.disabled.delete(key);
  }

  /** The device that may log in under this key. */
  find(key: string): DeviceTriple | undefined {
    return this.disabled.has(key) ? undefined : this.known.get(key);
  }
}
