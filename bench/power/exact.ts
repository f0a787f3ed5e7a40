// What our client costs in a simulated day, as counts.

import type { Exact } from '../runner/exact.ts';
import { deviceDay } from './device.ts';
import { errandDay } from './errands.ts';
import { SCENARIOS } from './scenarios.ts';

const HOURS = 24;

export function exactPower(): Exact {
  const days = SCENARIOS.flatMap((scenario) => {
    const { wakeUps, sent, radioStarts, losses } = deviceDay(scenario);
    const counts = { wakeUps: wakeUps * HOURS, sent: sent * HOURS, radioStarts: radioStarts * HOURS, losses };
    return Object.entries(counts).map(([name, count]) => [`${scenario.name}: ${name}`, Math.round(count)]);
  });
  const errands = (['own', 'exact', 'slack'] as const).map((kind) => [
    `errands, ${kind}: wakeUps`,
    errandDay(kind).wakeUps,
  ]);
  return Object.fromEntries([...days, ...errands]);
}
