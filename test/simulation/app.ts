// An app that does everything a client allows, at random moments, also from inside the client's callbacks.

import type { QoS } from '../../src/framing/packet.ts';
import type { Client, MqttError, ReceivedMessage } from '../../src/index.ts';
import type { Auditor } from './auditor.ts';
import { type Broker, FORBIDDEN } from './broker.ts';
import { type Asked, type Ledger, payloadOf } from './ledger.ts';
import type { World } from './world.ts';

const TOPICS = ['a/1', 'a/2', 'b', 'b/c/d', 'secret/1'];
const FILTERS = ['a/1', 'a/+', '+/2', 'b/#', '#', FORBIDDEN];
const ACTIONS = {
  publish: 40,
  deliver: 30,
  subscribe: 12,
  unsubscribe: 4,
  acknowledge: 12,
  connect: 10,
  close: 2,
  abort: 2,
  poke: 2,
  closeByBroker: 2,
  restartBroker: 1.5,
};

/** What bounds the client's memory. */
export interface Bounds {
  readonly maxInFlight: number;
  readonly maxHeld: number;
  readonly queue: { readonly messages: number; readonly bytes: number };
}

export class App {
  readonly client: Client;
  /** What the app wants to be subscribed to at last: undefined when not. */
  readonly wishes = new Map<string, QoS | undefined>();
  private readonly world: World;
  private readonly ledger: Ledger;
  private readonly broker: Broker;
  private readonly audit: Auditor;
  private readonly bounds: Bounds;
  private readonly held: ReceivedMessage[] = [];
  private left: number;
  private isConnected = false;

  constructor(world: World, ledger: Ledger, broker: Broker, audit: Auditor, client: Client, bounds: Bounds) {
    this.world = world;
    this.ledger = ledger;
    this.broker = broker;
    this.audit = audit;
    this.client = client;
    this.bounds = bounds;
    this.left = world.random.between(20, 60);
    client.on('message', (message) => this.receive(message));
    client.on('connected', ({ sessionPresent }) => this.told(true, `session present ${sessionPresent}`));
    client.on('disconnected', ({ wasConnected, code }) => this.told(false, code, wasConnected));
    client.on('state', () => this.maybeAct());
    client.on('warning', ({ code, cause }) => world.must(code !== 'listener-failed', String(cause)));
  }

  /** Goes on until everything was done. */
  live(): void {
    this.act();
    if (!this.world.calm) this.world.later(this.world.random.delay(3_000, 20_000), () => this.live());
  }

  /** From now on the app only finishes: it is done with what it holds, and stays connected. */
  calmDown(): void {
    for (const it of this.held) this.finishLater(it);
    for (const millis of [0, 10_000, 20_000, 30_000]) this.world.later(millis, () => this.client.connect());
  }

  /** Memory is bounded. */
  check(): void {
    const { queued, queuedBytes, inFlight, held } = this.client.stats();
    const { maxInFlight, maxHeld, queue } = this.bounds;
    this.world.must(queued <= queue.messages && queuedBytes <= queue.bytes, `${queued} messages are queued`);
    this.world.must(inFlight <= maxInFlight, `${inFlight} messages are in flight`);
    this.world.must(held <= maxHeld + this.audit.mostInChunk, `${held} messages are held`);
  }

  /** Whether all of it has been dealt with, once the calm has lasted. */
  checkRest(): void {
    const { world } = this;
    const { state, queued, inFlight, held } = this.client.stats();
    world.must(state === 'connected', `after the calm the client is ${state}`);
    world.must(queued + inFlight + held === 0, `left: ${queued} queued, ${inFlight} in flight, ${held} held`);
    const has = [...(this.broker.session?.subscriptions ?? [])].map(String).sort();
    const wants = [...this.wishes].filter(([filter, qos]) => qos !== undefined && filter !== FORBIDDEN).map(String);
    world.must(has.join(' ') === wants.sort().join(' '), `subscribed to ${has.join(' ')}, not to ${wants.join(' ')}`);
    world.must(this.broker.session?.unfinished() === 0, 'the broker is left with messages');
  }

  /** The client says that it is connected, or no longer: each follows the other. */
  private told(isConnected: boolean, why: string, changes = true): void {
    this.world.note(`app: ${isConnected ? 'connected' : 'disconnected'}, ${why}`);
    this.world.must((this.isConnected !== isConnected) === changes, 'connected and disconnected do not alternate');
    this.isConnected = isConnected;
    this.maybeAct();
  }

  private act(): void {
    if (this.world.calm || this.left === 0) return;
    this.left--;
    const action = this.world.random.weighted(ACTIONS);
    this.world.note(`app: ${action}`);
    this[action]();
    this.check();
  }

  /** From a callback now and then. */
  private maybeAct(): void {
    if (this.world.random.chance(0.08)) this.act();
  }

  protected publish(): void {
    const { random } = this.world;
    for (let i = random.chance(0.2) ? random.between(1, 8) : 1; i > 0; i--) this.publishOne();
  }

  private publishOne(): void {
    const { random } = this.world;
    const index = this.ledger.upward.length;
    const qos = random.between(0, 2) as QoS;
    const name = `message ${index} of QoS ${qos}`;
    const message = { name, index, qos, settled: 0, error: undefined, arrivals: 0, renewals: 0 };
    this.ledger.upward.push(message);
    const payload = payloadOf(index, random.between(0, 40));
    this.world.note(`app: publishes ${name}`);
    this.ask(message, (done) =>
      this.client.publish(random.pick(TOPICS), payload, { qos, retain: random.chance(0.1) }, done),
    );
  }

  protected deliver(): void {
    const { random } = this.world;
    for (let i = random.between(1, 4); i > 0; i--)
      this.broker.publish(random.pick(TOPICS), random.between(0, 2) as QoS);
  }

  protected subscribe(): void {
    const filter = this.world.random.pick(FILTERS);
    const qos = this.world.random.between(0, 2) as QoS;
    this.wishes.set(filter, qos);
    this.ask(this.newAsked(`subscribing to ${filter}`), (done) => this.client.subscribe(filter, { qos }, done));
  }

  protected unsubscribe(): void {
    const filter = this.world.random.pick(FILTERS);
    this.wishes.set(filter, undefined);
    this.ask(this.newAsked(`unsubscribing from ${filter}`), (done) => this.client.unsubscribe(filter, done));
  }

  protected acknowledge(): void {
    if (this.held.length > 0) this.finish(this.world.random.take(this.held));
  }

  protected connect(): void {
    this.client.connect();
  }

  protected close(): void {
    const asked = this.newAsked('closing');
    this.audit.deaf = true;
    this.ask(asked, (done) => this.client.close(done));
  }

  protected abort(): void {
    this.client.abort();
  }

  protected poke(): void {
    this.client.poke();
  }

  protected closeByBroker(): void {
    this.broker.close();
  }

  protected restartBroker(): void {
    this.broker.restart();
  }

  private newAsked(name: string): Asked {
    return { name, settled: 0, error: undefined };
  }

  /** Hands an operation to the client, which takes it or throws because its queue is full. */
  private ask(asked: Asked, hand: (done: (error?: MqttError) => void) => void): void {
    this.ledger.asked.push(asked);
    let refused = false;
    try {
      hand((error) => {
        this.world.must(!refused, `${asked.name} was refused and settled`);
        this.ledger.settled(asked, error);
        this.maybeAct();
      });
    } catch (error) {
      const isRefusal = ['queue-full', 'packet-too-large'].includes((error as MqttError).code);
      this.world.must(isRefusal, String((error as Error).stack));
      this.ledger.settled(asked, error as MqttError);
      refused = true;
    }
  }

  private receive(message: ReceivedMessage): void {
    this.ledger.arrivedDown(message.payload, message.qos);
    if (this.world.random.chance(0.4)) this.keep(message);
    this.maybeAct();
  }

  private keep(message: ReceivedMessage): void {
    this.client.hold(message);
    this.held.push(message);
    if (this.world.calm) this.finishLater(message);
  }

  private finishLater(message: ReceivedMessage): void {
    this.world.later(this.world.random.between(0, 3_000), () => this.finish(message));
  }

  private finish(message: ReceivedMessage): void {
    this.client.acknowledge(message);
    if (this.world.random.chance(0.05)) this.client.acknowledge(message); // Once more does nothing.
  }
}
