// Who the platform knows: devices with a secret, a token or a certificate, products that let devices register, and which
// devices lie behind which gateway. All of it can change while the platform runs.
import { randomBytes } from 'node:crypto';

export interface DeviceIdentity {
  readonly productKey: string;
  readonly deviceName: string;
}

export interface DeviceTriple extends DeviceIdentity {
  readonly deviceSecret: string;
}

export interface Product {
  readonly productKey: string;
  readonly productSecret: string;
}

export interface DeviceToken {
  readonly clientId: string;
  readonly deviceToken: string;
}

/** Also the platform's user name, and the key of a device's session and of its newest link. */
export function deviceKey(device: DeviceIdentity): string {
  return `${device.deviceName}&${device.productKey}`;
}

/** Devices on Tuya's own cloud have one name only. */
export function tuyaLinkTriple(deviceId: string, deviceSecret: string): DeviceTriple {
  return { productKey: 'tuyalink', deviceName: deviceId, deviceSecret };
}

export class Devices {
  private readonly known = new Map<string, DeviceTriple>();
  private readonly disabled = new Set<string>();
  private readonly products = new Map<string, Product>();
  private readonly listed = new Set<string>();
  private readonly active = new Set<string>();
  private readonly tokens = new Map<string, DeviceToken>();
  private readonly certificates = new Map<string, DeviceIdentity>();
  private readonly gateways = new Map<string, Set<string>>();

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

  /** Lets the devices of a product register. */
  addProduct(product: Product): void {
    this.products.set(product.productKey, product);
  }

  product(productKey: string): Product | undefined {
    return this.products.get(productKey);
  }

  /** Puts a device on the list of those that may register with the product's secret. */
  list(device: DeviceIdentity): void {
    this.listed.add(deviceKey(device));
  }

  isListed(device: DeviceIdentity): boolean {
    return this.listed.has(deviceKey(device));
  }

  /** A new secret; the one before is worth nothing any more. */
  issueSecret({ productKey, deviceName }: DeviceIdentity): DeviceTriple {
    const triple = { productKey, deviceName, deviceSecret: randomBytes(16).toString('hex') };
    this.known.set(deviceKey(triple), triple);
    return triple;
  }

  /** A new client id and token; those before are worth nothing any more. */
  issueToken({ productKey, deviceName }: DeviceIdentity): DeviceToken {
    const token = {
      clientId: randomBytes(12).toString('hex'),
      deviceToken: `^1^${Date.now()}^${randomBytes(15).toString('hex')}`,
    };
    this.known.set(deviceKey({ productKey, deviceName }), { productKey, deviceName, deviceSecret: '' });
    this.tokens.set(deviceKey({ productKey, deviceName }), token);
    return token;
  }

  token(key: string): DeviceToken | undefined {
    return this.tokens.get(key);
  }

  /** A device that has logged in cannot register any more, until it is reset. */
  activate(device: DeviceIdentity): void {
    this.active.add(deviceKey(device));
  }

  isActive(device: DeviceIdentity): boolean {
    return this.active.has(deviceKey(device));
  }

  reset(device: DeviceIdentity): void {
    this.active.delete(deviceKey(device));
  }

  /** @param fingerprint SHA-256 of the device's certificate, as Node writes it */
  addCertificate(fingerprint: string, { productKey, deviceName }: DeviceIdentity): void {
    this.certificates.set(fingerprint, { productKey, deviceName });
    this.add({ productKey, deviceName, deviceSecret: '' });
  }

  /** The device that proved itself by a certificate. */
  ofCertificate(fingerprint: string | undefined): DeviceTriple | undefined {
    const device = fingerprint === undefined ? undefined : this.certificates.get(fingerprint);
    return device && this.find(deviceKey(device));
  }

  addSubDevice(gateway: DeviceIdentity, subDevice: DeviceIdentity): void {
    const key = deviceKey(gateway);
    this.gateways.set(key, (this.gateways.get(key) ?? new Set()).add(deviceKey(subDevice)));
  }

  isBehind(gateway: DeviceIdentity, subDevice: DeviceIdentity): boolean {
    return this.gateways.get(deviceKey(gateway))?.has(deviceKey(subDevice)) ?? false;
  }
}
