// What our client costs in a simulated day, as counts.

import type { Exact } from '../runner/exact.ts';
import { deviceDay } from './device.ts';
import { errandDay } from './errands.ts';
import type { Cost } from './ledger.ts';
import { SCENARIOS, SLACK_MILLIS } from './scenarios.ts';

const HOURS = 24;

function counted(name: string, { wakeUps, sent, radioStarts, losses }: Cost): [string, number][] {
  const counts = { wakeUps: wakeUps * HOURS, sent: sent * HOURS, radioStarts: radioStarts * HOURS, losses };
  return Object.entries(counts).map(([figure, count]) => [`${name}: ${figure}`, Math.round(count)]);
}

export function exactPower(): Exact {
  const days = SCENARIOS.flatMap((scenario) => [
    ...counted(scenario.name, deviceDay(scenario)),
    ...counted(`${scenario.name}, early pings`, deviceDay(scenario, SLACK_MILLIS)),
  ]);
  const errands = (['own', 'exact', 'slack'] as const).map((kind) => [
    `errands, ${kind}: wakeUps`,
    errandDay(kind).wakeUps,
  ]);
  return Object.fromEntries([...days, ...errands]);
}
