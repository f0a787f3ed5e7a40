// One client that is dropped again and again: CPU and time from the drop until it is subscribed again. Arguments: contender, port of
// the sink.

import { TOPIC } from '../throughput/cases.ts';
import { CONTENDERS } from '../throughput/contenders.ts';

const [name = '', port = ''] = process.argv.slice(2);
const WARM_UP = 100;
const CYCLES = 200;

let subscribed = () => {};
const peer = await CONTENDERS[name]!({
  port: Number(port),
  clientId: 'device',
  reconnectMillis: 20,
  onMessage: () => subscribed(),
});
await peer.connect();
await peer.subscribe(TOPIC.again, 0);

/** @returns milliseconds */
async function cycle(): Promise<number> {
  const begin = performance.now();
  await new Promise<void>((resolve) => {
    subscribed = resolve;
    peer.publish(TOPIC.drop, Buffer.alloc(1), 0, () => {});
  });
  return performance.now() - begin;
}

for (let index = 0; index < WARM_UP; index++) await cycle();
const before = process.cpuUsage();
const took: number[] = [];
for (let index = 0; index < CYCLES; index++) took.push(await cycle());
const { user, system } = process.cpuUsage(before);
took.sort((a, b) => a - b);
console.log(JSON.stringify({ cpu: (user + system) / CYCLES, millis: took[CYCLES >> 1]! }));
process.exit();
