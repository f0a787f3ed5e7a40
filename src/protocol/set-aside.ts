// Sending one message at a time, and giving one up: what a quarantine asks of a machine. Functions, so that a client without
// one does not carry them.

import { mqttError } from '../error.ts';
import type { Instant } from '../time.ts';
import type { Connection } from './connection.ts';
import { State } from './delivery.ts';
import type { Publication } from './session.ts';

/** Lets no more than so many messages await their acknowledgement; Infinity for as many as fit. */
export function limitSending(machine: Connection, limit: number): void {
  machine.overheard?.({ call: 'limitSending', limit });
  machine.outbox.limit = limit;
}

/** Gives a message up that is in flight: it settles with 'set-aside' and is not sent again. */
export function abandon(machine: Connection, message: Publication, now: Instant): void {
  machine.overheard?.({ call: 'setAside', message, now });
  machine.now = now;
  const { deliveries, outbox } = machine;
  let index = deliveries.length - 1;
  while (index >= 0 && deliveries[index]!.message !== message) index--;
  // Once the server has taken it over it is no suspect, and PUBREL is owed (4.3.3).
  if (index < 0 || deliveries[index]!.state === State.AwaitingPubcomp) return;
  if (message.qos === 2) machine.reserved = machine.reserved.concat([deliveries[index]!.packetId]);
  outbox.removeAt(index);
  const error = mqttError('set-aside', 'the server closed the connection each time this message was sent');
  machine.settle(message, error);
}
