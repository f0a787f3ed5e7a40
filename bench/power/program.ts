// A day of a peer, run as it is under fake timers. Arguments: the peer's name, the scenario's number.

import { clock, elapsed, LinkStream, repeatedly, watchTimers } from '../virtual/fake-host.ts';
import { Ledger } from './ledger.ts';
import { DAY_MILLIS, KEEP_ALIVE_SECONDS, LATENCY_MILLIS, SCENARIOS, SETTLED_MILLIS } from './scenarios.ts';

const [name = '', number = ''] = process.argv.slice(2);
const { publishEvery, hearEvery, qos } = SCENARIOS[Number(number)]!;
const ledger = new Ledger(elapsed);
watchTimers(ledger.wokeUp);

const { PEERS } = await import('../peers/peers.ts'); // Only now: a peer may keep the timers that it finds.
let link: LinkStream | undefined;
const peer = PEERS[name]!({
  open() {
    link = new LinkStream({
      latency: LATENCY_MILLIS,
      sent: ledger.hasSent,
      received: ledger.hasReceived,
      lost: ledger.hasLost,
    });
    return link;
  },
  clientId: 'device',
  keepAliveSeconds: KEEP_ALIVE_SECONDS,
  onMessage: () => {},
});

async function live(): Promise<void> {
  await peer.connect();
  await peer.subscribe('to/device', 0);
  const publish = () => peer.publish('from/device', Buffer.from('state'), qos, () => {});
  if (publishEvery > 0) setInterval(publish, 1_000 * publishEvery);
  if (hearEvery > 0) repeatedly(() => link?.server.publish('to/device', 'order'), 1_000 * hearEvery);
}

const living = live();
await clock.tickAsync(SETTLED_MILLIS + DAY_MILLIS);
await living;
process.stdout.write(`${JSON.stringify(ledger.cost())}\n`, () => process.exit());
