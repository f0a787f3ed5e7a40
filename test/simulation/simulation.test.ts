// Some hundred seeds of the simulation, and proof that it would notice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '../../src/index.ts';
import type { Connection } from '../../src/protocol/connection.ts';
import { simulate } from './simulation.ts';

const SEEDS = 300;

test(`[MQTT-4.3] in ${SEEDS} runs of a failing network nothing is lost, doubled, out of order or left behind`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) simulate(seed);
});

test('a seed makes the same run again', () => {
  const lines = [7, 7].map((seed) => {
    const printed: string[] = [];
    simulate(seed, { print: (line) => printed.push(line) });
    return printed;
  });
  assert.ok(lines[0]!.length > 100);
  assert.deepEqual(lines[0], lines[1]);
});

/** The state machine inside a client. */
const machineOf = (client: Client): Connection => client.connection;

/** Calls `change` in place of a method; it gets the method as it was. */
function replace<Owner extends object, Name extends keyof Owner>(
  owner: Owner,
  name: Name,
  change: (original: Owner[Name]) => Owner[Name],
): void {
  const original = owner[name] as (...args: unknown[]) => unknown;
  owner[name] = change(original.bind(owner) as Owner[Name]);
}

const FAULTS: readonly [title: string, rule: RegExp, sabotage: (client: Client) => void][] = [
  [
    '[MQTT-3.3.1-1] a client that never sets DUP',
    /a re-send without DUP/,
    (client) =>
      replace(machineOf(client).outbox, 'next', (next) => () => {
        const packet = next();
        return packet && 'dup' in packet ? { ...packet, dup: false } : packet;
      }),
  ],
  [
    '[MQTT-4.3.2-2] a client that acknowledges messages and drops every fifth',
    /was never received/,
    (client) => {
      let count = 0;
      replace(machineOf(client), 'deliver', (deliver) => (message) => {
        if (message.qos === 0 || ++count % 5 > 0) return deliver(message);
        const connection = machineOf(client);
        connection.inbox.handled(message);
        connection.inbox.answerInTurn();
      });
    },
  ],
  [
    '[MQTT-4.3.3-2] a client that delivers a repeated QoS 2 PUBLISH again',
    /was received \d times|not owed/,
    (client) => {
      const machine = machineOf(client);
      replace(machine.inbox, 'receive', (receive) => (packet) => {
        machine.receipts = machine.receipts.filter((it) => it.packetId !== packet.packetId);
        receive(packet);
      });
    },
  ],
  [
    '[MQTT-2.3.1-2] a client that uses few packet identifiers',
    /in flight twice/,
    (client) => {
      let last = 0;
      replace(machineOf(client), 'nextPacketId', () => () => (last = (last % 3) + 1));
    },
  ],
  [
    '[MQTT-3.1.2-23] a client that never pings',
    /nothing that counts was sent/,
    (client) => replace(machineOf(client).keepAlive, 'next', () => () => undefined),
  ],
  [
    '[MQTT-4.6.0-1] a client that sends the newest first after a reconnect',
    /out of order/,
    (client) =>
      replace(machineOf(client), 'closed', (closed) => (now) => {
        closed(now);
        machineOf(client).deliveries.reverse();
      }),
  ],
  [
    '[MQTT-4.4.0-1] a client that forgets what was in flight',
    /a re-send out of order/,
    (client) =>
      replace(machineOf(client), 'closed', (closed) => (now) => {
        closed(now);
        machineOf(client).deliveries.pop();
      }),
  ],
  [
    'a client that leaves its timer running',
    /a timer is set after close/,
    (client) => {
      const { timer } = client as unknown as { timer: { clear(): void } };
      timer.clear = () => {};
    },
  ],
];

/** What the first of so many seeds that fails says. */
function firstFault(sabotage: (client: Client) => void): string {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      simulate(seed, { sabotage });
    } catch (error) {
      return String(error);
    }
  }
  return `${SEEDS} seeds passed`;
}

for (const [title, rule, sabotage] of FAULTS) {
  test(`${title} is caught`, () => assert.match(firstFault(sabotage), rule));
}
