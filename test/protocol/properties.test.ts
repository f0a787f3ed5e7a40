// Properties of the state machine: however bytes are cut it does the same, it does what the model does, and it never throws.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc, { type Arbitrary } from 'fast-check';
import { type Incoming, PacketType, type QoS } from '../../src/framing/packet.ts';
import { serverBytes } from '../simulation/wire.ts';
import {
  type Bench,
  bench,
  codeOf,
  connack,
  messageOf,
  pingresp,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  suback,
  unsuback,
} from './machine.ts';
import { Model } from './model.ts';

const OPTIONS = { maxInFlight: 3, keepAlive: 20_000, pingTimeout: 4_000 };
/** Where the clock of the machine begins: it wraps during most runs. The model's does not. */
const START = 2 ** 32 - 60_000;

/** A packet of the server. `back` names an identifier by how long ago the client gave it out. */
interface Draw {
  readonly kind: keyof typeof MAKERS;
  readonly back: number;
  readonly qos: QoS;
  readonly flag: boolean;
}

let names = 0;

const MAKERS = {
  connack: ({ flag, back }: Draw) => connack(flag && back < 4, back === 4 ? 3 : 0),
  publish: ({ back, qos, flag }: Draw) => publish(qos > 0 ? back + 1 : 0, qos, `in${names++}`, flag && qos > 0),
  puback: ({ back }: Draw, last: number) => puback(Math.max(1, last - back)),
  pubrec: ({ back }: Draw, last: number) => pubrec(Math.max(1, last - back)),
  pubrel: ({ back }: Draw) => pubrel(back + 1),
  pubcomp: ({ back }: Draw, last: number) => pubcomp(Math.max(1, last - back)),
  suback: ({ back, flag }: Draw, last: number) => suback(Math.max(1, last - back), ...(flag ? [0] : [1, 128])),
  unsuback: ({ back }: Draw, last: number) => unsuback(Math.max(1, last - back)),
  pingresp: () => pingresp,
};

const kinds = Object.keys(MAKERS) as (keyof typeof MAKERS)[];
const QOS: readonly QoS[] = [0, 1, 2];

const draw: Arbitrary<Draw> = fc.record({
  kind: fc.constantFrom(...kinds, 'publish' as const, 'puback' as const, 'pubrec' as const, 'pubcomp' as const),
  back: fc.nat(4),
  qos: fc.constantFrom(...QOS),
  flag: fc.boolean(),
});

const make = (it: Draw, last: number): Incoming => MAKERS[it.kind](it, last);

/** What happens to the machine and to the model alike. Each gives the code that the machine threw, and the model's. */
class Twins {
  readonly it: Bench = bench({ maxInFlight: OPTIONS.maxInFlight, pingTimeoutMillis: OPTIONS.pingTimeout });
  readonly model = new Model(OPTIONS);
  now = 0;
  private count = 0;

  get instant(): number {
    return (START + this.now) >>> 0;
  }

  opened(clean: boolean): void {
    if (this.model.phase !== 'closed') return;
    this.it.connection.opened(
      { clientId: 'device', cleanSession: clean, keepAliveSeconds: OPTIONS.keepAlive / 1_000 },
      this.instant,
    );
    this.model.opened(clean, this.now);
  }

  input(packets: readonly Incoming[]): void {
    this.it.connection.input(Buffer.concat(packets.map(serverBytes)), this.instant);
    this.model.input(packets, this.now);
  }

  closed(): void {
    this.it.connection.closed(this.instant);
    this.model.closed(this.now);
  }

  publish(qos: QoS): void {
    const name = `out${this.count++}`;
    const code = codeOf(() => this.it.connection.publish(messageOf(name, qos), this.instant));
    assert.equal(code, this.model.publish(name, qos, this.now));
  }

  subscribe(filters: number): void {
    const list = ['a', 'b'].slice(0, filters).map((filter) => ({ filter, qos: 1 as const }));
    const code = codeOf(() => this.it.connection.request({ filters: list }, this.instant));
    const line: [string, string] = ['SUBSCRIBE packetId=', ` filters=${JSON.stringify(list)}`];
    const name = list.map(({ filter }) => filter).join(' ');
    assert.equal(code, this.model.request(PacketType.Subscribe, name, filters, line, this.now));
  }

  unsubscribe(): void {
    const code = codeOf(() => this.it.connection.request({ filters: ['a'] }, this.instant));
    const line: [string, string] = ['UNSUBSCRIBE packetId=', ' filters=["a"]'];
    assert.equal(code, this.model.request(PacketType.Unsubscribe, 'no a', 1, line, this.now));
  }

  acknowledge(back: number): void {
    const message = this.it.messages.at(-1 - back);
    if (!message) return;
    this.it.connection.acknowledge(message, this.instant);
    this.model.acknowledge(Buffer.from(message.payload).toString());
  }

  disconnect(): void {
    this.it.connection.disconnect(this.instant);
    this.model.disconnect();
  }

  pass(millis: number): void {
    this.now += millis;
    this.it.connection.timeout(this.instant);
    this.model.timeout(this.now);
  }

  unread(value: boolean): void {
    this.it.connection.unread = value;
    this.model.unread = value;
  }

  compare(): void {
    assert.deepEqual(this.it.drain(), this.model.take());
    const next = this.model.nextTimeout();
    assert.equal(this.it.connection.nextTimeout(), next === undefined ? undefined : (START + next) >>> 0);
    const { unknown, deliveries, inbox } = this.it.connection;
    assert.equal(unknown, this.model.unknown);
    assert.deepEqual(
      deliveries.map((one) => one.packetId),
      this.model.out.map(({ id }) => id),
    );
    assert.equal(inbox.held(), this.model.in.filter(({ step }) => step === 'app' || step === 'lost').length);
  }
}

interface Step {
  readonly run: (twins: Twins) => void;
  [fc.toStringMethod]: () => string;
}

/** A step that a counterexample shows by its name and what it was drawn from. */
const named = (name: string, run: (twins: Twins) => void, drawn: unknown = ''): Step => ({
  run,
  [fc.toStringMethod]: () => `${name} ${JSON.stringify(drawn)}`,
});

const connecting = (clean: boolean, present: boolean, more: readonly Draw[]) => (twins: Twins) => {
  if (twins.model.phase !== 'closed') twins.closed();
  twins.opened(clean);
  twins.compare();
  const last = twins.model.lastId;
  twins.input([connack(present && !clean), ...more.map((it) => make(it, last))]);
};

const receiving = (list: readonly Draw[]) => (twins: Twins) =>
  twins.input(list.map((it) => make(it, twins.model.lastId)));

/** Each step, as often as its weight says. */
const steps: readonly [weight: number, Arbitrary<Step>][] = [
  [
    30,
    fc
      .tuple(fc.boolean(), fc.boolean(), fc.array(draw, { maxLength: 3 }))
      .map((it) => named('connect', connecting(...it), it)),
  ],
  [10, fc.boolean().map((clean) => named('open', (twins) => twins.opened(clean), clean))],
  [80, fc.array(draw, { minLength: 1, maxLength: 3 }).map((list) => named('receive', receiving(list), list))],
  [10, fc.constant(named('close', (twins) => twins.closed()))],
  [60, fc.constantFrom(...QOS).map((qos) => named('publish', (twins) => twins.publish(qos), qos))],
  [20, fc.constantFrom(1, 2).map((count) => named('subscribe', (twins) => twins.subscribe(count), count))],
  [10, fc.constant(named('unsubscribe', (twins) => twins.unsubscribe()))],
  [40, fc.nat(4).map((back) => named('acknowledge', (twins) => twins.acknowledge(back), back))],
  [3, fc.constant(named('disconnect', (twins) => twins.disconnect()))],
  [20, fc.nat(20_000).map((millis) => named('pass', (twins) => twins.pass(millis), millis))],
  [5, fc.boolean().map((value) => named('unread', (twins) => twins.unread(value), value))],
];
const step = fc.oneof(...steps.map(([weight, arbitrary]) => ({ weight, arbitrary })));

test('[MQTT-4] whatever happens in whatever order, the machine does what the model does', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), (list) => {
      const twins = new Twins();
      for (const { run } of list) {
        run(twins);
        twins.compare();
      }
    }),
    { numRuns: 2_000, includeErrorInReport: true },
  );
});

/** A machine in the midst of everything: connected, with messages and requests under way. */
function busy(): Bench {
  const it = bench();
  it.connect();
  for (const qos of QOS) it.publish(`out${qos}`, qos);
  it.connection.request({ filters: [{ filter: 'a', qos: 1 }] }, 0);
  it.drain();
  return it;
}

test('[MQTT-4.2.0-1] however the bytes of the server are cut, the machine does the same', () => {
  fc.assert(
    fc.property(fc.array(draw, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(300)), (list, cuts) => {
      const bytes = Buffer.concat(list.map((it) => serverBytes(make(it, 4))));
      const whole = busy();
      whole.connection.input(bytes, 0);
      const parts = busy();
      const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      ends.forEach((end, index) => {
        parts.connection.input(bytes.subarray(ends[index - 1] ?? 0, end), 0);
      });
      assert.deepEqual(parts.drain(), whole.drain());
    }),
    { numRuns: 1_000 },
  );
});

test('[MQTT-4.2.0-1] bytes that come one at a time are read as those that come at once', () => {
  fc.assert(
    fc.property(fc.array(draw, { minLength: 1, maxLength: 8 }), (list) => {
      const bytes = Buffer.concat(list.map((it) => serverBytes(make(it, 4))));
      const whole = busy();
      whole.connection.input(bytes, 0);
      const parts = busy();
      for (const byte of bytes) parts.connection.input(Uint8Array.of(byte), 0);
      assert.deepEqual(parts.drain(), whole.drain());
    }),
  );
});

/** Calls in any order, each of which may throw only an error of ours. */
const call: Arbitrary<(it: Bench) => unknown> = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => (it: Bench) => it.connection.input(bytes, 0)),
  draw.map((one) => (it: Bench) => it.connection.input(serverBytes(make(one, 3)), 0)),
  fc.nat().map((now) => (it: Bench) => it.connection.timeout(now)),
  fc.constantFrom(
    (it: Bench) => it.open(),
    (it: Bench) => it.connect(true),
    (it: Bench) => it.connection.closed(0),
    (it: Bench) => it.connection.disconnect(0),
    (it: Bench) => it.connection.poll(),
    (it: Bench) => it.connection.publish(messageOf('x', 1), 0),
    (it: Bench) => it.connection.publish(messageOf('x', 2), 0),
    (it: Bench) => it.connection.request({ filters: ['a'] }, 0),
    (it: Bench) => it.messages[0] && it.connection.acknowledge(it.messages[0], 0),
  ),
);

test('poll() never throws, and every other call throws nothing but errors with a code', () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 40, size: 'max' }), (calls) => {
      const it = bench({ maxInFlight: 2 });
      for (const run of calls) {
        const code = codeOf(() => run(it));
        assert.ok(code === undefined || code === 'not-connected' || code === 'window-full', code);
        assert.doesNotThrow(() => it.connection.nextTimeout());
      }
      assert.doesNotThrow(() => it.drain());
    }),
    { numRuns: 1_000 },
  );
});
