// What we set out to reach: so much of what MQTT.js takes in the same run.

import type { Goal } from '../runner/goals.ts';
import type { Sample } from '../runner/programs.ts';
import { BUNDLED, MQTTJS, OURS } from './contenders.ts';

/** By case: CPU per message. */
const CPU: Readonly<Record<string, number>> = {
  'QoS 0 out, 32 B': 0.3,
  'QoS 0 out, 1 KB': 0.35,
  'QoS 1 out, 32 B': 0.15,
  'QoS 1 out, 1 KB': 0.15,
  'QoS 2 out, 32 B': 0.18,
  'QoS 0 in, 32 B': 0.5,
  'QoS 1 in, 32 B': 0.45,
  'QoS 2 in, 32 B': 0.25,
  'QoS 1 out, 32 B, window 1': 0.62,
};

const ALLOCATED: Readonly<Record<string, number>> = {
  'QoS 0 out, 32 B': 0.3,
  'QoS 1 out, 32 B': 0.3,
  'QoS 0 in, 32 B': 0.4,
  'QoS 1 in, 32 B': 0.4,
};

const P50: Readonly<Record<string, number>> = { 'echo, 32 B': 0.9 };

/** By case, by contender. */
export type Results = ReadonlyMap<string, Readonly<Record<string, Sample>>>;

export function goalsOf(times: Results, bytes: Results): Goal[] {
  const goals: Goal[] = [];
  const add = (most: Readonly<Record<string, number>>, figure: string, label: string, results: Results) => {
    for (const name of [OURS, BUNDLED]) {
      for (const [what, bound] of Object.entries(most)) {
        const samples = results.get(what);
        if (!samples) continue;
        const value = samples[name]![figure]! / samples[MQTTJS]![figure]!;
        goals.push({ what: `${name}: ${label}, ${what}`, unit: '×', value, most: bound });
      }
    }
  };
  add(CPU, 'cpu', 'CPU', times);
  add(P50, 'p50', 'p50', times);
  add(ALLOCATED, 'allocated', 'bytes allocated', bytes);
  return goals;
}
