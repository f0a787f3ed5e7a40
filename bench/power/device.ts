// A day of our client, in virtual time.

import type { Adapter } from '../../src/adapters/adapter.ts';
import { Client, plainIdentity } from '../../src/index.ts';
import { memoryAdapter, VirtualTime } from '../../src/memory.ts';
import { pingEarly } from '../../src/patience.ts';
import { Server } from '../virtual/server.ts';
import { type Cost, Ledger } from './ledger.ts';
import { DAY_MILLIS, KEEP_ALIVE_SECONDS, LATENCY_MILLIS, type Scenario, SETTLED_MILLIS } from './scenarios.ts';

/** The client's adapter and its clock, on which every alarm that rings is a wake-up. */
function countedAdapter(time: VirtualTime, ledger: Ledger, accept: (server: Server) => void): Adapter {
  const memory = memoryAdapter({
    time,
    latency: () => LATENCY_MILLIS,
    accept(peer) {
      const link = {
        send(bytes: Uint8Array) {
          time.schedule(LATENCY_MILLIS, ledger.hasReceived);
          peer.send(bytes);
        },
        close: () => peer.close(),
      };
      const server = new Server(link, {
        now: () => time.now(),
        schedule: (millis, run) => void time.schedule(millis, run),
      });
      peer.onReceived = (bytes) => server.received(bytes);
      peer.onClosed = () => server.end();
      accept(server);
      return true;
    },
  });
  return {
    ...memory,
    alarm(ring) {
      return memory.alarm(() => {
        ledger.wokeUp();
        ring();
      });
    },
    dial(endpoint, events) {
      const transport = memory.dial(endpoint, events);
      const write = transport.write.bind(transport);
      transport.write = (bytes) => {
        ledger.hasSent();
        return write(bytes);
      };
      return transport;
    },
  };
}

/** Runs something every so many seconds of virtual time, for good. */
function every(time: VirtualTime, seconds: number, run: () => void): void {
  if (seconds === 0) return;
  time.schedule(1_000 * seconds, () => {
    run();
    every(time, seconds, run);
  });
}

/** @param slackMillis how early a ping may leave with what leaves anyway */
export function deviceDay({ publishEvery, hearEvery, qos }: Scenario, slackMillis?: number): Cost {
  const time = new VirtualTime();
  const ledger = new Ledger(() => time.now());
  let server: Server | undefined;
  const client = new Client({
    adapter: countedAdapter(time, ledger, (it) => {
      server = it;
    }),
    endpoints: [{ host: 'server', port: 8883 }],
    identity: plainIdentity({ clientId: 'device' }),
    keepAliveSeconds: KEEP_ALIVE_SECONDS,
  });
  if (slackMillis !== undefined) pingEarly(client, slackMillis);
  client.on('disconnected', ledger.hasLost);
  client.subscribe('to/device');
  client.connect();
  every(time, publishEvery, () => {
    ledger.wokeUp();
    client.publish('from/device', 'state', { qos });
  });
  every(time, hearEvery, () => server?.publish('to/device', 'order'));
  time.advance(SETTLED_MILLIS + DAY_MILLIS);
  client.abort();
  return ledger.cost();
}
