// The transition tables of delivery (4.3): frozen, complete, and leading nowhere but to states that exist.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType } from '../../src/framing/packet.ts';
import { atLeastOnce, Event, type Rules, State } from '../../src/protocol/delivery.ts';
import { exactlyOnce } from '../../src/protocol/exactly-once.ts';

const { Publish, Puback, Pubrec, Pubrel, Pubcomp } = PacketType;
const { Handled, Turn, Lost } = Event;
const TABLES: readonly [name: string, rules: Rules][] = [
  ['atLeastOnce', atLeastOnce],
  ['exactlyOnce', exactlyOnce],
];

test('the tables cannot be changed', () => {
  for (const frozen of [State, Event, atLeastOnce, exactlyOnce, ...Object.values(exactlyOnce)]) {
    assert.ok(Object.isFrozen(frozen));
  }
});

test('the names of states and of events stand for different numbers, and events for none of a packet type', () => {
  for (const names of [State, Event]) {
    const numbers = Object.values(names);
    assert.equal(new Set(numbers).size, numbers.length);
  }
  for (const event of Object.values(Event)) assert.ok(event < Publish);
});

for (const [name, rules] of TABLES) {
  test(`[MQTT-4.3] every cell of ${name} leads to a state of the table or to the end`, () => {
    for (const row of Object.values(rules)) {
      for (const [next] of Object.values(row)) assert.ok(next === State.Done || rules[next], `state ${next}`);
    }
  });

  test(`[MQTT-4.3] every cell of ${name} answers an acknowledgement with the one that the standard names`, () => {
    const answers: { readonly [event: number]: readonly (number | undefined)[] } = {
      [Publish]: [undefined],
      [Puback]: [undefined],
      [Pubrec]: [Pubrel],
      [Pubrel]: [Pubcomp],
      [Pubcomp]: [undefined],
      [Handled]: [undefined],
      [Turn]: [Puback, Pubrec],
      [Lost]: [undefined],
    };
    for (const row of Object.values(rules)) {
      for (const [event, [, answer]] of Object.entries(row)) assert.ok(answers[Number(event)]?.includes(answer));
    }
  });
}

test('[MQTT-4.3] a state of exactlyOnce knows exactly the events that are legal in it', () => {
  const legal: { readonly [state: number]: readonly number[] } = {
    [State.AwaitingPuback]: [Puback],
    [State.AwaitingPubrec]: [Pubrec],
    [State.AwaitingPubcomp]: [Pubrec, Pubcomp],
    [State.UnknownSent]: [Puback, Pubrec, Pubcomp],
    [State.HandlingQos1]: [Handled, Lost],
    [State.HandlingQos2]: [Publish, Handled, Lost],
    [State.HandledQos1]: [Turn, Lost],
    [State.HandledQos2]: [Publish, Turn, Lost],
    [State.HandlingLost]: [Publish, Handled],
    [State.AwaitingPubrel]: [Publish, Pubrel],
    [State.UnknownReceived]: [Pubrel],
  };
  for (const state of Object.values(State)) {
    const events = Object.keys(exactlyOnce[state] ?? {}).map(Number);
    assert.deepEqual(
      events.sort((a, b) => a - b),
      [...(legal[state] ?? [])].sort((a, b) => a - b),
      `state ${state}`,
    );
  }
});

test('[MQTT-4.3.2] atLeastOnce knows no message of QoS 2, and ends those that the server speaks of', () => {
  const qos1 = [State.AwaitingPuback, State.HandlingQos1, State.HandledQos1];
  const unknown = [State.UnknownSent, State.UnknownReceived];
  const states = Object.keys(atLeastOnce).map(Number);
  assert.deepEqual(new Set(states), new Set([...qos1, ...unknown]));
  for (const state of qos1) {
    for (const event of [Publish, Pubrec, Pubrel, Pubcomp]) assert.equal(atLeastOnce[state]?.[event], undefined);
  }
  for (const state of unknown) {
    for (const [next] of Object.values(atLeastOnce[state] ?? {})) assert.equal(next, State.Done);
  }
});
