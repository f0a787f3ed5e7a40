// Roots that are replaced while a device runs: kept beside, tried, proved or rolled back, and never lost.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { mqttError } from '../../src/error.ts';
import { explain } from '../../src/explain.ts';
import { Client, type MqttError, plainIdentity, type Warning } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { type ReplaceOptions, type RootChange, RootStore, type RootStoreOptions, trusted } from '../../src/trust.ts';
import { Power, type Torn } from '../support/power.ts';
import { politely, ScriptedServer } from '../support/scripted-server.ts';
import { makeRoot, type Root, verifying } from '../support/trust-world.ts';
import { Flash } from '../support/virtual-platform.ts';

const DAY = 86_400_000;
const START = Date.UTC(2026, 10, 1);

let oldRoot: Root;
let newRoot: Root;
let strange: Root;
let short: Root;
before(async () => {
  oldRoot = await makeRoot('Old Root', START);
  newRoot = await makeRoot('New Root', START, { notAfter: new Date(START + 4_000 * DAY) });
  strange = await makeRoot('Strange Root', START, { notAfter: new Date(START + 5_000 * DAY) });
  short = await makeRoot('Short Root', START, { notAfter: new Date(START + 100 * DAY) });
});

interface WorldOptions extends Partial<Omit<RootStoreOptions, 'store' | 'sets'>> {
  readonly flash?: Flash;
  readonly builtIn?: string;
  readonly power?: Power;
  readonly now?: () => number;
}

/** A device, a server, and what both have seen. */
function world(options: WorldOptions = {}) {
  const { flash = new Flash(), builtIn = oldRoot.pem, power, ...rest } = options;
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const changes: string[] = [];
  const it = {
    time,
    server,
    flash,
    changes,
    /** What the server shows. */
    root: oldRoot,
    /** How dials end, whatever it shows. */
    fault: undefined as MqttError | undefined,
    skipped: 0,
    dialled: [] as string[],
    warnings: [] as Warning[],
    errors: [] as MqttError[],
    reported: [] as string[],
    now: () => START + it.skipped + time.now(),
    roots: undefined as unknown as RootStore,
    client: undefined as unknown as Client,
    /** Loses the connection, and lets dials happen for so long. */
    redial(millis = 60_000) {
      server.connections.at(-1)?.peer.close();
      time.advance(millis);
    },
    state: () => it.client.stats().state,
    inUse: () =>
      it.roots
        .inUse('private')
        .map(({ subject }) => subject)
        .join(),
    replace: (root: Root, more?: ReplaceOptions) => it.roots.replace('private', root.pem, more),
  };
  it.roots = new RootStore({
    store: power ? power.store(flash) : flash,
    wallClock: options.now ?? it.now,
    sets: { private: builtIn },
    changed: ({ what, roots }: RootChange) => changes.push(`${what} ${roots.map(({ subject }) => subject).join()}`),
    ...rest,
  });
  const report = (error: unknown) => {
    if (power?.isOn !== false) it.reported.push(String(error)); // What happens without power happens to nobody.
  };
  const network = memoryAdapter({ time, accept: server.accept, report });
  const inner = power ? power.adapter(network) : network;
  const adapter = trusted({
    store: it.roots,
    adapter: (roots) => {
      const made = verifying(inner, roots, () => it.root.server.chain, it.now);
      return {
        ...made,
        dial: (endpoint, events) => {
          it.dialled.push(roots.map(({ subject }) => subject).join());
          const { fault } = it;
          if (!fault) return made.dial(endpoint, events);
          time.schedule(1, () => events.closed(fault));
          return { write: () => 0, pause() {}, resume() {}, close() {}, abort() {} };
        },
      };
    },
  });
  it.client = new Client({
    adapter,
    endpoints: [{ host: 'localhost', port: 8883 }],
    identity: plainIdentity({ clientId: 'device' }),
    reconnect: { minMillis: 1_000, maxMillis: 1_000 },
  });
  it.client.on('warning', (warning) => it.warnings.push(warning));
  it.client.on('disconnected', ({ error }) => error && it.errors.push(error));
  it.client.connect();
  time.advance(10);
  return it;
}

test('[row 12] [pain 18] a set is replaced without a restart: kept, tried at the next dial, proved by the first CONNACK', () => {
  const it = world();
  assert.equal(it.state(), 'connected');
  assert.equal(it.replace(newRoot), true);
  assert.deepEqual(it.changes, ['replaced New Root']);
  assert.equal(it.inUse(), 'Old Root');
  assert.equal(it.state(), 'connected', 'the connection goes on');
  it.root = newRoot;
  it.redial();
  assert.equal(it.state(), 'connected');
  assert.deepEqual(it.changes, ['replaced New Root', 'confirmed New Root']);
  assert.equal(it.inUse(), 'New Root');
  assert.deepEqual([it.errors.length, it.warnings.length], [1, 0]);
  const again = world({ flash: it.flash });
  assert.equal(again.inUse(), 'New Root', 'it is still there after a restart');
  again.root = newRoot;
  again.redial();
  assert.equal(again.state(), 'connected');
});

test('[row 12] old and new side by side in one set are good before the change, and after it', () => {
  const it = world();
  it.roots.replace('private', oldRoot.pem + newRoot.pem);
  it.redial();
  assert.equal(it.inUse(), 'Old Root,New Root');
  it.root = newRoot;
  it.redial();
  assert.equal(it.state(), 'connected');
  assert.deepEqual(it.warnings, []);
});

test('a set that does not fit is rolled back after as many handshakes as it says, with a warning, and stays aside', () => {
  for (const attempts of [1, 3, 5]) {
    const it = world({ attempts });
    it.replace(strange);
    it.dialled.length = 0;
    it.redial();
    assert.deepEqual(it.dialled, [...new Array(attempts).fill('Strange Root'), 'Old Root']);
    assert.equal(it.state(), 'connected');
    assert.equal(it.inUse(), 'Old Root');
    assert.deepEqual(it.changes, ['replaced Strange Root', 'rolled-back Strange Root']);
    assert.deepEqual(
      it.warnings.map(({ code, message }) => `${code}: ${message}`),
      [
        'roots-rolled-back: handshakes keep failing with the new set of roots private (the certificate Strange Root): the one before it is used again',
      ],
    );
    assert.throws(() => it.replace(strange), {
      code: 'bad-option',
      reason: 'rolled-back',
      message: 'this set was tried before, and rolled back: force tries it again',
    });
    const again = world({ flash: it.flash });
    assert.throws(() => again.replace(strange), { reason: 'rolled-back' });
    assert.equal(again.replace(strange, { force: true }), true);
  }
});

test('a set that comes before the platform has changed is rolled back, and found again when it has', () => {
  const it = world();
  it.replace(newRoot);
  it.redial();
  assert.equal(it.inUse(), 'Old Root');
  it.root = newRoot;
  it.redial();
  assert.equal(it.state(), 'connected');
  assert.equal(it.inUse(), 'New Root');
  assert.deepEqual(it.changes.slice(1), ['rolled-back New Root', 'fallback New Root', 'confirmed New Root']);
  assert.equal(it.warnings.at(-1)?.code, 'roots-fallback');
});

test('a device that was off through two changes finds the root that its app was built with, and the other way round', () => {
  const it = world();
  it.replace(newRoot);
  it.root = newRoot;
  it.redial();
  it.replace(strange);
  it.root = strange;
  it.redial();
  assert.equal(it.inUse(), 'Strange Root');
  for (const root of [oldRoot, newRoot, strange, oldRoot]) {
    it.root = root;
    it.redial();
    assert.equal(it.state(), 'connected', root.name);
    assert.equal(it.inUse(), root.name);
  }
});

for (const [code, reason, counts] of [
  ['tcp', undefined, false],
  ['dns', undefined, false],
  ['closed-by-peer', undefined, false],
  ['tls', 'host-name', false],
  ['tls', 'expired', false],
  ['tls', 'not-yet-valid', false],
  ['tls', 'untrusted', true],
  ['tls', 'handshake', true],
  ['tls', undefined, true],
] as const) {
  test(`a dial that fails with ${code} ${reason ?? ''} ${counts ? 'counts against the roots' : 'says nothing about the roots'}`, () => {
    const it = world();
    it.replace(newRoot);
    it.fault = mqttError(code, 'as the host says it', reason === undefined ? {} : { reason });
    it.redial(20_000);
    assert.ok(it.errors.length > 5, `${it.errors.length} dials`);
    assert.ok(it.errors.slice(1).every((error) => error.code === code));
    assert.deepEqual(it.changes.slice(1, 2), counts ? ['rolled-back New Root'] : []);
  });
}

test('a network that is gone for long does not roll back what has come before', () => {
  const it = world();
  it.replace(newRoot);
  it.root = newRoot;
  it.server.listening = false;
  it.redial(3_600_000);
  it.server.listening = true;
  it.time.advance(5_000);
  assert.deepEqual(it.changes, ['replaced New Root', 'confirmed New Root']);
});

test('what is accepted only by TLS, and refused by MQTT, proves nothing and fails nothing', () => {
  const it = world();
  it.replace(newRoot);
  it.root = newRoot;
  it.server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') connection.send({ cmd: 'connack', returnCode: 3, sessionPresent: false });
  };
  it.redial();
  assert.deepEqual(it.changes, ['replaced New Root']);
  it.server.respond = (packet, connection) => {
    if (packet.cmd !== 'connect') return;
    for (const byte of [0x20, 2, 1, 0]) connection.send(Uint8Array.of(byte));
  };
  it.time.advance(5_000);
  assert.deepEqual(it.changes, ['replaced New Root', 'confirmed New Root']);
});

test('replacing is idempotent: what is in use, or the candidate already, changes nothing and writes nothing', () => {
  const it = world();
  assert.equal(it.replace(oldRoot), false);
  assert.equal(it.flash.records.size, 0);
  it.replace(newRoot);
  const { put } = it.flash;
  it.flash.put = () => assert.fail('written');
  assert.equal(it.replace(newRoot), false);
  it.flash.put = put;
  assert.equal(it.replace(oldRoot), false, 'a candidate that is taken back');
  it.dialled.length = 0;
  it.redial();
  assert.deepEqual(it.dialled, ['Old Root']);
});

test('a candidate takes the place of another; a connection made with the other does not prove it', () => {
  const it = world();
  it.replace(strange);
  it.root = strange;
  it.server.respond = () => {};
  it.redial(2_000); // The dial with Strange Root waits for its CONNACK.
  assert.equal(it.replace(newRoot), true);
  it.server.current.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  it.server.respond = politely;
  it.time.advance(10);
  assert.equal(it.inUse(), 'Old Root');
  it.root = newRoot;
  it.redial();
  assert.equal(it.inUse(), 'New Root');
});

test('a replacement that comes while the set before is being proved is tried next', () => {
  const it = world();
  it.server.respond = () => {};
  it.redial(2_000);
  it.replace(newRoot);
  it.server.respond = politely;
  it.server.current.send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  it.time.advance(10);
  assert.equal(it.inUse(), 'Old Root');
  it.root = newRoot;
  it.redial();
  assert.equal(it.inUse(), 'New Root');
});

test('only: once it is proved nothing before it is tried again, after a restart neither', () => {
  const it = world();
  it.replace(newRoot, { only: true });
  it.root = newRoot;
  it.redial();
  assert.equal(it.inUse(), 'New Root');
  for (const device of [it, world({ flash: it.flash })]) {
    device.root = oldRoot;
    device.dialled.length = 0;
    device.redial();
    assert.notEqual(device.state(), 'connected');
    assert.ok(device.dialled.length > 10 && device.dialled.every((it) => it === 'New Root'), `${device.dialled}`);
  }
  // The next one is beside it, and still without what the app was built with.
  it.root = newRoot;
  it.redial();
  it.replace(strange);
  it.root = strange;
  it.redial();
  assert.equal(it.inUse(), 'Strange Root');
  const again = world({ flash: it.flash });
  again.root = oldRoot;
  again.redial();
  assert.notEqual(again.state(), 'connected');
  assert.ok(!again.dialled.includes('Old Root'), `${again.dialled}`);
  again.root = newRoot;
  again.redial();
  assert.equal(again.state(), 'connected');
});

test('only: one that is rolled back takes nothing with it', () => {
  const it = world();
  it.replace(strange, { only: true });
  it.redial();
  assert.equal(it.inUse(), 'Old Root');
  const again = world({ flash: it.flash });
  assert.equal(again.state(), 'connected');
});

for (const torn of ['nothing', 'half', 'all'] as const satisfies readonly Torn[]) {
  test(`[row 12] the power goes at each step of a replacement, a write leaves ${torn}: the device comes back before and after the change`, () => {
    let cuts = 0;
    for (let cutAt = 1, isDone = false; !isDone; cutAt++) {
      for (const platform of ['old', 'new'] as const) {
        const flash = new Flash();
        const power = new Power(cutAt, torn);
        const it = world({ flash, power });
        const target = platform === 'old' ? oldRoot : newRoot;
        try {
          it.replace(newRoot);
        } catch (error) {
          assert.equal(power.isOn, false, String(error)); // A dead store keeps nothing.
        }
        it.root = target;
        it.redial();
        isDone = power.isOn;
        if (!isDone) cuts++;
        const again = world({ flash });
        again.root = target;
        if (platform === 'new') again.roots.replace('private', newRoot.pem, { force: true }); // It comes again.
        again.redial();
        assert.equal(again.state(), 'connected', `cut at ${cutAt}, ${platform}`);
        assert.equal(again.inUse(), target.name);
        const third = world({ flash });
        third.root = target;
        third.redial();
        assert.equal(third.state(), 'connected');
      }
    }
    assert.ok(cuts >= 12, `${cuts} cuts`);
  });
}

test('records that are torn, or of a later version, are as if they were not there', () => {
  const it = world();
  it.replace(newRoot);
  it.root = newRoot;
  it.redial();
  for (const key of it.flash.records.keys()) {
    const flash = new Flash();
    for (const [name, record] of it.flash.records) flash.put(name, name === key ? record.slice(0, -1) : record);
    const device = world({ flash });
    for (const root of [oldRoot, newRoot]) {
      if (key.endsWith('-1') && root === newRoot) continue; // It is gone.
      device.root = root;
      device.redial();
      assert.equal(device.state(), 'connected', `${key} torn, ${root.name}`);
    }
  }
});

test('a store that fails leaves the set in use as it was, and says so; when it cannot keep what was proved, the connection stays', () => {
  const it = world();
  const { put } = it.flash;
  it.flash.put = () => {
    throw new Error('flash is full');
  };
  assert.throws(() => it.replace(newRoot), { message: 'flash is full' });
  it.redial();
  assert.equal(it.inUse(), 'Old Root');
  it.flash.put = put;
  it.replace(newRoot);
  it.root = newRoot;
  it.flash.put = () => {
    throw new Error('flash is full');
  };
  it.redial();
  assert.deepEqual(it.reported, ['Error: flash is full']);
  assert.equal(it.state(), 'connected');
});

// Candidates that are refused.

test('wrong input: a set that ends sooner than what it replaces is refused unless it is forced', () => {
  const it = world();
  assert.throws(() => it.replace(short), {
    code: 'bad-option',
    reason: 'older',
    message:
      'these roots end on 2027-02-09, and what they replace on 2036-10-29: an older set? force takes it all the same',
  });
  assert.equal(it.replace(short, { force: true }), true);
});

test('wrong input: a set that has ended, or begins later than the clock says, is refused', () => {
  const it = world();
  it.skipped = 101 * DAY;
  assert.throws(() => it.replace(short, { force: true }), {
    reason: 'ca-expired',
    message: 'the certificate Short Root ended on 2027-02-09',
  });
  const in1970 = world({ now: () => 5_000 });
  assert.throws(() => in1970.replace(newRoot), {
    reason: 'clock',
    message:
      'the certificate New Root begins on 2025-11-01, and the clock of this device says 1970-01-01: set the clock first',
  });
});

test('wrong input: a set that there is none of, and what is no root, are refused with nothing changed', () => {
  const it = world();
  assert.throws(() => it.roots.replace('public', newRoot.pem), { message: 'there is no set of roots called public' });
  assert.throws(() => it.roots.replace('private', newRoot.server.chain), { reason: 'no-authority' });
  assert.throws(() => it.roots.replace('private', 'x'), { reason: 'pem' });
  assert.equal(it.flash.records.size, 0);
  assert.deepEqual(it.changes, []);
});

// The end.

test('[row 11] warnings come 90, 30, 7 and 1 days before the end and after it, once each, while the connection lasts', () => {
  const it = world({ builtIn: short.pem });
  it.root = short;
  it.redial();
  assert.deepEqual(it.warnings, []);
  const told: string[] = [];
  for (let day = 0; day < 102; day++) {
    it.skipped += DAY;
    it.redial(2_000);
    for (const { code, message } of it.warnings.splice(0)) told.push(`${code}: ${message}`);
  }
  assert.deepEqual(
    told,
    [90, 30, 7, 1].map((days) => `ca-expiring: the certificate Short Root ends on 2027-02-09, in ${days} days`),
  );
});

test('[row 11] after the end there is no dial, and a clear reason', () => {
  const it = world({ builtIn: short.pem });
  it.root = short;
  it.redial();
  it.skipped = 101 * DAY;
  it.dialled.length = 0;
  it.redial();
  assert.deepEqual(it.dialled, []);
  const error = it.errors.at(-1)!;
  assert.deepEqual([error.code, error.reason], ['tls', 'ca-expired']);
  assert.equal(
    explain(error),
    'the certificate Short Root ended on 2027-02-09, and the clock of this device says 2027-02-10: replace it by the root certificate that the platform uses now',
  );
  it.replace(newRoot);
  it.root = newRoot;
  it.time.advance(5_000);
  assert.equal(it.state(), 'connected', 'a new set is tried at the next dial');
});

test('a connection that lasts hears of the end by what comes in over it', () => {
  let today = 0;
  const it = world({ builtIn: short.pem, now: () => START + today * DAY });
  it.root = short;
  it.redial();
  const pings = (days: number) => {
    for (let day = 0; day < days; day++) {
      today++;
      it.time.advance(DAY);
      it.server.current.send({ cmd: 'publish', topic: 't', payload: '', qos: 0, dup: false, retain: false });
    }
  };
  pings(102);
  assert.equal(it.state(), 'connected');
  assert.deepEqual(
    it.warnings.map(({ message }) => /(in \d+ days|ended)/.exec(message)?.[1]),
    ['in 90 days', 'in 30 days', 'in 7 days', 'in 1 days', 'ended'],
  );
});

test('of several roots those that have ended are not handed to the host', () => {
  const it = world({ builtIn: short.pem + oldRoot.pem });
  it.skipped = 101 * DAY;
  it.dialled.length = 0;
  it.redial();
  assert.deepEqual(it.dialled, ['Old Root']);
  assert.equal(it.state(), 'connected');
});

test('a candidate that has ended before it was proved is left for one that has not', () => {
  const it = world();
  it.replace(short, { force: true });
  it.skipped = 101 * DAY;
  it.redial();
  assert.equal(it.state(), 'connected');
  assert.equal(it.inUse(), 'Old Root');
});

// Sets by endpoint.

test('[row 10] [row 11] each endpoint has its set: the private root for 8883, the public one for 443', () => {
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const made: string[] = [];
  const roots = new RootStore({
    store: new Flash(),
    wallClock: () => START,
    sets: { private: oldRoot.pem, public: newRoot.pem },
  });
  const adapter = trusted({
    store: roots,
    adapter: (set, name) => {
      made.push(`${name} ${set.map(({ subject }) => subject)}`);
      const chain = () => (name === 'private' ? strange : newRoot).server.chain;
      return verifying(memoryAdapter({ time, accept: server.accept }), set, chain, () => START);
    },
  });
  const endpoints = [
    { host: 'localhost', port: 8883, roots: 'private' },
    { host: 'localhost', port: 443, roots: 'public' },
  ];
  const client = new Client({ adapter, endpoints, identity: plainIdentity({ clientId: 'device' }) });
  const errors: MqttError[] = [];
  client.on('disconnected', ({ error }) => error && errors.push(error));
  client.connect();
  time.advance(10_000);
  assert.deepEqual(client.connected?.endpoint, endpoints[1]);
  assert.deepEqual(new Set(made), new Set(['private Old Root', 'public New Root']));
  assert.equal(
    explain(errors[0]!, 'localhost:8883'),
    'the certificate of localhost:8883 is not signed by a trusted root (unable to get local issuer certificate, with the set of roots private): give the root certificate that the platform names for this port',
  );
  const nameless = [{ host: 'localhost', port: 8883 }];
  const other = new Client({ adapter, endpoints: nameless, identity: plainIdentity({ clientId: 'x' }) });
  other.on('disconnected', ({ error }) => error && errors.push(error));
  other.connect();
  time.advance(10);
  assert.equal(errors.at(-1)?.code, 'bad-option');
  assert.equal(errors.at(-1)?.message, 'the endpoint localhost:8883 has to name its set of roots: private or public');
});

test('roots that a host cannot use at all are rolled back at once', () => {
  const flash = new Flash();
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const store = new RootStore({ store: flash, wallClock: () => START, sets: { private: oldRoot.pem } });
  const network = memoryAdapter({ time, accept: server.accept });
  const adapter = trusted({
    store,
    adapter: (roots) => {
      if (roots[0]?.subject === 'Strange Root') throw new Error('unsupported curve');
      return network;
    },
  });
  store.replace('private', strange.pem);
  const client = new Client({
    adapter,
    endpoints: [{ host: 'h', port: 1 }],
    identity: plainIdentity({ clientId: 'x' }),
  });
  client.connect();
  time.advance(10);
  assert.equal(client.stats().state, 'connected');
  assert.throws(() => store.replace('private', strange.pem), { reason: 'rolled-back' });
  const failing = () => {
    throw new Error('no TLS here');
  };
  assert.throws(() => trusted({ store, adapter: failing }), { message: 'no TLS here' });
});

test('a session of TLS can be resumed: the adapter of a set is made once', () => {
  let made = 0;
  const time = new VirtualTime();
  const server = new ScriptedServer();
  const store = new RootStore({ store: new Flash(), wallClock: () => START, sets: { private: oldRoot.pem } });
  const adapter = trusted({
    store,
    adapter: () => {
      made++;
      return memoryAdapter({ time, accept: server.accept });
    },
  });
  const client = new Client({
    adapter,
    endpoints: [{ host: 'h', port: 1 }],
    identity: plainIdentity({ clientId: 'x' }),
  });
  client.connect();
  for (let i = 0; i < 5; i++) {
    time.advance(60_000);
    server.current.peer.close();
  }
  assert.ok(server.connections.length >= 5);
  assert.ok(made <= 2, `${made}`);
});

for (const [message, change] of [
  ['store.get must be a function', { store: {} }],
  ['store.put must be a function', { store: { get() {} } }],
  ['store.remove must be a function', { store: { get() {}, put() {} } }],
  ['changed must be a function', { changed: 'log' }],
  ['warnDays must be numbers of days', { warnDays: 90 }],
  ['wallClock must be a function, such as Date.now', { wallClock: undefined }],
  ['sets holds no set of roots', { sets: {} }],
  ['Private names no set: up to 8 small letters and digits', { sets: { Private: 'x' } }],
  ['attempts must be a whole number from 1 to 100', { attempts: 0 }],
  ['attempts must be a whole number from 1 to 100', { attempts: 2.5 }],
  ['warnDays must be numbers of days', { warnDays: [0] }],
  [
    'this is neither PEM nor DER: give the root certificate as the platform offers it',
    { sets: { private: 'root.pem' } },
  ],
] as const) {
  test(`a bad option is refused: ${message}`, () => {
    const options = { store: new Flash(), wallClock: () => START, sets: { private: oldRoot.pem } };
    assert.throws(() => new RootStore({ ...options, ...change } as never), { code: 'bad-option', message });
  });
}

test('trusted() refuses what is no store, and what makes no adapter', () => {
  assert.throws(() => trusted({ store: {} as never, adapter: () => assert.fail() }), {
    message: 'store must be a RootStore',
  });
  const store = new RootStore({ store: new Flash(), wallClock: () => START, sets: { private: oldRoot.pem } });
  assert.throws(() => trusted({ store, adapter: undefined as never }), {
    message: 'adapter must make one of a set of roots',
  });
});
