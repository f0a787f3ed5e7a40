// Draws the state machines from their tables: `tsx test/diagrams/diagrams.ts` writes README.md beside it, --check compares.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PacketType } from '../../src/framing/packet.ts';
import { atLeastOnce, Event, type Rules, State } from '../../src/protocol/delivery.ts';
import { exactlyOnce } from '../../src/protocol/exactly-once.ts';

const FILE = join(import.meta.dirname, 'README.md');

const nameOf = (table: Readonly<Record<string, number>>, value: number): string | undefined =>
  Object.keys(table).find((name) => table[name] === value);

/** Events of our own are lower case, packets are as in the standard. */
const OWN: Readonly<Record<string, string>> = {
  Handled: 'app is done',
  Turn: 'its turn has come',
  Lost: 'connection lost',
};

function eventName(event: number): string {
  const own = nameOf(Event, event);
  return own ? OWN[own]! : nameOf(PacketType, event)!.toUpperCase();
}

const stateName = (state: number): string => nameOf(State, state)!;

/** States in which nothing is known of an identifier: where both begin, and where Done leads. */
const UNKNOWN: readonly number[] = [State.UnknownSent, State.UnknownReceived];

/** How messages come into the states that no row leads to. */
const ENTRANCES: readonly (readonly [state: number, label: string])[] = [
  [State.AwaitingPuback, 'PUBLISH QoS 1 sent'],
  [State.AwaitingPubrec, 'PUBLISH QoS 2 sent'],
  [State.HandlingQos1, 'PUBLISH QoS 1'],
  [State.HandlingQos2, 'PUBLISH QoS 2'],
];

function diagram(rules: Rules, sending: boolean): string {
  const belongs = (state: number) => state <= State.UnknownSent === sending;
  const lines = ['```mermaid', 'stateDiagram-v2'];
  for (const [state, label] of ENTRANCES) {
    if (rules[state] && belongs(state)) lines.push(`  [*] --> ${stateName(state)}: ${label}`);
  }
  for (const [from, row] of Object.entries(rules)) {
    const state = Number(from);
    if (!belongs(state)) continue;
    for (const [event, [next, answer]] of Object.entries(row)) {
      const label = eventName(Number(event)) + (answer ? ` / ${nameOf(PacketType, answer)!.toUpperCase()}` : '');
      const target = next === State.Done ? (UNKNOWN.includes(state) ? stateName(state) : '[*]') : stateName(next);
      lines.push(`  ${stateName(state)} --> ${target}: ${label}`);
    }
  }
  return [...lines, '```'].join('\n');
}

const text = `# How a message is delivered

Drawn by \`diagrams.ts\` from the tables that the machine runs on, [\`delivery.ts\`](../../src/protocol/delivery.ts) and
[\`exactly-once.ts\`](../../src/protocol/exactly-once.ts). An arrow says what happens, and behind the slash what is sent. An event
that a state has no arrow for is a violation of the protocol: the connection is closed.

## Sending, QoS 1 (\`atLeastOnce\`)

${diagram(atLeastOnce, true)}

## Receiving, QoS 1

${diagram(atLeastOnce, false)}

## Sending, QoS 1 and 2 (\`exactlyOnce\`)

${diagram(exactlyOnce, true)}

## Receiving, QoS 1 and 2

${diagram(exactlyOnce, false)}
`;

if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text);
} else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('test/diagrams/README.md is stale: run npx tsx test/diagrams/diagrams.ts');
  process.exitCode = 1;
}
