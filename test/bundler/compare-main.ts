// A long comparison of the specialised mqtt-packet with the untouched package: npm run compare -- --runs N --seed S.

import { parseArgs } from 'node:util';
import { mqttPacketFraming } from '../../src/framing/mqtt-packet.ts';
import { Random } from '../fuzz/random.ts';
import { compare } from './compare.ts';
import { load } from './support.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
const runs = Number(values.runs ?? 20_000);
const seed = Number(values.seed ?? 1);

for (const target of ['es2022', 'node'] as const) {
  console.log(`${runs} packets and ${runs} streams from seed ${seed}, specialised for ${target}`);
  const small = await load<{ mqttPacketFraming: typeof mqttPacketFraming }>('test/bundler/apps/codec.ts', target);
  const tally = compare([mqttPacketFraming, small.mqttPacketFraming], (it) => new Random(it), seed, runs);
  for (const [what, count] of Object.entries(tally)) console.log(`${what}: ${count}`);
}
