// A thousand clients of a peer, dropped at once, as they are under fake timers. Argument: the peer's name.

import { clock, elapsed, fixRandom, LinkStream } from '../virtual/fake-host.ts';
import { arrivalsOf, CROWD, LATENCY_MILLIS, PATIENCE_MILLIS } from './arrivals.ts';

const [name = ''] = process.argv.slice(2);
let state = 1;
fixRandom(() => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
});
const { PEERS } = await import('../peers/peers.ts'); // Only now: a peer may keep the timers that it finds.

let links: LinkStream[] = [];
let dials: number[] = [];
let logins: number[] = [];
const open = () => {
  const link = new LinkStream({
    latency: LATENCY_MILLIS,
    dialled: () => dials.push(elapsed()),
    accepted: () => logins.push(elapsed()),
  });
  links.push(link);
  return link;
};
const connecting = Array.from({ length: CROWD }, async (_, index) => {
  const peer = PEERS[name]!({ open, clientId: `device-${index}`, keepAliveSeconds: 3_600, onMessage: () => {} });
  await peer.connect();
  await peer.subscribe('to/device', 0);
});
await clock.tickAsync(10_000);
await Promise.all(connecting);
const dropped = elapsed();
const before = links;
links = [];
dials = [];
logins = [];
for (const link of before) link.server.drop();
await clock.tickAsync(Math.min(PATIENCE_MILLIS, 120_000));
const since = (instants: readonly number[]) => instants.map((instant) => instant - dropped);
const { in100Millis, inSecond, allBackMillis } = arrivalsOf(since(dials), since(logins));
const found = { in100Millis, inSecond, allBackMillis: Number.isNaN(allBackMillis) ? -1 : allBackMillis };
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit());
