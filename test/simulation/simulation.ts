// One run from one seed: a client, a faulty network and a broker in virtual time, some minutes of trouble and then calm.

import { Client, exactlyOnce, plainIdentity } from '../../src/index.ts';
import { memoryAdapter } from '../../src/memory.ts';
import { App } from './app.ts';
import { Auditor } from './auditor.ts';
import { Broker } from './broker.ts';
import { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { type Totals, World } from './world.ts';

const SECOND = 1_000;
/** Longer than a keep-alive that runs out at either side, and everything that is left to do after it. */
const CALM = 180 * SECOND;
const GOODBYE = 90 * SECOND;

export interface SimulationOptions {
  /** Prints the events of the run. */
  readonly print?: ((line: string) => void) | undefined;
  /** Breaks the client, to see that the run notices. */
  readonly sabotage?: ((client: Client) => void) | undefined;
}

function randomOptions(random: Random) {
  const keepAliveSeconds = random.between(4, 30);
  return {
    delivery: exactlyOnce,
    keepAliveSeconds,
    pingTimeoutMillis: random.between(1_000, 10_000),
    // No longer than the keep-alive: nothing is sent while CONNACK is awaited.
    connectTimeoutMillis: random.between(2_000, Math.min(8, keepAliveSeconds) * SECOND),
    closeTimeoutMillis: random.between(0, 3_000),
    cleanSession: random.chance(0.25),
    maxInFlight: random.between(1, 6),
    maxHeld: random.between(1, 4),
    maxFiltersPerSubscribe: random.between(1, 3),
    queue: { messages: random.between(0, 40), bytes: random.between(40, 2_000) },
    reconnect: { minMillis: random.between(50, 1_000), maxMillis: 5_000, stableMillis: random.between(0, 20_000) },
  };
}

/** Time goes on in small steps until it is over or something was wrong. */
function pass(world: World, app: App, millis: number): void {
  for (let left = millis; left > 0 && world.faults.length === 0; left -= SECOND) {
    world.time.advance(SECOND);
    app.check();
  }
}

function sayGoodbye(world: World, app: App, audit: Auditor): void {
  let closed = 0;
  audit.deaf = true;
  app.client.close(() => {
    closed++;
    world.must(!audit.armed, 'a timer is set after close()');
  });
  pass(world, app, GOODBYE);
  world.must(closed === 1, `close() called back ${closed} times`);
  world.must(audit.isIdle(), 'a connection is open after close()');
  world.must(world.time.pending() === 0, 'something is still going on after close()');
}

/**
 * @returns what happened how often
 * @throws Error with the seed and the first rule that was broken
 */
export function simulate(seed: number, { print, sabotage }: SimulationOptions = {}): Totals {
  const random = new Random(seed);
  const world = new World(random, print);
  const ledger = new Ledger(world);
  const broker = new Broker(world, ledger);
  const options = randomOptions(random);
  const audit = new Auditor(world, ledger, options.keepAliveSeconds);
  audit.onAccepted = () => broker.read();
  const { time } = world;
  const base = memoryAdapter({
    time,
    accept: broker.accept,
    random: () => random.next(),
    latency: () => (world.calm ? 10 : random.delay(80, 3_000)),
  });
  const client = new Client({
    ...options,
    adapter: audit.adapter(base),
    endpoints: [{ host: 'broker', port: 8883 }],
    identity: plainIdentity({ clientId: 'device' }),
  });
  sabotage?.(client);
  const app = new App(world, ledger, broker, audit, client, options);
  world.note(JSON.stringify(options));
  client.connect();
  app.live();
  pass(world, app, random.between(60, 180) * SECOND);
  world.calm = true;
  world.note('calm');
  app.calmDown();
  pass(world, app, CALM);
  if (world.faults.length === 0) app.checkRest();
  if (world.faults.length === 0) ledger.close();
  if (world.faults.length === 0) sayGoodbye(world, app, audit);
  const [fault] = world.faults;
  if (fault !== undefined) throw new Error(`seed ${seed}: ${fault}`);
  return world.totals;
}
