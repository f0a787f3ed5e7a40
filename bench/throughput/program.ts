// Measures one contender in some cases of one kind: CPU and time per message, or bytes allocated per message. Arguments: contender,
// numbers of the cases, port of the sink, `time` or `bytes`.

import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Peer } from '../peers/peer.ts';
import { CASES, type Case, TOPIC } from './cases.ts';
import { CONTENDERS } from './contenders.ts';

const [name = '', numbers = '', port = '', figure = 'time'] = process.argv.slice(2);
const cases = numbers.split(',').map((number) => CASES[Number(number)]!);
let it: Case = cases[0]!;
let payload = Buffer.alloc(0);

/** After these the compiler has done its work. */
const WARM_UP = 12;
/** Of the measured ones the median counts. */
const PASSES = 3;

let heard = () => {};
const peer: Peer = await CONTENDERS[name]!({
  port: Number(port),
  clientId: 'bench',
  onMessage: () => heard(),
});

/** Publishes `count` messages, as many at once as the window takes. */
function sendAll(count: number): Promise<void> {
  return new Promise((resolve) => {
    let begun = 0;
    let ended = 0;
    let filling = false;
    const fill = () => {
      if (filling) return; // Called by done() within publish(): the loop goes on.
      filling = true;
      while (begun < count && begun - ended < it.window) {
        begun++;
        peer.publish(TOPIC.sent, payload, it.qos, done);
      }
      filling = false;
    };
    const done = () => {
      ended++;
      if (ended === count) resolve();
      else fill();
    };
    fill();
  });
}

function hearAll(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    heard = () => {
      if (--left === 0) resolve();
    };
    peer.publish(`${TOPIC.go}${it.qos}/${it.size}/${count}`, Buffer.alloc(1), 0, () => {});
  });
}

/** One message at a time to the sink and back. @returns how long each took, in microseconds */
async function echoAll(count: number): Promise<number[]> {
  const took: number[] = [];
  for (let left = count; left > 0; left--) {
    const begin = process.hrtime.bigint();
    await new Promise<void>((resolve) => {
      heard = resolve;
      peer.publish(TOPIC.echo, payload, 0, () => {});
    });
    took.push(Number(process.hrtime.bigint() - begin) / 1_000);
  }
  return took;
}

const pass = async (count: number): Promise<number[]> => {
  if (it.way === 'echo') return echoAll(count);
  await (it.way === 'out' ? sendAll(count) : hearAll(count));
  return [];
};

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const portion = (sorted: readonly number[], part: number): number => sorted[Math.floor(part * sorted.length)] ?? 0;

async function time(): Promise<Record<string, number>> {
  const cpu: number[] = [];
  const rate: number[] = [];
  const took: number[] = [];
  for (let round = 0; round < WARM_UP + PASSES; round++) {
    await setImmediate();
    const before = process.cpuUsage();
    const begin = performance.now();
    const latencies = await pass(it.count);
    const seconds = (performance.now() - begin) / 1_000;
    const { user, system } = process.cpuUsage(before);
    if (round < WARM_UP) continue;
    cpu.push((user + system) / it.count);
    rate.push(it.count / seconds);
    took.push(...latencies);
  }
  took.sort((a, b) => a - b);
  return { cpu: median(cpu), rate: median(rate), p50: portion(took, 0.5), p99: portion(took, 0.99) };
}

/** The young generation is so large that nothing is collected meanwhile: what is there afterwards was allocated. */
async function bytes(): Promise<Record<string, number>> {
  for (let round = 0; round < WARM_UP; round++) await pass(it.count);
  globalThis.gc!();
  const allocated: number[] = [];
  const taken = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const count = Math.min(it.count, 5_000);
  for (let round = 0; round < PASSES; round++) {
    await setTimeout(1); // What was written is written.
    const before = taken();
    await pass(count);
    allocated.push((taken() - before) / count);
  }
  return { allocated: median(allocated) };
}

await peer.connect();
await peer.subscribe(TOPIC.heard, it.qos);
const found: Record<string, number> = {};
for (const next of cases) {
  it = next;
  payload = Buffer.alloc(it.size, 'x');
  const sample = figure === 'bytes' ? await bytes() : await time();
  for (const [key, value] of Object.entries(sample)) found[`${it.name}: ${key}`] = value;
}
console.log(JSON.stringify(found));
process.exit();
