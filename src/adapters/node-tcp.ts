// Plain TCP on Node: for tests only, since nothing on the way is secret or sure.

import { connect } from 'node:net';
import type { Adapter } from './adapter.ts';
import { nodeHost, Room, socketTransport } from './node-socket.ts';

/** A client takes this adapter only with the option `allowPlaintext`. */
export function nodeTcp(): Adapter {
  const room = new Room();
  return {
    ...nodeHost(),
    security: 'plaintext',
    dial: ({ host, port }, events) =>
      socketTransport((onread) => connect({ host, port, onread, allowHalfOpen: true }), 'connect', events, room),
  };
}
