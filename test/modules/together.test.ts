// Every module on one client, and an app that calls anything at any moment, also from inside listeners, callbacks and handlers:
// nothing throws but errors with a code, everything settles once, nothing is left behind.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { BlackBox } from '../../src/black-box.ts';
import { decodeBlackBox } from '../../src/black-box-decoder.ts';
import { exactlyOnce, type MqttError, type QoS } from '../../src/index.ts';
import { lengthenKeepAlive } from '../../src/patience.ts';
import { PolicyQueue } from '../../src/policy-queue.ts';
import { type MessageStream, PromiseClient } from '../../src/promises.ts';
import { quarantine } from '../../src/quarantine.ts';
import { Router } from '../../src/router.ts';
import { persistSession } from '../../src/store.ts';
import { watchTakeover } from '../../src/takeover.ts';
import { recordTrace, replayTrace } from '../../src/trace.ts';
import { Random } from '../simulation/random.ts';
import { obligingly } from '../support/scripted-server.ts';
import { world } from '../support/world.ts';

const ACTIONS = {
  publish: 30,
  cancel: 4,
  subscribe: 6,
  unsubscribe: 3,
  connect: 10,
  close: 3,
  abort: 2,
  poke: 3,
  deliver: 25,
  promisePublish: 8,
  promiseConnect: 5,
  promiseSubscribe: 4,
  promiseClose: 2,
  stream: 5,
  next: 20,
  leave: 3,
  fire: 3,
  drop: 6,
  refuse: 2,
  time: 30,
};

const TOPICS = ['a', 'b/1', 'b/2', 'c/d/e'];
const FILTERS = ['a', 'b/+', 'c/#', '#'];

async function live(seed: number): Promise<void> {
  const random = new Random(seed);
  const queue = new PolicyQueue(
    [
      { filter: 'a', policy: 'latest', messages: 3, timeToLiveMillis: 5_000 },
      { filter: 'b/1', policy: 'drop-oldest', messages: 2 },
      { filter: 'b/2', policy: 'drop-newest' },
    ],
    { messages: 8, bytes: 200 },
  );
  const it = world(
    { delivery: exactlyOnce, queue, maxInFlight: 3, maxHeld: 3, keepAliveSeconds: 60, maxFiltersPerSubscribe: 2 },
    { latency: () => random.delay(50, 400), random: () => random.next(), report: () => {} },
  );
  const { client, server, time } = it;
  const records = new Map<string, Uint8Array>();
  persistSession(client, {
    put: (key, record) => void records.set(key, record.slice()),
    remove: (key) => void records.delete(key),
    each: () => {},
  });
  const trace: string[] = [];
  recordTrace(client, (line) => trace.push(line));
  quarantine(client, { strikes: 2 });
  watchTakeover(client);
  lengthenKeepAlive(client);
  const box = new BlackBox(client);
  const router = new Router(client);
  const device = new PromiseClient(client);

  /** What was begun, by number, and how often it has ended. */
  const ends: number[] = [];
  const begin = () => ends.push(0) - 1;
  const ended = (number: number) => {
    ends[number]!++;
  };
  const awaited = (promise: Promise<unknown>) => {
    const number = begin();
    promise.then(
      () => ended(number),
      (error: MqttError) => {
        assert.equal(error.name, 'MqttError', String(error));
        ended(number);
      },
    );
  };
  const controllers: AbortController[] = [];
  const streams: MessageStream[] = [];
  const operations: ReturnType<typeof client.publish>[] = [];
  const later: (() => void)[] = [];
  let depth = 0;
  let packetId = 0;
  let refusals = 0;

  const signal = () => {
    if (random.chance(0.5)) return undefined;
    const controller = new AbortController();
    controllers.push(controller);
    if (random.chance(0.1)) controller.abort();
    return controller.signal;
  };
  const limits = () => ({
    signal: signal(),
    ...(random.chance(0.3) ? { timeoutMillis: random.between(1, 9_000) } : {}),
  });
  /** A callback of the app: it may do anything. */
  const callback = () => {
    if (depth < 3 && random.chance(0.15)) act();
    if (random.chance(0.02)) throw new Error('the app failed');
  };
  const run: Record<keyof typeof ACTIONS, () => void> = {
    publish() {
      const number = begin();
      try {
        const qos = random.between(0, 2) as QoS;
        const text = 'x'.repeat(random.between(0, 80));
        operations.push(
          client.publish(random.pick(TOPICS), text, { qos }, () => {
            ended(number);
            callback();
          }),
        );
      } catch (error) {
        assert.equal((error as MqttError).name, 'MqttError', String(error));
        assert.equal(ends[number], 0);
        ended(number);
      }
    },
    cancel: () => operations.length > 0 && client.cancel(random.pick(operations)),
    subscribe() {
      const number = begin();
      const handler = () => {
        callback();
        if (random.chance(0.5)) return;
        return new Promise<void>((resolve, reject) =>
          later.push(random.chance(0.8) ? resolve : () => reject('failed')),
        );
      };
      router.subscribe(random.pick(FILTERS), { qos: random.between(0, 2) as QoS }, handler, () => {
        ended(number);
        callback();
      });
    },
    unsubscribe() {
      const number = begin();
      router.unsubscribe(random.pick(FILTERS), () => {
        ended(number);
        callback();
      });
    },
    connect: () => client.connect(),
    close() {
      const number = begin();
      client.close(() => {
        ended(number);
        callback();
      });
    },
    abort: () => client.abort(),
    poke: () => client.poke(),
    deliver() {
      const qos = random.between(0, 2) as QoS;
      packetId = (packetId % 65_535) + 1;
      const message = { topic: random.pick(TOPICS), payload: 'y', qos, messageId: packetId, dup: false, retain: false };
      server.connections.at(-1)?.send({ cmd: 'publish', ...message });
    },
    promisePublish: () =>
      awaited(device.publish(random.pick(TOPICS), 'z', { qos: random.between(0, 2) as QoS, ...limits() })),
    promiseConnect: () => awaited(device.connect(limits())),
    promiseSubscribe: () => awaited(device.subscribe(random.pick(FILTERS), { qos: 1, ...limits() })),
    promiseClose: () => awaited(device.close()),
    stream: () => streams.push(device.messages(random.pick(FILTERS), { qos: 2, signal: signal(), maxBuffered: 4 })),
    next: () => streams.length > 0 && awaited(random.pick(streams).next()),
    leave: () => streams.length > 0 && awaited(random.take(streams).return()),
    fire: () => controllers.length > 0 && random.take(controllers).abort(),
    drop: () => server.connections.at(-1)?.peer.close(),
    refuse() {
      refusals = random.between(1, 3);
    },
    time: () => undefined,
  };
  const act = () => {
    depth++;
    run[random.weighted(ACTIONS)]();
    depth--;
  };

  server.respond = (packet, connection) => {
    if (packet.cmd === 'connect') {
      const returnCode = refusals-- > 0 ? random.between(1, 5) : 0;
      const sessionPresent = returnCode === 0 && random.chance(0.6);
      return connection.send({ cmd: 'connack', returnCode, sessionPresent });
    }
    if (random.chance(0.9)) obligingly(packet, connection);
  };
  for (const name of ['connected', 'disconnected', 'message', 'warning', 'state'] as const) client.on(name, callback);

  for (let n = 0; n < 120; n++) {
    for (let burst = random.chance(0.3) ? random.between(2, 5) : 1; burst > 0; burst--) act();
    if (later.length > 0 && random.chance(0.4)) random.take(later)();
    time.advance(random.chance(0.5) ? random.between(0, 60) : random.delay(300, 60_000));
    if (n % 8 === 0) await turn();
    const { queued, queuedBytes, inFlight } = client.stats();
    assert.ok(queued <= 8 && queuedBytes <= 200 && inFlight <= 3, `${queued} ${queuedBytes} ${inFlight}`);
    assert.ok(server.connections.filter(({ closed, peer }) => peer.open && !closed).length <= 1, 'one connection');
  }

  // The end of it: nobody is left waiting, nothing is left behind.
  for (const [name, off] of [['connected', callback]] as const) client.off(name, off);
  depth = 3; // Callbacks do nothing any more.
  for (const resolve of later) resolve();
  awaited(device.close());
  for (let n = 0; n < 4; n++) {
    time.advance(60_000);
    await turn();
  }
  for (const it of streams) awaited(it.return());
  await turn();
  client.close();
  time.advance(60_000);
  await turn();
  assert.deepEqual(
    ends.flatMap((times, number) => (times === 1 ? [] : [`${number} ended ${times} times`])),
    [],
  );
  assert.deepEqual([client.stats().state, client.stats().queued, time.pending()], ['idle', 0, 0]);
  for (const { signal } of controllers) assert.equal(getEventListeners(signal, 'abort').length, 0, 'a signal is left');
  for (const { code } of decodeBlackBox(box.dump())) assert.ok(!code.startsWith('unknown'), code);
  const kept = [...records.keys()].filter((key) => key.startsWith('o'));
  assert.equal(kept.length, client.stats().inFlight, 'the store has what is in flight');
  replayTrace(trace, { delivery: exactlyOnce, maxInFlight: 3 });
}

const SEEDS = Number(process.env.SEEDS ?? 100);
const FIRST = Number(process.env.SEED ?? 1);

test(`${SEEDS} lives from seed ${FIRST} on: everything settles once, nothing is left`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      await live(seed);
    } catch (error) {
      throw new Error(`SEED=${seed} SEEDS=1: ${(error as Error).message}`, { cause: error });
    }
  }
});
