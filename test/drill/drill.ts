// The rotation drill: the public root comes to its end, a new one arrives over a topic, the platform changes its certificate, a
// bad set is pushed and rolled back, devices are off meanwhile. No device is lost, and no publish of QoS 1.

import { makeRoot, type Root } from '../support/trust-world.ts';
import { type Device, Fleet } from './fleet.ts';

const DAY = 86_400_000;

/** The end of the public root on the platform's page: 2028-09-05. */
const END = Date.UTC(2028, 8, 5, 12);

export interface DrillReport {
  readonly devices: number;
  readonly published: number;
  readonly logins: number;
  readonly rolledBack: number;
  readonly warnings: number;
}

class Drill {
  readonly fleet: Fleet;
  private readonly say: (line: string) => void;

  constructor(fleet: Fleet, say: (line: string) => void) {
    this.fleet = fleet;
    this.say = say;
  }

  /** Everybody that is on loses the connection and comes back, and publishes meanwhile. */
  async shake(seconds = 60): Promise<void> {
    this.fleet.publishAll();
    this.fleet.dropAll();
    this.fleet.publishAll();
    await this.fleet.wait(seconds);
    this.fleet.publishAll();
    await this.fleet.wait(5);
  }

  /** Throws unless it holds for every device of those named. */
  expect(what: string, devices: readonly Device[], holds: (device: Device) => boolean): void {
    const wrong = devices.filter((it) => !holds(it));
    if (wrong.length > 0) {
      const { name, warnings, refused, changes } = wrong[0]!;
      const told = [...warnings.slice(-5), ...refused, ...changes.map((it) => it.what)].join('\n  ');
      throw new Error(`${wrong.length} of ${devices.length} devices: not "${what}", the first is ${name}:\n  ${told}`);
    }
    this.say(`  ${String(devices.length).padStart(3)} devices: ${what}`);
  }

  on(): readonly Device[] {
    return this.fleet.devices.filter(({ isOn }) => isOn);
  }
}

async function approachTheEnd(drill: Drill, oldRoot: Root): Promise<void> {
  const { fleet } = drill;
  for (const days of [91, 90, 30, 7, 1]) {
    fleet.skipTo(oldRoot.notAfter - days * DAY + 1);
    for (const device of fleet.devices) device.warnings.length = 0;
    await drill.shake();
    drill.expect('connected', drill.on(), ({ isConnected }) => isConnected);
    const told = `ca-expiring: the certificate ${oldRoot.name} ends on 2028-09-05, in ${days} days`;
    if (days > 90) drill.expect('no warning yet', drill.on(), ({ warnings }) => warnings.length === 0);
    else drill.expect(`warned of ${days} days`, drill.on(), ({ warnings }) => warnings.includes(told));
  }
}

/** @throws Error that says which device is not where it should be */
export async function runDrill(size: number, say: (line: string) => void = () => {}): Promise<DrillReport> {
  const start = END - 100 * DAY;
  const oldRoot = await makeRoot('Public Root until 2028', start, { notAfter: new Date(END) });
  const newRoot = await makeRoot('New Public Root', start);
  const badRoot = await makeRoot('Root of Somebody Else', start, { notAfter: new Date(start + 5_000 * DAY) });
  const privateRoot = await makeRoot('Private Root', start);
  const fleet = await Fleet.start({
    size,
    start,
    firmware: { public: oldRoot.pem, private: privateRoot.pem },
    chains: { public: oldRoot.server.chain, private: privateRoot.server.chain },
  });
  const drill = new Drill(fleet, say);
  const { devices } = fleet;
  const [sleeper, dozer] = [devices[0]!, devices[1]!];
  const awake = devices.slice(2);

  say('the fleet is switched on, all under the public root');
  for (const device of devices) device.switchOn();
  await fleet.wait(30);
  drill.expect('connected at port 443', devices, ({ side }) => side === 'public');

  say('the end comes nearer');
  await approachTheEnd(drill, oldRoot);

  say('one device is switched off; a new set arrives over a topic; another is switched off');
  await drill.shake();
  sleeper.switchOff();
  await fleet.send(newRoot.pem);
  await fleet.wait(30);
  drill.expect('have kept the candidate', drill.on(), ({ changes }) => changes.at(-1)?.what === 'replaced');
  drill.expect('still connected', drill.on(), ({ isConnected }) => isConnected);
  dozer.switchOff();

  say('the platform changes its certificate, and all connections end');
  fleet.chains.public = newRoot.server.chain;
  await drill.shake();
  drill.expect('connected at port 443', awake, ({ side }) => side === 'public');
  drill.expect('use the new root', awake, (it) => it.rootsInUse('public') === newRoot.name);

  say('the old root has ended; the two devices come back');
  fleet.skipTo(oldRoot.notAfter + DAY);
  for (const device of [sleeper, dozer]) device.switchOn();
  await fleet.wait(60);
  drill.expect('came back at port 8883, under the private root', [sleeper], ({ side }) => side === 'private');
  drill.expect('came back at port 443, with what it had kept', [dozer], ({ side }) => side === 'public');
  await fleet.wait(60);
  for (let i = 0; i < 3; i++) await drill.shake(120);
  drill.expect('connected at port 443', devices, ({ side }) => side === 'public');
  drill.expect('use the new root', devices, (it) => it.rootsInUse('public') === newRoot.name);

  say('a bad set is pushed: a root, and not the one of the platform');
  await fleet.send(badRoot.pem);
  await fleet.wait(30);
  await drill.shake(120);
  const rolledBack = (it: Device) => it.changes.filter(({ what }) => what === 'rolled-back').length;
  drill.expect('rolled it back once', devices, (it) => rolledBack(it) === 1);
  drill.expect('were warned', devices, ({ warnings }) => warnings.some((it) => it.startsWith('roots-rolled-back: ')));
  drill.expect('connected at port 443', devices, ({ side }) => side === 'public');
  drill.expect('use the new root', devices, (it) => it.rootsInUse('public') === newRoot.name);

  say('it is pushed again, then a leaf, then half a certificate');
  for (const set of [badRoot.pem, newRoot.server.chain, badRoot.pem.slice(0, 400)]) await fleet.send(set);
  await fleet.wait(30);
  drill.expect('refused all three', devices, ({ refused }) => refused.length === 3);
  await drill.shake(120);
  drill.expect('connected at port 443', devices, ({ side }) => side === 'public');

  say('the account');
  await fleet.wait(60);
  drill.expect(
    'every publish of QoS 1 was acknowledged',
    devices,
    (it) => it.acknowledged === it.published && it.failed === 0,
  );
  drill.expect('every publish of QoS 1 arrived', devices, (it) => fleet.arrived[it.name]!.size === it.published);
  for (const device of devices) device.switchOff();
  const report: DrillReport = {
    devices: size,
    published: devices.reduce((sum, it) => sum + it.published, 0),
    logins: devices.reduce((sum, it) => sum + fleet.platform.connects(it.name), 0),
    rolledBack: devices.reduce((sum, it) => sum + rolledBack(it), 0),
    warnings: devices.reduce((sum, it) => sum + it.warnings.length, 0),
  };
  await fleet.platform.close();
  return report;
}
