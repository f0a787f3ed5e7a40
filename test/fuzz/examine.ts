// Hands one input to the framing and to the whole connection, and throws when either does what it must not.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { MqttError } from '../../src/error.ts';
import type { Framing } from '../../src/framing/framing.ts';
import type { Guard } from '../../src/framing/guard.ts';
import { mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import type { Action } from '../../src/protocol/action.ts';
import { Connection, Phase } from '../../src/protocol/connection.ts';
import { atLeastOnce, type Rules } from '../../src/protocol/delivery.ts';
import { exactlyOnce } from '../../src/protocol/exactly-once.ts';
import { bytewise, cut, unhex } from '../framing/bytes.ts';
import { read } from '../framing/packets.ts';
import { Random } from './random.ts';

/** Small enough for inputs to exceed it. */
const MAX_PACKET_SIZE = 512;

const ACCEPTED = unhex('20 02 00 00');
const RESUMED = unhex('20 02 01 00');

/** How a server's bytes may end a connection. */
const ENDS: readonly string[] = ['malformed-packet', 'unexpected-packet', 'refused'];

interface Parser {
  parse(bytes: Uint8Array): number;
}

/** How many bytes mqtt-packet holds back after what it parsed last. */
const heldBack = { bytes: 0 };
const { prototype } = createRequire(import.meta.url)('mqtt-packet/parser.js') as { prototype: Parser };
const { parse } = prototype;
prototype.parse = function (this: Parser, bytes) {
  heldBack.bytes = parse.call(this, bytes);
  return heldBack.bytes;
};

/** A framing that, whatever it is given, holds at most one packet and that one only once. */
function boundedFraming(): Framing {
  const framing = mqttPacketFraming(MAX_PACKET_SIZE);
  const { guard } = framing as unknown as { guard: Guard };
  return {
    check: (packet) => framing.check(packet),
    fits: (packet) => framing.fits(packet),
    encode: (packet) => framing.encode(packet),
    reset: () => framing.reset(),
    decode(bytes, each) {
      try {
        framing.decode(bytes, each);
      } finally {
        assert.ok((guard.held?.length ?? 0) <= MAX_PACKET_SIZE, 'the guard holds more than a packet');
        assert.equal(heldBack.bytes, 0, 'mqtt-packet holds bytes');
      }
    },
  };
}

function assertTyped(error: MqttError | undefined): void {
  if (error && !ENDS.includes(error.code)) throw new assert.AssertionError({ message: `untyped: ${error.stack}` });
}

/** One client over several connections. */
class Life {
  readonly connection: Connection;
  readonly rules: Rules;
  /** The app is done with a message as soon as it has it; otherwise when the connection is over. */
  readonly eager: boolean;
  readonly actions: Action[] = [];

  constructor(rules: Rules, eager: boolean) {
    this.rules = rules;
    this.eager = eager;
    this.connection = new Connection({ framing: boundedFraming(), delivery: rules, maxInFlight: 4 });
  }

  open(): void {
    this.connection.opened({ clientId: 'a', cleanSession: false, keepAliveSeconds: 60 }, 0);
    this.drain();
  }

  /** Operations with the identifiers 1 to 4 in flight. */
  occupy(): void {
    const { connection } = this;
    this.input(ACCEPTED);
    const message = { topic: 'a', payload: new Uint8Array(1), retain: false };
    connection.publish({ ...message, qos: 1 }, 0);
    this.drain(); // The next one is taken only once this one is out.
    connection.publish({ ...message, qos: this.rules === exactlyOnce ? 2 : 1 }, 0);
    connection.request({ filters: [{ filter: 'a', qos: 1 }] }, 0);
    connection.request({ filters: ['a'] }, 0);
    this.drain();
  }

  input(bytes: Uint8Array): void {
    this.connection.input(bytes, 0);
    this.drain();
  }

  drain(): void {
    const { connection, actions } = this;
    for (let action = connection.poll(); action; action = connection.poll()) {
      assert.notEqual(actions.at(-1)?.kind, 'close', 'an action after the close');
      actions.push(action);
      if (action.kind === 'close') assertTyped(action.error);
      if (action.kind === 'message' && this.eager) connection.acknowledge(action.message, 0);
    }
    assert.equal(connection.phase === Phase.Closing, actions.at(-1)?.kind === 'close', 'closing without a close');
  }

  /** Loses the connection and gets another one, with this CONNACK. */
  reconnect(connack: Uint8Array): void {
    const { connection, actions } = this;
    connection.closed(0);
    for (const it of actions.splice(0)) if (it.kind === 'message') connection.acknowledge(it.message, 0);
    this.open();
    this.input(connack);
    assert.equal(connection.phase, Phase.Connected, 'the client cannot connect again');
  }
}

/** All actions of a client that gets these chunks on two connections and on the third has lost its session. */
function live(chunks: readonly Uint8Array[], rules: Rules, busy: boolean, eager: boolean): Action[] {
  const life = new Life(rules, eager);
  life.open();
  if (busy) life.occupy();
  for (const chunk of chunks) life.input(chunk);
  const first = [...life.actions];
  life.reconnect(RESUMED);
  for (const chunk of chunks) life.input(chunk);
  const second = [...life.actions];
  life.reconnect(ACCEPTED);
  return [...first, ...second, ...life.actions];
}

/** How actions compare: payloads are of different classes, errors have stacks. */
const comparable = (it: unknown): string =>
  JSON.stringify(it, (_, value) => (value instanceof Uint8Array ? [...value] : value));

/**
 * Returns the code with which the framing refuses the input, or undefined.
 * @throws whatever tells that the package is at fault
 */
export function examine(input: Uint8Array): string | undefined {
  const random = new Random(input.length); // The cuts follow from the input, so that the input alone is the case.
  const places = random.list(1 + random.below(4), () => random.below(input.length + 1));
  const ways = [[input], bytewise(input), cut(input, places)];
  const [whole, ...others] = ways.map((chunks) => read(boundedFraming(), chunks));
  for (const it of others) assert.equal(comparable(it), comparable(whole), 'another cut, another outcome');
  assert.ok(whole!.errors.length < 2, 'read on after an error');
  assertTyped(whole!.errors[0]);

  for (const rules of [atLeastOnce, exactlyOnce]) {
    for (const busy of [false, true]) {
      const [first, ...rest] = ways.map((chunks) => comparable(live(chunks, rules, busy, false)));
      for (const it of rest) assert.equal(it, first, 'another cut, other actions');
      live(ways[2]!, rules, busy, true);
    }
  }
  return whole!.errors[0]?.code;
}
