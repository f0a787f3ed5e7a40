// QoS 2 (4.3.3): the rows that an app hands in when it wants exactly-once delivery, together with those of QoS 1.

import { PacketType } from '../framing/packet.ts';
import { atLeastOnce, Event, type Rules, row, State } from './delivery.ts';

const { Publish, Pubrec, Pubrel, Pubcomp } = PacketType;

/** QoS 0, 1 and 2: the option `delivery` of a client that publishes or subscribes with QoS 2. */
export const exactlyOnce: Rules = Object.freeze({
  ...atLeastOnce,
  [State.AwaitingPubrec]: row({ [Pubrec]: [State.AwaitingPubcomp, Pubrel] }), // [MQTT-4.3.3-1]
  [State.AwaitingPubcomp]: row({ [Pubrec]: [State.AwaitingPubcomp, Pubrel], [Pubcomp]: [State.Done] }),
  [State.HandlingQos2]: row({
    [Publish]: [State.HandlingQos2],
    [Event.Handled]: [State.HandledQos2],
    [Event.Lost]: [State.HandlingLost],
  }),
  [State.HandledQos2]: row({
    [Publish]: [State.HandledQos2],
    [Event.Turn]: [State.AwaitingPubrel, Pubrec],
    [Event.Lost]: [State.AwaitingPubrel],
  }),
  [State.HandlingLost]: row({ [Publish]: [State.HandlingQos2], [Event.Handled]: [State.AwaitingPubrel] }),
  [State.AwaitingPubrel]: row({
    [Publish]: [State.HandledQos2], // Sent again: answered again, not delivered again [MQTT-4.3.3-2].
    [Pubrel]: [State.Done, Pubcomp],
  }),
});
