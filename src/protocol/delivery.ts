// How a PUBLISH is delivered at QoS 1 (4.3.2): every state, every event, as one frozen table. QoS 2 adds its rows in
// exactly-once.ts. A missing cell is a violation of the protocol [MQTT-4.8.0-1].

import { PacketType } from '../framing/packet.ts';

/** States of a message on its way. The sender's are named for what is awaited. */
export const State = Object.freeze({
  // Sending.
  AwaitingPuback: 0,
  AwaitingPubrec: 1,
  AwaitingPubcomp: 2,
  /** The server acknowledges an identifier that is not in use. */
  UnknownSent: 3,
  // Receiving. Handling: the app has the message and is not done. Handled: the answer waits for its turn.
  HandlingQos1: 4,
  HandlingQos2: 5,
  HandledQos1: 6,
  HandledQos2: 7,
  /** The app has the message of a connection that was lost: nothing is owed until the server sends it again. */
  HandlingLost: 8,
  AwaitingPubrel: 9,
  /** The server releases an identifier that is not held. */
  UnknownReceived: 10,
  Done: 11,
} as const);

export type State = (typeof State)[keyof typeof State];

/** Events are the packet types that come in, and three of our own, numbered below them. */
export const Event = Object.freeze({
  /** The app is done with the message. */
  Handled: 0,
  /** Everything that arrived before has been answered [MQTT-4.6.0-2] [MQTT-4.6.0-3]. */
  Turn: 1,
  /** The network connection is gone. */
  Lost: 2,
} as const);

/** The state that follows, and the packet that is sent meanwhile. */
export type Cell = readonly [next: State, answer?: 4 | 5 | 6 | 7];

export type Row = { readonly [event: number]: Cell };

/** By state, then by event. */
export type Rules = { readonly [state: number]: Row };

export const row = (cells: Row): Row => Object.freeze(cells);

const { Puback, Pubrec, Pubrel, Pubcomp } = PacketType;

/** QoS 0 and 1. */
export const atLeastOnce: Rules = Object.freeze({
  [State.AwaitingPuback]: row({ [Puback]: [State.Done] }),
  // After a takeover, or where a session is left over from another life of the device, the server speaks of identifiers that
  // are not known here: PUBACK is ignored and counted, and QoS 2 is helped to its end.
  [State.UnknownSent]: row({ [Puback]: [State.Done], [Pubrec]: [State.Done, Pubrel], [Pubcomp]: [State.Done] }),
  [State.UnknownReceived]: row({ [Pubrel]: [State.Done, Pubcomp] }),
  // Acknowledged once the app is done, whether it wanted the message or not [MQTT-4.3.2-2] [MQTT-4.5.0-2].
  [State.HandlingQos1]: row({ [Event.Handled]: [State.HandledQos1], [Event.Lost]: [State.Done] }),
  [State.HandledQos1]: row({ [Event.Turn]: [State.Done, Puback], [Event.Lost]: [State.Done] }),
});
