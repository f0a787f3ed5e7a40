// One timer of the host for many alarms: as if each had its own, whatever their callbacks do, and for whole clients.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc, { type Arbitrary } from 'fast-check';
import type { Adapter, Alarm } from '../../src/adapters/adapter.ts';
import { Client, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { SharedTimer, type TimerHost } from '../../src/wheel.ts';
import { obligingly, ScriptedServer } from '../support/scripted-server.ts';

const DAY = 24 * 3_600_000;

/** A host that counts what is asked of it. */
class CountingHost implements TimerHost {
  readonly time: VirtualTime;
  alarms = 0;
  sets = 0;
  wakeUps = 0;
  readonly reported: unknown[] = [];

  constructor(time = new VirtualTime()) {
    this.time = time;
  }

  now = () => this.time.now();

  alarm = (ring: () => void): Alarm => {
    this.alarms++;
    const own = this.time.alarm(() => {
      this.wakeUps++;
      ring();
    });
    return {
      set: (millis) => {
        this.sets++;
        own.set(millis);
      },
      clear: () => own.clear(),
    };
  };

  report = (error: unknown) => void this.reported.push(error);
}

function shared(time?: VirtualTime, maxTimers?: number) {
  const host = new CountingHost(time);
  return { host, time: host.time, timer: new SharedTimer(host, { maxTimers }) };
}

// As if each alarm had a timer of its own.

/** What an alarm does when it rings: to itself, to the others, or to the one who called it. */
interface Deed {
  readonly does: 'set' | 'clear' | 'throw' | 'poke';
  readonly alarm: number;
  readonly millis: number;
}

type Step =
  | { readonly do: 'set'; readonly alarm: number; readonly millis: number; readonly deeds: readonly Deed[] }
  | { readonly do: 'clear'; readonly alarm: number }
  | { readonly do: 'advance' | 'jump'; readonly millis: number }
  | { readonly do: 'poke' };

const ALARMS = 6;
const index = fc.nat(ALARMS - 1);
const near = fc.oneof(fc.nat(3), fc.nat(400), fc.nat(200_000), fc.nat(12 * DAY));

const deed: Arbitrary<Deed> = fc.record({
  does: fc.constantFrom('set' as const, 'set' as const, 'clear' as const, 'throw' as const, 'poke' as const),
  alarm: index,
  millis: fc.integer({ min: 1, max: 500 }),
});

const step: Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      alarm: index,
      millis: near,
      deeds: fc.array(deed, { maxLength: 3 }),
    }),
  },
  fc.record({ do: fc.constant('clear' as const), alarm: index }),
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('advance' as const, 'jump' as const), millis: near }) },
  fc.record({ do: fc.constant('poke' as const) }),
);

/** Runs steps on alarms of whatever kind, and tells which rang when. */
function transcript(start: number, steps: readonly Step[], kind: 'shared' | 'own'): string[] {
  const time = new VirtualTime(start);
  const { timer } = shared(time);
  const told: string[] = [];
  const deeds: (readonly Deed[])[] = [];
  const poke = () => (kind === 'shared' ? timer.poke() : undefined);
  const carryOut = ({ does, alarm, millis }: Deed) => {
    if (does === 'throw') throw new Error('a deed');
    if (does === 'poke') return poke();
    if (does === 'clear') return alarms[alarm]!.clear();
    alarms[alarm]!.set(millis);
  };
  const ring = (own: number) => () => {
    told.push(`${time.now()}: ${own}`);
    const mine = deeds[own] ?? [];
    deeds[own] = [];
    if (kind === 'shared') return mine.forEach(carryOut);
    try {
      mine.forEach(carryOut);
    } catch {
      // As the shared timer's host would hear of it.
    }
  };
  const alarms = Array.from({ length: ALARMS }, (_, own) =>
    kind === 'shared' ? timer.alarm(ring(own)) : time.alarm(ring(own)),
  );
  for (const it of steps) {
    switch (it.do) {
      case 'set':
        deeds[it.alarm] = it.deeds;
        alarms[it.alarm]!.set(it.millis);
        break;
      case 'clear':
        alarms[it.alarm]!.clear();
        break;
      case 'poke':
        poke();
        break;
      default:
        time[it.do](it.millis);
    }
    time.advance(0);
  }
  time.advance(13 * DAY);
  assert.equal(time.pending(), 0);
  return told;
}

test('alarms that share a timer ring as alarms with a timer each do, in the same order, whatever their callbacks do', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 2 ** 32 - 100_000, 2 ** 31 - 100_000),
      fc.array(step, { maxLength: 40 }),
      (start, steps) => {
        assert.deepEqual(transcript(start, steps, 'shared'), transcript(start, steps, 'own'));
      },
    ),
    { numRuns: 1_500 },
  );
});

// What the host sees.

test('a thousand alarms are one timer of the host, and none when none is set', () => {
  const { host, time, timer } = shared();
  let rang = 0;
  const alarms = Array.from({ length: 1_000 }, () => timer.alarm(() => rang++));
  for (const [index, alarm] of alarms.entries()) alarm.set(1_000 + (index % 10));
  assert.equal(host.alarms, 1);
  assert.equal(time.pending(), 1);
  assert.equal(timer.size, 1_000);
  time.advance(2_000);
  assert.equal(rang, 1_000);
  assert.equal(host.wakeUps, 10);
  assert.equal(time.pending(), 0);
  for (const alarm of alarms) alarm.set(1_000);
  for (const alarm of alarms) alarm.clear();
  assert.equal(time.pending(), 0);
  assert.equal(timer.size, 0);
});

test('with few alarms the host wakes for what rings, and for nothing else, however they are moved and cleared', () => {
  const { host, time, timer } = shared();
  const alarms = Array.from({ length: 8 }, () => timer.alarm(() => {}));
  for (const [index, alarm] of alarms.entries()) alarm.set(1_000 * (index + 1));
  alarms[0]!.clear();
  alarms[1]!.set(50_000);
  alarms[2]!.clear();
  alarms[2]!.clear();
  alarms[3]!.set(4_500);
  time.advance(100_000);
  assert.equal(host.wakeUps, 6);
});

test('with many, one that is cleared costs a wake-up for nothing at most', () => {
  const { host, time, timer } = shared();
  const alarms = Array.from({ length: 100 }, () => timer.alarm(() => {}));
  for (const alarm of alarms) alarm.set(10_000);
  const sooner = timer.alarm(() => {});
  sooner.set(500);
  const { sets } = host;
  sooner.clear();
  assert.equal(host.sets, sets);
  time.advance(20_000);
  assert.equal(host.wakeUps, 2);
});

test('an alarm with slack rides with another that rings within it; it is never late, and never earlier than that', () => {
  const { host, time, timer } = shared();
  const rang: [string, number][] = [];
  const make = (name: string) => timer.alarm(() => void rang.push([name, time.now()]));
  make('publish').set(60_000);
  make('ping').set(63_000, 5_000);
  make('far').set(90_000, 5_000);
  make('alone').set(10_000, 8_000);
  time.advance(100_000);
  assert.deepEqual(rang, [
    ['alone', 10_000],
    ['publish', 60_000],
    ['ping', 60_000],
    ['far', 90_000],
  ]);
  assert.equal(host.wakeUps, 3);
});

test('a ping that would ride with a publish is put off by it instead', () => {
  const { host, time, timer } = shared();
  let pings = 0;
  const ping = timer.alarm(() => pings++);
  const publish = timer.alarm(() => {
    publish.set(60_000);
    ping.putOff(time.now() + 63_000); // It counts as a sign of life.
  });
  publish.set(60_000);
  ping.set(63_000, 5_000);
  time.advance(3_600_000);
  assert.equal(pings, 0);
  assert.equal(host.wakeUps, 60);
});

test('putting an alarm off is one store: nothing is asked of the host, and it rings at the later time', () => {
  const { host, time, timer } = shared();
  const rang: number[] = [];
  const alarm = timer.alarm(() => rang.push(time.now()));
  alarm.set(1_000);
  const { sets } = host;
  for (let sent = 0; sent < 9; sent++) {
    time.advance(100);
    alarm.putOff(time.now() + 1_000);
  }
  alarm.putOff(time.now() + 10); // Sooner than it is due.
  assert.equal(host.sets, sets);
  time.advance(5_000);
  assert.deepEqual(rang, [1_900]);
  assert.equal(host.wakeUps, 2);
  alarm.putOff(time.now() + 1_000); // It is not set.
  time.advance(5_000);
  assert.deepEqual(rang, [1_900]);
});

test('an alarm with slack that was put off keeps its window', () => {
  const { time, timer } = shared();
  const rang: number[] = [];
  const alarm = timer.alarm(() => rang.push(time.now()));
  alarm.set(1_000, 100);
  alarm.putOff(1_950);
  timer.alarm(() => {}).set(950);
  timer.alarm(() => {}).set(1_900);
  time.advance(5_000);
  assert.deepEqual(rang, [1_900]);
});

test('24.8 days, the longest that an alarm can be set to, are kept to the millisecond, across the wrap of the clock', () => {
  const { host, time, timer } = shared(new VirtualTime(2 ** 32 - 5_000));
  let rang = 0;
  timer.alarm(() => rang++).set(2 ** 31 - 1);
  time.advance(2 ** 30);
  time.advance(2 ** 30 - 2);
  assert.equal(rang, 0);
  time.advance(1);
  assert.equal(rang, 1);
  assert.equal(host.wakeUps, 2);
});

test('after a suspension in which timers stood still, poke() rings what is due, and sleeps on', () => {
  const { time, timer } = shared();
  const rang: string[] = [];
  timer.alarm(() => rang.push('first')).set(1_000);
  timer.alarm(() => rang.push('second')).set(3_600_000);
  timer.alarm(() => rang.push('last')).set(10_800_000);
  time.jump(7_200_000);
  timer.poke();
  assert.deepEqual(rang, ['first', 'second']);
  time.advance(3_600_000);
  assert.deepEqual(rang, ['first', 'second', 'last']);
  timer.poke();
  assert.equal(time.pending(), 0);
});

// When things go wrong.

test('a callback that throws is reported, and the others ring', () => {
  const { host, time, timer } = shared();
  let rang = 0;
  const fault = new Error('mine');
  const faulty = timer.alarm(() => {
    throw fault;
  });
  faulty.set(5);
  timer.alarm(() => rang++).set(5);
  time.advance(10);
  assert.equal(rang, 1);
  assert.deepEqual(host.reported, [fault]);
  faulty.set(5);
  time.advance(10);
  assert.deepEqual(host.reported, [fault, fault]);
});

test('wrong input gets a typed error, and changes nothing', () => {
  const { time, timer } = shared(undefined, 9);
  let rang = 0;
  const alarm = timer.alarm(() => rang++);
  alarm.set(10);
  for (const millis of [-1, 0.5, 2 ** 31, Number.NaN]) {
    assert.throws(() => alarm.set(millis), { code: 'bad-option', message: /the time of an alarm must be/ });
  }
  for (const slack of [-1, 0.5, 2 ** 23, Number.NaN]) {
    assert.throws(() => alarm.set(20, slack), { code: 'bad-option', message: /slack must be/ });
  }
  assert.throws(() => timer.alarm(undefined as never), { code: 'bad-option', message: 'ring must be a function' });
  assert.throws(() => new SharedTimer(new CountingHost(), { maxTimers: 0 }), { code: 'bad-option' });
  for (let other = 1; other < 9; other++) timer.alarm(() => {}).set(100);
  const tenth = timer.alarm(() => {});
  assert.throws(() => tenth.set(1), { code: 'queue-full' });
  assert.equal(timer.size, 9);
  time.advance(10);
  assert.equal(rang, 1);
  tenth.set(1);
  assert.equal(timer.size, 9);
});

// Clients.

/** What servers receive from clients that stay connected for an hour, with the host's timers that this takes. */
function anHour(clients: number, kind: 'shared' | 'own') {
  const time = new VirtualTime();
  const host = new CountingHost(time);
  const timer = new SharedTimer(host);
  const received: string[] = [];
  for (let index = 0; index < clients; index++) {
    const server = new ScriptedServer();
    server.respond = (packet, connection) => {
      received.push(`${time.now()}: ${index} ${packet.cmd}`);
      if (time.now() < 1_800_000 || packet.cmd !== 'pingreq') obligingly(packet, connection); // Then it falls silent.
    };
    const own: Adapter = { ...memoryAdapter({ time, accept: server.accept }), alarm: host.alarm };
    const client = new Client({
      adapter: kind === 'shared' ? timer.share(own) : own,
      endpoints: [{ host: 'server', port: 8883 }],
      identity: plainIdentity({ clientId: `device-${index}` }),
      keepAliveSeconds: 60 + 10 * index,
    });
    client.connect();
  }
  time.advance(3_600_000);
  return { received: received.sort(), alarms: host.alarms };
}

test('clients that share a timer send the same packets at the same times as clients with timers of their own', () => {
  const sharing = anHour(10, 'shared');
  const own = anHour(10, 'own');
  assert.deepEqual(sharing.received, own.received);
  assert.ok(sharing.received.length > 500, 'too little was sent to compare');
  assert.equal(sharing.alarms, 1);
  assert.equal(own.alarms, 11);
});

test('a shared adapter is the one below in all but time', () => {
  const time = new VirtualTime(77);
  const dialled: string[] = [];
  const reported: unknown[] = [];
  const below: Adapter = {
    ...memoryAdapter({
      time,
      accept: () => true,
      security: 'plaintext',
      random: () => 0.25,
      report: (it) => reported.push(it),
    }),
    dial: ({ host }) => {
      dialled.push(host);
      return undefined as never;
    },
    now: () => 0,
  };
  const adapter = new SharedTimer(new CountingHost(time)).share(below);
  adapter.dial({ host: 'somewhere', port: 1 }, undefined as never);
  adapter.report('fault');
  assert.equal(adapter.security, 'plaintext');
  assert.equal(adapter.random(), 0.25);
  assert.equal(adapter.now(), 77);
  assert.deepEqual([dialled, reported], [['somewhere'], ['fault']]);
});
