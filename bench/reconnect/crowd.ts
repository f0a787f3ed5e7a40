// A thousand of our clients that are dropped at once, in virtual time. The same in every run.

import { Client, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { Server } from '../virtual/server.ts';
import { type Arrivals, arrivalsOf, CROWD, LATENCY_MILLIS, PATIENCE_MILLIS } from './arrivals.ts';

/** Uniform in [0, 1), from a state that every run begins with. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** @param jitter without it every client draws the same delay */
export function crowd(jitter: boolean): Arrivals {
  const time = new VirtualTime();
  const servers: (() => void)[] = [];
  const dials: number[] = [];
  const logins: number[] = [];
  const random = dice(1);
  for (let index = 0; index < CROWD; index++) {
    const adapter = memoryAdapter({
      time,
      latency: () => LATENCY_MILLIS,
      random: jitter ? random : () => 0.5,
      accept(peer) {
        dials.push(time.now());
        const server = new Server(
          { send: (bytes) => peer.send(bytes), close: () => peer.close() },
          { now: () => time.now(), schedule: (millis, run) => void time.schedule(millis, run) },
          { accepted: () => logins.push(time.now()) },
        );
        peer.onReceived = (bytes) => server.received(bytes);
        peer.onClosed = () => server.end();
        servers.push(() => server.drop());
        return true;
      },
    });
    const identity = plainIdentity({ clientId: `device-${index}` });
    const client = new Client({ adapter, identity, endpoints: [{ host: 'server', port: 8883 }], keepAliveSeconds: 0 });
    client.subscribe('to/device');
    client.connect();
  }
  time.advance(10_000);
  dials.length = 0;
  logins.length = 0;
  const dropped = time.now();
  for (const drop of servers.splice(0)) drop();
  time.advance(PATIENCE_MILLIS);
  const since = (instants: number[]) => instants.map((instant) => instant - dropped);
  return arrivalsOf(since(dials), since(logins));
}
