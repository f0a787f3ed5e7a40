// A fleet of devices on the local platform, in virtual time: what is switched off and on, what each has published, what it heard.

import { clocked, DeviceClock } from '../../src/clock.ts';
import { failover } from '../../src/failover.ts';
import { type Adapter, Client, deviceSecret } from '../../src/index.ts';
import { watchTakeover } from '../../src/takeover.ts';
import { type RootChange, RootStore, trusted } from '../../src/trust.ts';
import { Platform } from '../platform/platform.ts';
import { VirtualClock } from '../platform/virtual-clock.ts';
import { platformAdapter } from '../support/platform-adapter.ts';
import { verifying } from '../support/trust-world.ts';
import { Flash } from '../support/virtual-platform.ts';

const PRODUCT_KEY = 'fleet';

/** The sets of roots, and the ports that their servers stand for. */
export type Side = 'public' | 'private';

export class Device {
  readonly name: string;
  readonly flash = new Flash();
  /** What it has published with QoS 1, and what of that was acknowledged to it. */
  published = 0;
  acknowledged = 0;
  /** Publishes that ended with an error. */
  failed = 0;
  readonly changes: RootChange[] = [];
  readonly warnings: string[] = [];
  /** Sets that it did not take, and why. */
  readonly refused: string[] = [];
  private readonly fleet: Fleet;
  private running: { readonly client: Client; readonly roots: RootStore } | undefined;

  constructor(fleet: Fleet, name: string) {
    this.fleet = fleet;
    this.name = name;
  }

  get isOn(): boolean {
    return this.running !== undefined;
  }

  get isConnected(): boolean {
    return this.running?.client.connected !== undefined;
  }

  /** The set of the endpoint that it is connected to. */
  get side(): Side | undefined {
    return this.running?.client.connected?.endpoint.roots as Side | undefined;
  }

  rootsInUse(side: Side): string {
    return (
      this.running?.roots
        .inUse(side)
        .map(({ subject }) => subject)
        .join(', ') ?? ''
    );
  }

  switchOn(): void {
    const { fleet } = this;
    const wallClock = () => fleet.now();
    const roots = new RootStore({
      store: this.flash,
      wallClock,
      sets: fleet.firmware,
      changed: (change) => this.changes.push(change),
    });
    const network: Record<Side, Adapter> = {
      public: platformAdapter(fleet.platform, fleet.clock, 'public'),
      private: platformAdapter(fleet.platform, fleet.clock, 'private'),
    };
    const random = fleet.random();
    const adapter = trusted({
      store: roots,
      adapter: (set, side) => ({
        ...verifying(network[side as Side], set, () => fleet.chains[side as Side], wallClock),
        random,
      }),
    });
    const clock = new DeviceClock({ host: adapter, wallClock });
    const identity = deviceSecret({
      productKey: PRODUCT_KEY,
      deviceName: this.name,
      deviceSecret: `secret of ${this.name}`,
      timestamp: () => clock.now(),
    });
    const endpoints = [
      { host: 'localhost', port: 443, roots: 'public' },
      { host: 'localhost', port: 8883, roots: 'private' },
    ];
    const client = new Client(
      failover(clocked({ adapter, endpoints, identity, queue: { messages: 1_000 } }, { clock })),
    );
    watchTakeover(client);
    client.on('warning', ({ code, message }) => this.warnings.push(`${code}: ${message}`));
    client.on('message', ({ topic, payload }) => {
      if (topic === this.topic('roots')) this.take(roots, payload);
    });
    client.subscribe(this.topic('roots'), { qos: 1 });
    client.connect();
    this.running = { client, roots };
  }

  private take(roots: RootStore, payload: Uint8Array): void {
    try {
      roots.replace('public', payload);
    } catch (error) {
      this.refused.push((error as Error).message);
    }
  }

  /** The power goes: nothing is said, and what was in memory is gone. */
  switchOff(): void {
    const { client } = this.running ?? {};
    // What was neither acknowledged nor kept goes with the power: a device that wants to keep it stores its session.
    this.running = undefined;
    const lost = this.published - this.acknowledged - this.failed;
    if (lost > 0)
      throw new Error(`${this.name} is switched off with ${lost} messages under way: the drill counts those`);
    client?.abort();
  }

  topic(name: string): string {
    return `/${PRODUCT_KEY}/${this.name}/user/${name}`;
  }

  publish(): void {
    const number = this.published++;
    this.running?.client.publish(this.topic('count'), String(number), { qos: 1 }, (error) => {
      if (error) this.failed++;
      else this.acknowledged++;
    });
  }
}

export interface FleetOptions {
  readonly size: number;
  readonly start: number;
  /** The roots that every device was built with. */
  readonly firmware: Readonly<Record<Side, string>>;
  /** What the platform shows at first. */
  readonly chains: Record<Side, string>;
}

export class Fleet {
  readonly clock: VirtualClock;
  readonly platform: Platform;
  readonly devices: readonly Device[];
  readonly firmware: FleetOptions['firmware'];
  readonly chains: FleetOptions['chains'];
  /** Numbers that came to the platform, by device. */
  readonly arrived: Record<string, Set<number>> = {};
  private skipped = 0;
  private seed = 1;

  private constructor(options: FleetOptions, clock: VirtualClock, platform: Platform, names: readonly string[]) {
    this.clock = clock;
    this.platform = platform;
    this.firmware = options.firmware;
    this.chains = options.chains;
    this.devices = names.map((name) => new Device(this, name));
    for (const name of names) this.arrived[name] = new Set();
    platform.onUpstream(({ device, topic, payload }) => {
      if (topic.endsWith('/count')) this.arrived[device.deviceName]!.add(Number(payload.toString()));
    });
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const clock = new VirtualClock(options.start);
    const names = Array.from({ length: options.size }, (_, index) => `device${index + 1}`);
    const devices = names.map((deviceName) => ({
      productKey: PRODUCT_KEY,
      deviceName,
      deviceSecret: `secret of ${deviceName}`,
    }));
    const platform = await Platform.start({ devices, ports: false, clock, log: { keep: 1 } });
    return new Fleet(options, clock, platform, names);
  }

  /** The time of day: that of the clock that timers run on, and the days that nobody had to wait for. */
  now(): number {
    return this.clock.now() + this.skipped;
  }

  /** The time of day moves on, without a timer running meanwhile. */
  skipTo(now: number): void {
    this.skipped = now - this.clock.now();
  }

  wait(seconds: number): Promise<void> {
    return this.clock.advanceAsync(seconds * 1_000);
  }

  /** Every device that is on loses its connection, as it does now and then. */
  dropAll(): void {
    for (const { name } of this.devices) this.platform.drop(name);
  }

  /** Sends a set to every device, wherever it is: QoS 1, so that those that are off get it when they come back. */
  async send(roots: string): Promise<void> {
    for (const device of this.devices) await this.platform.publish(device.topic('roots'), roots, 1);
  }

  publishAll(): void {
    for (const device of this.devices) if (device.isOn) device.publish();
  }

  /** A generator of its own for each device: the drill is the same every time. */
  random(): () => number {
    let state = this.seed++ * 2_654_435_761;
    return () => {
      state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 1) >>> 0;
      return state / 2 ** 32;
    };
  }
}
