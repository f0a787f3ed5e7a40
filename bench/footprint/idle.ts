// What idle connections take of a process: one, and many. Arguments: the client, how many, the port of the server.

import { setTimeout as delay } from 'node:timers/promises';
import { CLIENTS } from './clients.ts';

const [name = '', many = '', port = ''] = process.argv.slice(2);
const count = Number(many);

/** So many are opened at once. */
const BATCH = 100;

async function held() {
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc!();
    await delay(5);
  }
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heap: heapUsed + arrayBuffers, resident: rss };
}

const nothing = await held();
const connect = await CLIENTS[name]!();
const kept = [await connect(Number(port), 'device-0')];
const one = await held();
while (kept.length < count) {
  const size = Math.min(BATCH, count - kept.length);
  const ids = Array.from({ length: size }, (_, index) => `device-${kept.length + index}`);
  kept.push(...(await Promise.all(ids.map((id) => connect(Number(port), id)))));
}
const all = await held();
const more = Math.max(1, count - 1);
const found = {
  heapOfOne: one.heap - nothing.heap,
  residentOfOne: one.resident - nothing.resident,
  ...(count > 1 && { heapEach: (all.heap - one.heap) / more, residentEach: (all.resident - one.resident) / more }),
};
process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit());
